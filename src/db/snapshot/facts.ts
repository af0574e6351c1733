/** What a backup says of the database in it. */
export interface Facts {
  kind: "sqlite" | "postgres";
  /** When the migrations that it has seen were written. */
  schema: readonly number[];
  epoch: string;
  /** Rows by table. */
  counts: Readonly<Record<string, number>>;
}

/** A database as it was at one moment. It has no epoch any more: whoever starts on it makes a new one. */
export interface Snapshot {
  facts: Facts;
  /** Paths of the pictures that people have in it. */
  pictures: readonly string[];
  content: AsyncIterable<Uint8Array>;
}

/** A database that goes on meanwhile. */
export interface SnapshotSource {
  /** Paths of the pictures that people have now. */
  pictures(): Promise<readonly string[]>;
  /** The snapshot is gone when `use` has ended. */
  take(use: (snapshot: Snapshot) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Why it cannot be done, in one line for the person at the terminal. */
export class Refused extends Error {}

/** The epoch is a fact of its own, and a file of ours never has it in its table. */
export const EPOCH_TABLE = "installation";

export const AVATARS =
  "SELECT avatar FROM users WHERE avatar IS NOT NULL AND deleted_at IS NULL ORDER BY avatar";
