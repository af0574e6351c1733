/** The database: in the data folder, or where the configuration says. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, type Config } from "../config.ts";
import { openSqlite } from "../db/sqlite/open.ts";
import { createSqliteStores } from "../db/sqlite/stores.ts";
import type { DatabaseStores } from "../db/stores.ts";
import { MIGRATIONS } from "../resources.ts";

export type Stores = DatabaseStores;

export async function openStores(
  { dataDir, ...config }: Pick<Config, "dataDir" | "databaseUrl" | "databasePoolSize">,
  now: number,
): Promise<Stores> {
  mkdirSync(dataDir, { recursive: true });
  const { databaseUrl: url, databasePoolSize: pool } = config;
  return url === null ? openFile(dataDir, now) : openServer(url, pool, now);
}

function openFile(dataDir: string, now: number): DatabaseStores {
  return createSqliteStores(openSqlite(join(dataDir, "echochat.sqlite"), MIGRATIONS.sqlite, now));
}

/** Loaded only by whoever has such a server. */
async function openServer(url: string, pool: number, now: number): Promise<DatabaseStores> {
  const { openPostgresStores, Unopened } = await import("../db/postgres/stores.ts");
  try {
    return await openPostgresStores({ url, pool, migrations: MIGRATIONS.postgres }, now);
  } catch (error) {
    throw error instanceof Unopened ? new ConfigError(`DATABASE_URL: ${error.message}`) : error;
  }
}
