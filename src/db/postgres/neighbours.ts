/** Whether other nodes write in the rooms that this one writes in: then it has to wait for them. */
import type { RoomId } from "../../shared/ids.ts";

/** The last number of rooms. */
type Heads = ReadonlyMap<RoomId, number>;

export interface Neighbours {
  /** As it was when we had these rooms last. */
  areBusy(): boolean;
  /** What stood there before we write. */
  found(heads: Heads): void;
  /** What stands there since we have written. */
  left(heads: Heads): void;
}

export function createNeighbours(): Neighbours {
  let own: Heads = new Map();
  let areBusy = false;
  return {
    areBusy: () => areBusy,
    found: (heads) => void (areBusy = [...heads].some(([room, head]) => (own.get(room) ?? head) !== head)),
    left: (heads) => void (own = heads),
  };
}
