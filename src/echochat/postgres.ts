/** The original's PostgreSQL database, as it is at the moment of opening. */
import postgres, { type ReservedSql } from "postgres";
import type { Original } from "./ports.ts";
import { CHUNK_ROWS, queriesOf } from "./queries.ts";
import { ImportRefused } from "./refused.ts";
import { countsOf, messageOf, roomOf, userOf, type Row } from "./rows.ts";
import { whole } from "./values.ts";

const QUERIES = queriesOf((column) => `(extract(epoch FROM ${column}) * 1000)::float8`);

/** Seconds. */
const CONNECT_TIMEOUT = 8;

/** Numbers of eight bytes are read exactly up to 2^53. */
const TYPES = { bigint: { to: 20, from: [20], parse: Number, serialize: String } };

export async function openOriginalServer(url: string): Promise<Original> {
  const client = postgres(url, {
    max: 1,
    types: TYPES,
    fetch_types: false,
    onnotice: () => {},
    connect_timeout: CONNECT_TIMEOUT,
    connection: { statement_timeout: 0, idle_in_transaction_session_timeout: 0 },
  });
  const close = () => client.end({ timeout: 0 });
  try {
    // Connects: a client that is told to reserve what it does not have yet may wait without end.
    await client`SELECT 1`;
    return readFrom(await begun(await client.reserve()), close);
  } catch (error) {
    await close();
    throw new ImportRefused(`The database of EchoChat's original cannot be read: ${reason(error)}.`, {
      cause: error,
    });
  }
}

async function begun(tx: ReservedSql): Promise<ReservedSql> {
  await tx`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`;
  // Each is understood, or this is not the original's.
  for (const query of Object.values(QUERIES)) await tx.unsafe(`SELECT * FROM (${query}) q LIMIT 0`);
  return tx;
}

function readFrom(tx: ReservedSql, close: () => Promise<void>): Original {
  async function* chunks<T>(query: string, map: (row: Row) => T): AsyncGenerator<T[]> {
    for await (const rows of tx.unsafe<Row[]>(query).cursor(CHUNK_ROWS)) yield rows.map(map);
  }
  const rows = (query: string) => tx.unsafe<Row[]>(query);
  return {
    count: async () => countsOf((await rows(QUERIES.counts))[0]),
    users: () => chunks(QUERIES.users, (row) => userOf(row, whole)),
    strayProfiles: async () => (await rows(QUERIES.strayProfiles)).map(({ id }) => Number(id)),
    rooms: () => chunks(QUERIES.rooms, roomOf),
    messages: () => chunks(QUERIES.messages, (row) => messageOf(row, whole)),
    close,
  };
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ("code" in error ? String(error.code) : error.name);
}
