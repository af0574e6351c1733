/** Opens the database file, brings it up to date and makes what every installation has: an epoch and the public room. */
import { Database } from "bun:sqlite";
import { drizzle, type BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import { migrate } from "drizzle-orm/bun-sqlite/migrator";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import * as schema from "./schema.ts";

export type SqliteDatabase = BunSQLiteDatabase<typeof schema> & { $client: Database };

/** Pages of the write-ahead log before a checkpoint: 16 MB, so that few commits wait for one. */
const CHECKPOINT_PAGES = 4096;
const LOG_SIZE_LIMIT = 64 * 1024 * 1024;

/** `migrations` is the folder that drizzle-kit writes. */
export function openSqlite(file: string, migrations: string, now: number): SqliteDatabase {
  const client = new Database(file, { create: true, strict: true });
  client.run("PRAGMA journal_mode = WAL");
  // FULL: a commit is on stable storage before anyone is told of it.
  client.run("PRAGMA synchronous = FULL");
  client.run("PRAGMA busy_timeout = 5000");
  client.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  client.run(`PRAGMA journal_size_limit = ${LOG_SIZE_LIMIT}`);

  const db = drizzle(client, { schema });
  update(db, file, migrations);
  db.insert(schema.installation).values({ epoch: crypto.randomUUID() }).onConflictDoNothing().run();
  db.insert(schema.rooms)
    .values({ slug: PUBLIC_ROOM, name: "Public Chat", createdAt: now })
    .onConflictDoNothing()
    .run();
  return db;
}

/** Applies the migrations that are new to this file; each is all or nothing. */
function update(db: SqliteDatabase, file: string, migrations: string): void {
  const { $client: client } = db;
  // Rebuilding a table drops the old one, which would cascade to its children.
  client.run("PRAGMA foreign_keys = OFF");
  migrate(db, { migrationsFolder: migrations });
  checkReferences(client, file);
  client.run("PRAGMA foreign_keys = ON");
}

/** Reads every row, so once for each migration: the file remembers how many it has been checked after. */
function checkReferences(client: Database, file: string): void {
  const applied = numberFrom(client, "SELECT count(*) AS n FROM __drizzle_migrations");
  if (numberFrom(client, "SELECT user_version AS n FROM pragma_user_version") === applied) return;
  const broken = client.query("PRAGMA foreign_key_check").all();
  if (broken.length > 0) throw new Error(`${file}: ${broken.length} rows point to rows that do not exist`);
  client.run(`PRAGMA user_version = ${applied}`);
}

function numberFrom(client: Database, query: string): number {
  return client.query<{ n: number }, []>(query).get()?.n ?? 0;
}
