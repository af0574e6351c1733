import type { SqliteDatabase } from "./open.ts";

/** Reads and commits a page that stays what it is; throws when the database cannot do either. */
export function createProbe({ $client: client }: SqliteDatabase): () => Promise<void> {
  const touch = client.query("UPDATE installation SET epoch = epoch RETURNING id");
  return async () => {
    if (!touch.get()) throw new Error("the database has lost its epoch");
  };
}
