/** Where pictures lie. Each name is written once and never used again. */
export interface MediaStorage {
  /** Whole or not at all: nobody ever sees half a file. */
  put(name: string, bytes: Uint8Array, type: string): Promise<void>;
  /** Null for a name that is not there. Rejects with `PicturesAway` when that cannot be told now. */
  get(name: string): Promise<Blob | null>;
  /** What is not there is gone already. */
  remove(name: string): Promise<void>;
}
