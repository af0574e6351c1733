/** What is unread in the rooms of whoever looks at a page: counted once, then told message by message. */
import type { Rooms } from "../chat/rooms.ts";
import type { ServerFrame } from "../shared/protocol.ts";
import type { Hub } from "./hub.ts";
import type { Socket } from "./socket.ts";

export interface Unread {
  /** Tells the counts, and from then on of every new message. Guests have no rooms. */
  watch(socket: Socket): Promise<void>;
}

export function createUnread({ hub, rooms }: { hub: Hub; rooms: Pick<Rooms, "mine"> }): Unread {
  return {
    async watch(socket) {
      const removals = hub.removals();
      const mine = await rooms.mine(socket.data.actor);
      // Somebody lost a room meanwhile: it may have been one of these.
      if (hub.removals() !== removals) return this.watch(socket);
      for (const room of mine) hub.hearNews(socket, room, room.head);
      const counts = mine.map(({ slug: room, unread }) => ({ room, unread }));
      const frame: ServerFrame = { type: "unread", rooms: counts };
      socket.send(JSON.stringify(frame));
    },
  };
}
