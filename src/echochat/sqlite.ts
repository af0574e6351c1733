/** The original's SQLite file, as it is at the moment of opening. */
import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import type { Original } from "./ports.ts";
import { CHUNK_ROWS, queriesOf } from "./queries.ts";
import { ImportRefused } from "./refused.ts";
import { countsOf, messageOf, roomOf, userOf, type Row } from "./rows.ts";
import { timeOf } from "./values.ts";

const QUERIES = queriesOf((column) => column);

export function openOriginalFile(file: string): Original {
  if (!existsSync(file)) throw new ImportRefused(`There is no database at ${file}.`);
  const client = opened(file);

  const rows = (query: string) => client.query<Row, []>(query).all();
  async function* chunks<T>(query: string, map: (row: Row) => T): AsyncGenerator<T[]> {
    let chunk: T[] = [];
    for (const row of client.query<Row, []>(query).iterate()) {
      chunk.push(map(row));
      if (chunk.length < CHUNK_ROWS) continue;
      yield chunk;
      chunk = [];
    }
    if (chunk.length > 0) yield chunk;
  }

  return {
    count: async () => countsOf(rows(QUERIES.counts)[0]),
    users: () => chunks(QUERIES.users, (row) => userOf(row, timeOf)),
    strayProfiles: async () => rows(QUERIES.strayProfiles).map(({ id }) => Number(id)),
    rooms: () => chunks(QUERIES.rooms, roomOf),
    messages: () => chunks(QUERIES.messages, (row) => messageOf(row, timeOf)),
    close: async () => client.close(),
  };
}

function opened(file: string): Database {
  let client: Database | null = null;
  try {
    client = new Database(file, { readonly: true });
    client.run("PRAGMA busy_timeout = 5000");
    client.run("BEGIN");
    // Each is understood, or this is not the original's.
    for (const query of Object.values(QUERIES)) client.prepare(query).finalize();
    client.query("SELECT 1 FROM auth_user LIMIT 1").all();
    return client;
  } catch (error) {
    client?.close();
    throw new ImportRefused(
      `${file} is no database of EchoChat's original, or cannot be read: ${reason(error)}.`,
      {
        cause: error,
      },
    );
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
