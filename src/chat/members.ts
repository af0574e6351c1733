/** Who belongs to a private room, and with what say. */
import { signedIn, type Actor, type Member, type Moderator, type Owner, type Reader } from "./access.ts";
import type { Bus, MemberStore, Role, RoomMember, RoomPlace } from "./ports.ts";
import { Refused } from "./refusal.ts";
import type { UserId } from "../shared/ids.ts";

export interface Members {
  list(reader: Reader): Promise<RoomMember[]>;
  /** Puts somebody out, for good. Moderators put out members; the owner anyone else. Refuses `forbidden`. */
  remove(moderator: Moderator, name: string): Promise<void>;
  /** Whoever was put out may come back by an invitation. */
  readmit(moderator: Moderator, name: string): Promise<void>;
  setRole(owner: Owner, name: string, role: Exclude<Role, "owner">): Promise<void>;
  /** The owner becomes a moderator. */
  handOver(owner: Owner, name: string): Promise<void>;
  /** Refuses `owner_stays`: the owner hands the room over first, or deletes it. */
  leave(reader: Reader, user: UserId): Promise<void>;
  /** No further than there are messages, and never back. */
  markRead(reader: Pick<Reader, "room" | "role">, user: UserId, seq: number): Promise<void>;
  markAllRead(actor: Actor): Promise<void>;
  /** Out of every room, because the account goes; others take over what they own. */
  withdraw(user: UserId): Promise<void>;
}

export function createMembers({ store, bus }: { store: MemberStore; bus: Bus }): Members {
  /** Names are unique, so a form may name a member. Refuses `not_found`. */
  async function named({ room }: Pick<Member, "room">, name: string): Promise<RoomMember> {
    const found = (await store.ofRoom(room.id)).find((member) => member.name === name);
    if (!found) throw new Refused("not_found");
    return found;
  }

  function tell({ room }: { room: RoomPlace }, userId: UserId): void {
    bus.publish({ type: "membership.ended", roomId: room.id, room: room.slug, userId });
  }

  return {
    list: ({ room }) => store.ofRoom(room.id),

    async remove(moderator, name) {
      const other = await named(moderator, name);
      const mayRemove = other.role === "member" || (moderator.role === "owner" && other.role !== "owner");
      const done = mayRemove && (await store.setRole(moderator.room.id, other.id, "removed"));
      if (!done) throw new Refused("forbidden");
      tell(moderator, other.id);
    },

    async readmit(moderator, name) {
      const other = await named(moderator, name);
      if (other.role === "removed") await store.forget(moderator.room.id, other.id);
    },

    async setRole(owner, name, role) {
      const other = await named(owner, name);
      if (other.role === "owner" || other.role === "removed") throw new Refused("forbidden");
      await store.setRole(owner.room.id, other.id, role);
    },

    async handOver(owner, name) {
      const other = await named(owner, name);
      if (other.role === "owner" || other.role === "removed") throw new Refused("forbidden");
      await store.handOver(owner.room.id, owner.author, other.id);
    },

    async leave(reader, user) {
      if (reader.role === "owner") throw new Refused("owner_stays");
      // A direct room stays that of its two people.
      if (reader.role === null || reader.room.kind === "direct") throw new Refused("forbidden");
      await store.forget(reader.room.id, user);
      tell(reader, user);
    },

    async markRead({ room, role }, user, seq) {
      if (role !== null) await store.markRead(room.id, user, seq);
    },

    markAllRead: (actor) => store.markAllRead(signedIn(actor).id),

    async withdraw(user) {
      const { left, removed } = await store.withdraw(user);
      for (const room of left) tell({ room }, user);
      for (const { id: roomId, slug: room } of removed) bus.publish({ type: "room.removed", roomId, room });
    },
  };
}
