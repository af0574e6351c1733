import type { NewMessage } from "../../echochat/ports.ts";
import type { RoomId } from "../../shared/ids.ts";

export interface Place {
  room: RoomId;
  /** The last number before the batch, and after it. */
  before: number;
  head: number;
  /** When the first of the batch was written. */
  first: number;
}

/** Gives each message the next number of its room. */
export function numbered(messages: readonly NewMessage[], headOf: (room: RoomId) => number) {
  const places = new Map<RoomId, Place>();
  const rows = messages.map((message) => {
    const { roomId: room, createdAt } = message;
    const known = places.get(room);
    const before = known?.before ?? headOf(room);
    const place = known ?? { room, before, head: before, first: createdAt };
    if (!known) places.set(room, place);
    place.head++;
    place.first = Math.min(place.first, createdAt);
    return { ...message, seq: place.head };
  });
  return { rows, places: [...places.values()] };
}
