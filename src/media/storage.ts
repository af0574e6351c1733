/** Where pictures lie. Each name is written once and never used again. */
export interface MediaStorage {
  /** Whole or not at all: nobody ever sees half a file. */
  put(name: string, bytes: Uint8Array, type: string): Promise<void>;
  /** Null for a name that is not there. Rejects with `PicturesAway` when that cannot be told now. */
  get(name: string): Promise<Blob | null>;
  /** What is not there is gone already. */
  remove(name: string): Promise<void>;
}

/** Ours are `<32 hex>.webp` and `<32 hex>.64.webp`; imported ones have the names that they had. */
const STORED = /^profile_pics\/[\p{L}\p{N}_-][\p{L}\p{N}_.-]{0,99}$/u;

/** What is on its way into a folder has a name for so long that nobody is shown. */
export function isPictureName(path: string): boolean {
  return STORED.test(path) && !path.endsWith(".tmp");
}
