import { readMigrationFiles } from "drizzle-orm/migrator";
import type { PostgresDatabase } from "./open.ts";

/**
 * Writes a row as it is, which rejects where nothing can be written; and where the database is older than this program, as
 * after a backup was restored. One that is newer belongs to the version that comes next, which leaves this one its tables.
 */
export function createProbe({ $client: sql }: PostgresDatabase, migrations: string): () => Promise<void> {
  const ours = readMigrationFiles({ migrationsFolder: migrations }).map(({ folderMillis }) => folderMillis);
  return async () => {
    const { count } = await sql`
      UPDATE installation SET epoch = epoch
      WHERE (SELECT max(created_at) FROM drizzle.__drizzle_migrations) >= ${Math.max(...ours)}`;
    if (count === 0) throw new Error("the database is older than this program");
  };
}
