/** The checker's own way into PostgreSQL. */
import postgres from "postgres";
import type { Query } from "../checker/stored.ts";

export interface Queries {
  /** Waits for a database that is away, and asks again. */
  query: Query;
  close(): Promise<void>;
}

/** Milliseconds. */
const PATIENCE = 20_000;
const RETRY_DELAY = 50;

export function openQueries(url: string): Queries {
  const sql = postgres(url, {
    max: 1,
    onnotice: () => {},
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  });

  async function query<Found>(text: string): Promise<Found[]> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      try {
        return [...(await sql.unsafe(text))] as Found[];
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await Bun.sleep(RETRY_DELAY);
      }
    }
  }

  return { query, close: () => sql.end({ timeout: 1 }) };
}
