/** Who is writing just now: told to the others in the room, kept nowhere. */
import type { Access } from "../chat/access.ts";
import type { Clock, Nodes } from "../chat/ports.ts";
import { Refused } from "../chat/refusal.ts";
import type { Hub } from "./hub.ts";
import type { Socket } from "./socket.ts";

export interface Typing {
  /** Whoever may not write there is not told so: nothing happens. */
  show(socket: Socket, room: string): Promise<void>;
}

/** One socket is heard once in this time. Milliseconds. */
const INTERVAL = 2_000;

export interface TypingDeps {
  access: Access;
  clock: Clock;
  hub: Hub;
  /** Null where there are no others. */
  nodes: Pick<Nodes, "tell"> | null;
}

export function createTyping({ access, clock, hub, nodes }: TypingDeps): Typing {
  const heardAt = new WeakMap<Socket, number>();
  return {
    async show(socket, room) {
      const { actor } = socket.data;
      const now = clock.now();
      if (actor.kind === "guest" || now - (heardAt.get(socket) ?? 0) < INTERVAL) return;
      heardAt.set(socket, now);
      try {
        const { id } = (await access.member(actor, room)).room;
        const { name } = actor;
        if (hub.tellOthers(socket, id, { type: "typing", room, name }))
          nodes?.tell({ type: "typing", roomId: id, room, name });
      } catch (refused) {
        if (!(refused instanceof Refused)) throw refused;
      }
    },
  };
}
