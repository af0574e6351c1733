/** The SQLite file as it was at one moment, whatever a server writes to it meanwhile. */
import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { CopyRefused } from "./refused.ts";
import { valueOf, type Table, type Value } from "./tables.ts";
import { standingOf } from "./versions.ts";

/** Nothing is left of the changes of a room that was removed. */
const WRONG_NUMBERS = `SELECT r.slug, r.head, max(m.rev) AS last FROM rooms r JOIN messages m ON m.room_id = r.id
  GROUP BY r.id HAVING last <> r.head ORDER BY r.id`;

/** Rows that are held in memory at a time, and the characters of theirs. */
const CHUNK_ROWS = 1000;
const CHUNK_CHARACTERS = 1_000_000;

export interface Source {
  /** In order of the key. `unfit` hears of each value that PostgreSQL cannot hold. */
  chunks(table: Table, unfit: (place: string) => void): Generator<Value[][]>;
  /** The highest id that was ever given, which no row may have any more. */
  lastId(table: Table): number;
  /** Rooms whose number is not that of their last change, in words. */
  wrongRooms(): string[];
  /** Whether anybody has written to the file since it was opened. */
  hasMovedOn(): boolean;
  close(): void;
}

export function openSource(file: string, migrations: string): Source {
  if (!existsSync(file)) throw new CopyRefused(`There is no database at ${file}: is DATA_DIR right?`);
  const client = new Database(file, { readonly: true, strict: true });
  // Counts what others commit, which a connection inside a transaction does not see.
  const watcher = new Database(file, { readonly: true });
  const close = () => {
    client.close();
    watcher.close();
  };
  try {
    client.run("PRAGMA busy_timeout = 5000");
    const version = () => numberFrom(watcher, "SELECT data_version AS n FROM pragma_data_version");
    const before = version();
    client.run("BEGIN");
    demandCurrent(client, file, migrations);
    return {
      chunks: (table, unfit) => chunksOf(client, table, unfit),
      lastId: ({ name }) => numberFrom(client, "SELECT seq AS n FROM sqlite_sequence WHERE name = ?", name),
      wrongRooms: () =>
        client
          .query<{ slug: string; head: number; last: number }, []>(WRONG_NUMBERS)
          .all()
          .map(({ slug, head, last }) => `${slug} stands at ${head}, its last change is ${last}`),
      hasMovedOn: () => version() !== before,
      close,
    };
  } catch (error) {
    close();
    if (error instanceof CopyRefused) throw error;
    throw new CopyRefused(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
}

/** Refuses a file whose tables are not those of this program. */
export function demandCurrent(client: Database, file: string, migrations: string): void {
  const table = "SELECT count(*) AS n FROM sqlite_schema WHERE name = '__drizzle_migrations'";
  const applied =
    numberFrom(client, table) === 0
      ? []
      : client
          .query<{ at: number }, []>("SELECT created_at AS at FROM __drizzle_migrations ORDER BY 1")
          .all();
  const standing = standingOf(
    applied.map(({ at }) => at),
    migrations,
  );
  if (standing !== "current") throw new CopyRefused(WORDS[standing](file));
}

const WORDS = {
  older: (file: string) =>
    `${file} was written by an earlier version: start this one on it once, which brings it up to date.`,
  newer: (file: string) => `${file} was written by a later version: copy it with that one.`,
  foreign: (file: string) => `${file} is not a database of EchoChat.`,
};

function* chunksOf(client: Database, table: Table, unfit: (place: string) => void): Generator<Value[][]> {
  const { name, columns, key } = table;
  const [list, order] = [columns, key].map((some) => some.map((column) => `"${column.name}"`).join(", "));
  const rows = client.query<Record<string, unknown>, []>(`SELECT ${list} FROM "${name}" ORDER BY ${order}`);
  let chunk: Value[][] = [];
  let characters = 0;
  for (const stored of rows.iterate()) {
    const row: Value[] = [];
    for (const column of columns) {
      const value = valueOf(column, stored[column.name]);
      if (value === undefined) unfit(placeOf(table, stored, column.name));
      if (typeof value === "string") characters += value.length;
      row.push(value ?? null);
    }
    chunk.push(row);
    if (chunk.length < CHUNK_ROWS && characters < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = [];
    characters = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** Such as "messages 17, text". The ids of sessions are not for terminals. */
function placeOf({ name, key }: Table, row: Record<string, unknown>, column: string): string {
  const numbers = key.filter(({ type }) => type === "bigint").map((part) => String(row[part.name]));
  return `${[name, numbers.join("/")].filter((part) => part !== "").join(" ")}, ${column}`;
}

function numberFrom(client: Database, query: string, ...values: string[]): number {
  return client.query<{ n: number }, string[]>(query).get(...values)?.n ?? 0;
}
