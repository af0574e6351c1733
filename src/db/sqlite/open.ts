/** Opens the database file, brings it up to date and makes what every installation has: an epoch and the public room. */
import { Database } from "bun:sqlite";
import { drizzle, type BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import * as schema from "./schema.ts";
import { update } from "./update.ts";

export type SqliteDatabase = BunSQLiteDatabase<typeof schema> & { $client: Database };

/** Pages of the write-ahead log before a checkpoint: 16 MB, so that few commits wait for one. */
const CHECKPOINT_PAGES = 4096;
const LOG_SIZE_LIMIT = 64 * 1024 * 1024;

/**
 * `migrations` is the folder that drizzle-kit writes. `onCopy` hears of the copy that is made before the file is changed.
 * Throws `NotUpdated` where it cannot be.
 */
export function openSqlite(
  file: string,
  migrations: string,
  now: number,
  onCopy: (copy: string) => void = () => {},
): SqliteDatabase {
  const client = new Database(file, { create: true, strict: true });
  client.run("PRAGMA journal_mode = WAL");
  // FULL: a commit is on stable storage before anyone is told of it.
  client.run("PRAGMA synchronous = FULL");
  client.run("PRAGMA busy_timeout = 5000");
  client.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  client.run(`PRAGMA journal_size_limit = ${LOG_SIZE_LIMIT}`);

  const db = drizzle(client, { schema });
  try {
    const copy = update(client, file, migrations, now);
    if (copy !== null) onCopy(copy);
  } catch (error) {
    client.close();
    throw error;
  }
  db.insert(schema.installation).values({ epoch: crypto.randomUUID() }).onConflictDoNothing().run();
  db.insert(schema.rooms)
    .values({ slug: PUBLIC_ROOM, name: "Public Chat", createdAt: now })
    .onConflictDoNothing()
    .run();
  return db;
}
