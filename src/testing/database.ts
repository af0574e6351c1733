/** A test's hand in the database, for what no door of the product does. */
import { Database, type SQLQueryBindings } from "bun:sqlite";
import { join } from "node:path";

/** Runs one statement beside the running server; answers with the rows that it gives. */
export function inDatabase<Row = unknown>(
  { dataDir }: { dataDir: string },
  sql: string,
  ...values: SQLQueryBindings[]
): Row[] {
  const database = new Database(join(dataDir, "echochat.sqlite"), { readwrite: true, create: false });
  try {
    database.run("PRAGMA busy_timeout = 5000");
    database.run("PRAGMA foreign_keys = ON");
    return database.query<Row, SQLQueryBindings[]>(sql).all(...values);
  } finally {
    database.close();
  }
}
