import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { getTableName, type Table } from "drizzle-orm";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIGRATIONS } from "../resources.ts";
import { startPostgres, type PostgresServer } from "../testing/postgres.ts";
import { TABLES } from "./copy/tables.ts";
import { openPostgres } from "./postgres/open.ts";
import * as postgresTables from "./postgres/schema.ts";
import { openSqlite } from "./sqlite/open.ts";
import * as sqliteTables from "./sqlite/schema.ts";

setDefaultTimeout(60_000);

let server: PostgresServer;
let folder: string;
let sqlite: Database;
let url: string;
beforeAll(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
  const db = await openPostgres({ url, pool: 1, migrations: MIGRATIONS.postgres, nodeId: "a-test" }, 1);
  await db.$client.end();
  folder = mkdtempSync(join(tmpdir(), "echochat-dialects-"));
  sqlite = openSqlite(join(folder, "echochat.sqlite"), MIGRATIONS.sqlite, 1).$client;
});
afterAll(async () => {
  sqlite.close();
  rmSync(folder, { recursive: true });
  await server.stop();
});

type Rows = Record<string, unknown>[];
const inSqlite = (query: string): Rows => sqlite.query<Record<string, unknown>, []>(query).all();
const inPostgres = (query: string): Promise<Rows> => server.run(query, url);

/** But for those of SQLite and of the migrations themselves. */
const TABLES_OF_SQLITE = String.raw`(SELECT name FROM sqlite_schema WHERE type = 'table'
  AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '\_\_%' ESCAPE '\') t`;
const namesIn = (tables: Record<string, Table>) => Object.values(tables).map(getTableName).toSorted();
const sorted = (rows: Rows) => rows.map((row) => Object.values(row).join(" ")).toSorted();

test("both dialects have the tables of the source, and a copy carries each of them", async () => {
  const names = (rows: Rows) => rows.map(({ name }) => String(name)).toSorted();
  const made = names(inSqlite(`SELECT t.name FROM ${TABLES_OF_SQLITE}`));
  expect(made.length).toBeGreaterThan(0);
  expect(
    names(await inPostgres("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")),
  ).toEqual(made);
  for (const tables of [sqliteTables, postgresTables]) expect(namesIn(tables)).toEqual(made);
  expect(TABLES.map(({ name }) => name).toSorted()).toEqual(made);
});

test("the migrations of both dialects make the same columns, in names, kinds and what may be missing", async () => {
  const made = inSqlite(
    `SELECT t.name, c.name AS "column", c."notnull" AS needed,
       CASE WHEN lower(c.type) = 'text' THEN 'text' ELSE 'number' END AS kind
     FROM ${TABLES_OF_SQLITE}, pragma_table_info(t.name) c`,
  );
  expect(made.length).toBeGreaterThan(50);
  const other = await inPostgres(
    `SELECT table_name, column_name, (is_nullable = 'NO')::int, CASE data_type WHEN 'text' THEN 'text' ELSE 'number' END
     FROM information_schema.columns WHERE table_schema = 'public'`,
  );
  expect(sorted(other)).toEqual(sorted(made));
  const carried = TABLES.flatMap(({ name, columns }) => columns.map((column) => `${name} ${column.name}`));
  expect(carried.toSorted()).toEqual(
    made.map((row) => `${String(row["name"])} ${String(row["column"])}`).toSorted(),
  );
});

test("they keep the same rows apart, and the same rows together", async () => {
  const unique = inSqlite(
    `SELECT t.name, i.name AS "index", i."unique" FROM ${TABLES_OF_SQLITE}, pragma_index_list(t.name) i WHERE i.origin <> 'pk'`,
  );
  expect(unique.length).toBeGreaterThan(10);
  const other = await inPostgres(
    `SELECT t.relname, i.relname AS "index", x.indisunique::int FROM pg_index x
     JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
     WHERE t.relnamespace = 'public'::regnamespace AND NOT x.indisprimary`,
  );
  expect(sorted(other)).toEqual(sorted(unique));

  const references = inSqlite(
    `SELECT t.name, f."from", f."table", lower(f.on_delete) AS "end" FROM ${TABLES_OF_SQLITE}, pragma_foreign_key_list(t.name) f`,
  );
  expect(references.length).toBeGreaterThan(5);
  const others = await inPostgres(
    `SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text,
       CASE c.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' ELSE 'no action' END AS "end"
     FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f'`,
  );
  expect(sorted(others)).toEqual(sorted(references));
});
