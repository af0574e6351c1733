/** A PostgreSQL database as it was at one moment, whatever nodes write to it meanwhile. */
import postgres from "postgres";
import { unopened, Unopened } from "../postgres/unopened.ts";
import { CopyRefused } from "./refused.ts";
import type { Table, Value } from "./tables.ts";
import { migrationsOf, rowsOf } from "./target.ts";
import { standingOf } from "./versions.ts";

const CONNECT_SECONDS = 8;

/** Numbers of eight bytes are read exactly up to 2^53. */
const TYPES = { bigint: { to: 20, from: [20], parse: Number, serialize: String } };

export interface ServerSource {
  /** In order of the key. */
  chunks(table: Table): AsyncIterable<Value[][]>;
  close(): Promise<void>;
}

export async function openServerSource(url: string, migrations: string): Promise<ServerSource> {
  const connection = {
    // Not one of the nodes, which are told by their names.
    application_name: "export of echochat",
    statement_timeout: 0,
    idle_in_transaction_session_timeout: 0,
  };
  const options = { max: 1, onnotice: () => {}, connect_timeout: CONNECT_SECONDS, types: TYPES, connection };
  const client = postgres(url, { ...options, fetch_types: false });
  const close = () => client.end({ timeout: 0 });
  try {
    await client`SELECT 1`;
    const standing = standingOf(await migrationsOf(client), migrations);
    if (standing !== "current") throw new CopyRefused(WORDS[standing]);
    const tx = await client.reserve();
    await tx`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`;
    return { chunks: (table) => rowsOf(tx, table), close };
  } catch (error) {
    await close();
    throw told(error, url);
  }
}

const WORDS = {
  older:
    "The database was written by an earlier version: start this one on it once, which brings it up to date.",
  newer: "The database was written by a later version: take that one.",
  foreign: "The database at DATABASE_URL is not one of EchoChat.",
};

function told(error: unknown, url: string): unknown {
  const known = error instanceof CopyRefused ? error : unopened(error, url);
  return known instanceof Unopened
    ? new CopyRefused(`PostgreSQL at ${known.message}.`, { cause: error })
    : known;
}
