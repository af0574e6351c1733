/** What is unread in the rooms of whoever looks at a page: counted once, then told message by message. */
import type { MyRoom } from "../chat/ports.ts";
import type { Rooms } from "../chat/rooms.ts";
import type { ServerFrame } from "../shared/protocol.ts";
import type { Hub } from "./hub.ts";
import type { Socket } from "./socket.ts";

export interface Unread {
  /** Tells the counts, and from then on of every new message. Guests have no rooms. */
  watch(socket: Socket): Promise<void>;
}

/** Where messages never pause the count may be one off: it is looked at anew so often. */
const ATTEMPTS = 5;

export function createUnread({ hub, rooms }: { hub: Hub; rooms: Pick<Rooms, "mine"> }): Unread {
  /** Counts until nothing was written meanwhile: what is announced from then on comes on top. */
  async function count(socket: Socket, attempt = 1): Promise<MyRoom[]> {
    const removals = hub.removals();
    const mine = await rooms.mine(socket.data.actor);
    if (socket.readyState !== WebSocket.OPEN) return [];
    // Somebody lost a room meanwhile: it may have been one of these.
    if (hub.removals() !== removals) return count(socket, attempt);
    const whole = mine.map((room) => hub.hearNews(socket, room, room.head));
    return whole.includes(false) && attempt < ATTEMPTS ? count(socket, attempt + 1) : mine;
  }

  return {
    async watch(socket) {
      const mine = await count(socket);
      const counts = mine.map(({ slug: room, unread }) => ({ room, unread }));
      const frame: ServerFrame = { type: "unread", rooms: counts };
      socket.send(JSON.stringify(frame));
    },
  };
}
