/** What the ordinary queries are written over: once for both dialects, which differ in the rest of this. */
import type { SQL } from "drizzle-orm";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type { Tables } from "./tables.ts";

/** PostgreSQL's by its type; queries of SQLite are made alike, and wait for nothing when they are awaited. */
export type Queries = Pick<PgDatabase<PgQueryResultHKT>, "select" | "insert" | "update" | "delete">;

/**
 * A transaction as a sequence of queries: SQLite must not wait between two of them, or it would commit, and PostgreSQL has
 * to. Nothing but the database may be changed on the way, which may have to be gone again from its beginning.
 */
export type Steps<T> = Generator<PromiseLike<unknown>, T, unknown>;

export interface Source {
  db: Queries;
  tables: Tables;
  /** Everything or nothing. */
  transact<T>(steps: (tx: Queries) => Steps<T>): Promise<T>;
  /**
   * Until the transaction ends nobody else writes in these rooms, and what was written before is there to be read.
   * Whoever ends a membership or removes a room does this first: a message is either before that or refused.
   */
  holdRooms(tx: Queries, which: SQL | undefined): Steps<void>;
  /** Whether a unique key that somebody else has was the reason. */
  isTaken(error: unknown): boolean;
}

/** One step, with the type of its answer. */
export function* ask<Answer>(query: PromiseLike<Answer>): Generator<PromiseLike<unknown>, Answer, unknown> {
  return (yield query) as Answer;
}
