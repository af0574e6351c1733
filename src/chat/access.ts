/** Who may do what in a room. The answers are proofs: the functions that read or write ask for one. */
import type { SessionId, UserId } from "../shared/ids.ts";
import type { Room, RoomStore } from "./ports.ts";
import { Refused } from "./refusal.ts";

/** Whoever is behind a request or a socket, as the edge established it. */
export type Actor = { kind: "guest" } | { kind: "member"; id: UserId; name: string; session: SessionId };

declare const proof: unique symbol;

export interface Reader {
  readonly [proof]: "reader";
  readonly room: Room;
}

export interface Member extends Omit<Reader, typeof proof> {
  readonly [proof]: "member";
  readonly author: UserId;
}

export interface Access {
  /** Refuses `not_found` for a room that does not exist, or that this actor may know nothing of. */
  reader(actor: Actor, slug: string): Promise<Reader>;
  /** Refuses as `reader` does, and guests with `login_required`. */
  member(actor: Actor, slug: string): Promise<Member>;
}

export function createAccess(rooms: RoomStore): Access {
  async function visibleRoom(slug: string): Promise<Room> {
    const room = await rooms.bySlug(slug);
    if (!room) throw new Refused("not_found");
    return room;
  }

  return {
    async reader(_actor, slug) {
      return { room: await visibleRoom(slug) } as Reader;
    },
    async member(actor, slug) {
      const room = await visibleRoom(slug);
      if (actor.kind === "guest") throw new Refused("login_required");
      return { room, author: actor.id } as Member;
    },
  };
}
