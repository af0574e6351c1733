/** How many there are of each kind; a kind that nobody is of any more is forgotten. */
export interface Tally {
  add(kind: string, change: 1 | -1): void;
  of(kind: string): number;
  kinds(): string[];
}

export function createTally(): Tally {
  const counts = new Map<string, number>();
  return {
    add(kind, change) {
      const count = (counts.get(kind) ?? 0) + change;
      if (count > 0) counts.set(kind, count);
      else counts.delete(kind);
    },
    of: (kind) => counts.get(kind) ?? 0,
    kinds: () => [...counts.keys()],
  };
}
