/** The stores of a PostgreSQL database. */
import { createOrdinaryStores, type DatabaseStores } from "../stores.ts";
import { isUnavailable } from "./failures.ts";
import { createPostgresMessages } from "./messages.ts";
import { openPostgres, type PostgresOptions } from "./open.ts";
import { createProbe } from "./probe.ts";
import { createRoomReading } from "./rooms.ts";
import { createMarkSeen, createSource } from "./source.ts";
import { watchRights } from "./watch.ts";

export { Unopened } from "./unopened.ts";

/** Rejects with `Unopened`. */
export async function openPostgresStores(
  options: Omit<PostgresOptions, "nodeId">,
  now: number,
): Promise<DatabaseStores> {
  const nodeId = crypto.randomUUID();
  const db = await openPostgres({ ...options, nodeId }, now);
  const messages = await createPostgresMessages(db);
  const own = { ...createRoomReading(db), markSeen: createMarkSeen(db) };
  return {
    ...createOrdinaryStores(createSource(db), own),
    messages,
    probe: createProbe(db, options.migrations),
    watch: (tell, onFailure) => watchRights(db, nodeId, tell, onFailure),
    // What the server has not on its disk it does not confirm.
    isLost: () => false,
    isUnavailable,
    async close() {
      await messages.close();
      await db.$client.end({ timeout: CLOSE_PATIENCE });
    },
  };
}

/** Seconds: what is under way then is broken off. */
const CLOSE_PATIENCE = 5;
