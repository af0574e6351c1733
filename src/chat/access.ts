/** Who may do what in a room. The answers are proofs: the functions that read or write ask for one. */
import type { AccountRank } from "../accounts/ports.ts";
import type { SessionId, UserId } from "../shared/ids.ts";
import type { Entry, Role, Room, RoomStore } from "./ports.ts";
import { Refused } from "./refusal.ts";

/** Whoever is behind a request or a socket, as the edge established it. */
export type Actor = Guest | SignedInActor;

interface Guest {
  kind: "guest";
}

export interface SignedInActor {
  kind: "member";
  id: UserId;
  name: string;
  session: SessionId;
  rank: Rank;
}

/** Standing in the whole installation, not in a room. */
export type Rank = AccountRank;

declare const proof: unique symbol;

export interface Reader {
  readonly [proof]: "reader";
  readonly room: Room;
  /** Null in the public room, and for guests. */
  readonly role: Role | null;
  /** The place of the last message they have read; null where `role` is. */
  readonly readSeq: number | null;
}

export interface Member extends Omit<Reader, typeof proof> {
  readonly [proof]: "member";
  readonly author: UserId;
  /** Under which they write. */
  readonly session: SessionId;
}

/** Of a private room; the owner is one too. */
export interface Moderator extends Omit<Member, typeof proof> {
  readonly [proof]: "moderator";
}

export interface Owner extends Omit<Moderator, typeof proof> {
  readonly [proof]: "owner";
}

/** Somebody who looks after the whole installation. */
export interface Staff {
  readonly [proof]: "staff" | "superuser";
  readonly actor: SignedInActor;
  /** Where they act from, for the audit log. */
  readonly address: string;
}

/** Whoever may say who is staff; they are staff too. */
export interface Superuser extends Staff {
  readonly [proof]: "superuser";
}

export interface Access {
  /** Refuses `not_found` for a room that does not exist, or that this actor may know nothing of. */
  reader(actor: Actor, slug: string): Promise<Reader>;
  /** Refuses as `reader` does, guests with `login_required`, and whoever may read but not write. */
  member(actor: Actor, slug: string): Promise<Member>;
  /** Refuses as `reader` does, and `forbidden` for members without that role. Being muted does not matter here. */
  moderator(actor: Actor, slug: string): Promise<Moderator>;
  owner(actor: Actor, slug: string): Promise<Owner>;
}

export function createAccess(rooms: Pick<RoomStore, "entry">): Access {
  async function enter(actor: Actor, slug: string): Promise<Entry> {
    const entry = await rooms.entry(slug, actor.kind === "guest" ? null : actor.id);
    if (!entry || (entry.room.kind !== "public" && !entry.role)) throw new Refused("not_found");
    return entry;
  }

  async function withRole(actor: Actor, slug: string, allowed: readonly (Role | null)[]) {
    const { room, role, readSeq } = await enter(actor, slug);
    if (actor.kind === "guest" || !allowed.includes(role)) throw new Refused("forbidden");
    return { room, role, readSeq, author: actor.id, session: actor.session };
  }

  return {
    async reader(actor, slug) {
      const { room, role, readSeq } = await enter(actor, slug);
      return { room, role, readSeq } as Reader;
    },
    async member(actor, slug) {
      const { room, role, readSeq, isMuted } = await enter(actor, slug);
      if (actor.kind === "guest") throw new Refused("login_required");
      if (isMuted) throw new Refused("muted");
      if (room.isClosed) throw new Refused("room_closed");
      return { room, role, readSeq, author: actor.id, session: actor.session } as Member;
    },
    async moderator(actor, slug) {
      return (await withRole(actor, slug, ["owner", "moderator"])) as Moderator;
    },
    async owner(actor, slug) {
      return (await withRole(actor, slug, ["owner"])) as Owner;
    },
  };
}

/** Refuses guests with `login_required`, and whoever is not staff with `forbidden`. */
export function asStaff(actor: Actor, address: string): Staff {
  if (actor.kind === "guest") throw new Refused("login_required");
  if (actor.rank === "user") throw new Refused("forbidden");
  return { actor, address } as Staff;
}

/** Refuses `forbidden` to staff of lower rank. */
export function asSuperuser(staff: Staff): Superuser {
  if (staff.actor.rank !== "superuser") throw new Refused("forbidden");
  return staff as Superuser;
}

/** Refuses guests with `login_required`. */
export function signedIn(actor: Actor): SignedInActor {
  if (actor.kind === "guest") throw new Refused("login_required");
  return actor;
}
