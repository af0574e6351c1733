import type { Value } from "./tables.ts";

export interface Total {
  rows: number;
  /** SHA-256 over the rows in order of their keys, each as a line of JSON. */
  hash: string;
}

/** Counts and hashes rows, from whichever database they come. */
export function createTally() {
  const hasher = new Bun.CryptoHasher("sha256");
  let count = 0;
  return {
    /** How many rows there were so far. */
    add(rows: readonly (readonly Value[])[]): number {
      hasher.update(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      return (count += rows.length);
    },
    total: (): Total => ({ rows: count, hash: hasher.digest("hex") }),
  };
}
