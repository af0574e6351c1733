/** A test's hand in the database, for what no door of the product does. */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import postgres from "postgres";
import { openStores, type Stores } from "../compose/stores.ts";
import { readConfig } from "../config.ts";
import { environmentOf } from "./installation.ts";

/** What may stand for a `?`; both dialects take `true` and `false` for a flag. */
type Value = string | number | boolean | null;

/** One text that both dialects understand, or one for each. */
type Statement = string | { sqlite: string; postgres: string };

/** Runs one statement beside the running server; answers with the rows that it gives. */
export async function inDatabase<Row = unknown>(
  { dataDir }: { dataDir: string },
  statement: Statement,
  ...values: Value[]
): Promise<Row[]> {
  const { DATABASE_URL } = await environmentOf(dataDir);
  const variants = typeof statement === "string" ? { sqlite: statement, postgres: statement } : statement;
  return DATABASE_URL
    ? inPostgres<Row>(DATABASE_URL, variants.postgres, values)
    : inSqlite<Row>({ dataDir }, variants.sqlite, ...values);
}

export function inSqlite<Row = unknown>(
  { dataDir }: { dataDir: string },
  sql: string,
  ...values: Value[]
): Row[] {
  const database = new Database(join(dataDir, "echochat.sqlite"), { readwrite: true, create: false });
  try {
    database.run("PRAGMA busy_timeout = 5000");
    database.run("PRAGMA foreign_keys = ON");
    return database.query<Row, Value[]>(sql).all(...values);
  } finally {
    database.close();
  }
}

/** Nobody else writes until it is closed. */
export function lockSqlite({ dataDir }: { dataDir: string }): Pick<Database, "close"> {
  const database = new Database(join(dataDir, "echochat.sqlite"));
  database.run("PRAGMA busy_timeout = 5000");
  database.run("BEGIN IMMEDIATE");
  return database;
}

async function inPostgres<Row>(url: string, sql: string, values: Value[]): Promise<Row[]> {
  const types = { bigint: { to: 20, from: [20], parse: Number, serialize: String } };
  const client = postgres(url, { max: 1, onnotice: () => {}, types });
  let place = 0;
  try {
    return [
      ...(await client.unsafe<Row[] & Record<string, unknown>[]>(
        sql.replaceAll("?", () => `$${++place}`),
        values,
      )),
    ];
  } finally {
    await client.end();
  }
}

/** The stores themselves, beside the running server. */
export async function inStores<Result>(
  { dataDir }: { dataDir: string },
  act: (stores: Stores) => Promise<Result>,
): Promise<Result> {
  const config = readConfig({ ...(await environmentOf(dataDir)), DATA_DIR: dataDir });
  const stores = await openStores(config, Date.now());
  try {
    return await act(stores);
  } finally {
    await stores.close();
  }
}
