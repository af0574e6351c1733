/** Stores in a private PostgreSQL, which runs for as long as any of them are open. */
import { openPostgres } from "../../db/postgres/open.ts";
import { createSource } from "../../db/postgres/source.ts";
import { openPostgresStores as openStores } from "../../db/postgres/stores.ts";
import { MIGRATIONS } from "../../resources.ts";
import { startPostgres, type PostgresServer } from "../postgres.ts";
import { handsIn, type OpenStores } from "./open.ts";

const POOL = 4;

let server: Promise<PostgresServer> | null = null;
let users = 0;

/** An empty database of its own. */
export async function openPostgresStores(): Promise<OpenStores> {
  const { createDatabase, dropDatabase } = await enter();
  const url = await createDatabase();
  return openIn(url, async () => {
    await dropDatabase(url);
    await leave();
  });
}

async function openIn(url: string, discard: () => Promise<void>): Promise<OpenStores> {
  const options = { url, pool: POOL, migrations: MIGRATIONS.postgres };
  const stores = await openStores(options, Date.now());
  const aside = await openPostgres({ ...options, pool: 1, nodeId: "hands" }, Date.now());
  const close = async () => void (await Promise.all([stores.close(), aside.$client.end()]));
  return {
    ...stores,
    ...handsIn(createSource(aside)),
    async reopen() {
      await close();
      return openIn(url, discard);
    },
    async close() {
      await close();
      await discard();
    },
  };
}

function enter(): Promise<PostgresServer> {
  users += 1;
  server ??= startPostgres();
  return server;
}

async function leave(): Promise<void> {
  users -= 1;
  if (users > 0) return;
  const idle = server;
  server = null;
  await (await idle)?.stop();
}
