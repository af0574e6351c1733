import type { OriginalTable } from "./ports.ts";

/** What came of the rows of a table: `read` is the sum of the others. */
export interface Tally {
  read: number;
  carried: number;
  /** By an earlier import, or because both have it. */
  here: number;
  skipped: number;
}

export interface Report {
  tables: Record<OriginalTable, Tally>;
  /** People who had to be given another name, and rooms with another slug. */
  renamed: number;
  /** Accounts that only bear the names of authors who were gone, and rooms of which there were only messages. */
  authors: number;
  roomsMade: number;
  pictures: { carried: number; unchosen: number; leftOut: number };
}

export function emptyReport(): Report {
  const tally = () => ({ read: 0, carried: 0, here: 0, skipped: 0 });
  return {
    tables: { users: tally(), profiles: tally(), rooms: tally(), messages: tally() },
    renamed: 0,
    authors: 0,
    roomsMade: 0,
    pictures: { carried: 0, unchosen: 0, leftOut: 0 },
  };
}

export function count(tally: Tally, outcome: "carried" | "here" | "skipped"): void {
  tally.read++;
  tally[outcome]++;
}
