/**
 * One connection apart from the pool. It is never mended: whoever holds it sees when it is gone and opens another, so that
 * no statement of a transaction can reach the server by a connection that has not seen its beginning.
 */
import postgres, { type Options, type ReservedSql } from "postgres";
import type { PostgresDatabase } from "./open.ts";

export interface Line {
  sql: ReservedSql;
  isOpen(): boolean;
  /** Resolves when it is gone, whoever ended it. */
  gone: Promise<void>;
  /** At once; whatever waits for an answer is rejected. */
  cut(): void;
}

export interface LineOptions {
  settings?: Record<string, string>;
  onNotify?: (channel: string, payload: string) => void;
}

/** Goes where the pool goes, by the same name. */
export async function openLine(
  { $client: { options } }: PostgresDatabase,
  { settings, onNotify: onnotify }: LineOptions = {},
): Promise<Line> {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  let isOpen = true;
  const end = () => {
    isOpen = false;
    resolve();
  };
  const own = { max: 1, idle_timeout: null, max_lifetime: null, onclose: end, onnotify };
  const connection = { ...options.connection, ...settings };
  // The driver takes its own options back as they are.
  const client = postgres({ ...options, ...own, connection } as unknown as Options<{}>);
  const cut = () => {
    end();
    void client.end({ timeout: 0 });
  };
  try {
    // Connects: a client that is told to reserve what it does not have yet may wait without end.
    await client`SELECT 1`;
    return { sql: await client.reserve(), isOpen: () => isOpen, gone, cut };
  } catch (error) {
    cut();
    throw error;
  }
}

/** Cuts the line when the work takes longer: a server that says nothing would else be waited for without end. */
export async function within<T>(milliseconds: number, line: Line, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => line.cut(), milliseconds);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
