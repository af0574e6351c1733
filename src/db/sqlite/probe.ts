import type { SqliteDatabase } from "./open.ts";

/**
 * Commits a page that stays what it is; throws when the database cannot. Nothing reads this number, and writing it goes to
 * the disk even so, while SQLite leaves out the update of a row to what it says already.
 */
export function createProbe({ $client: client }: SqliteDatabase): () => Promise<void> {
  return async () => {
    client.run("PRAGMA application_id = 0");
  };
}
