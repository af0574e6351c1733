/** Pictures that are asked for often, so that a storage far away is not asked each time. */

/** Other nodes remove pictures too: what is gone is shown for so long at most. Milliseconds. */
const KEPT = 60_000;

/** Bytes of all pictures together. */
const MOST = 32 * 1024 * 1024;

interface Kept {
  until: number;
  picture: Promise<Blob | null>;
  size: number;
}

export interface PictureMemory {
  get(name: string): Promise<Blob | null>;
  forget(name: string): void;
}

export function createMemory(read: (name: string) => Promise<Blob | null>, now: () => number): PictureMemory {
  /** The one that was asked for longest ago comes first. */
  const kept = new Map<string, Kept>();
  let total = 0;

  function forget(name: string): void {
    total -= kept.get(name)?.size ?? 0;
    kept.delete(name);
  }

  function makeRoom(): void {
    for (const name of kept.keys()) {
      if (total <= MOST) return;
      forget(name);
    }
  }

  /** However many ask at a time, it is read once. */
  function fetch(name: string): Kept {
    const entry: Kept = { until: now() + KEPT, picture: read(name), size: 0 };
    entry.picture.then(
      (picture) => {
        if (kept.get(name) !== entry) return;
        if (!picture) return forget(name);
        entry.size = picture.size;
        total += entry.size;
        makeRoom();
      },
      () => {
        if (kept.get(name) === entry) forget(name);
      },
    );
    return entry;
  }

  return {
    async get(name) {
      const known = kept.get(name);
      const entry = known && now() < known.until ? known : fetch(name);
      if (entry !== known) forget(name);
      kept.delete(name);
      kept.set(name, entry);
      return entry.picture;
    },
    forget,
  };
}
