/** What staff do: to people, to rooms from outside, and to single messages. Every act is in the audit log. */
import type { Account, AccountRank, Audit, By, Standing } from "../accounts/ports.ts";
import type { MessageId } from "../shared/ids.ts";
import { strip } from "../shared/text.ts";
import { asStaff, type Actor, type Staff, type Superuser } from "./access.ts";
import type { Messages, Submitted } from "./messages.ts";
import type { MessageStore, Room } from "./ports.ts";
import { Refused } from "./refusal.ts";
import type { Rooms } from "./rooms.ts";
import type { Stored } from "./writer.ts";

/** Where a message stands; its text is for those who read the room. */
export interface MessagePlace {
  id: MessageId;
  room: string;
}

/** All of these refuse `not_found`, and `forbidden` where the other is the same person, or of too high a rank. */
export interface StaffActs {
  find(staff: Staff, name: string): Promise<Account>;
  /** From the next message on, by whatever way it is sent. */
  mute(staff: Staff, name: string, muted: boolean): Promise<Account>;
  /** Requests and sockets of theirs are over at once. */
  disable(staff: Staff, name: string, disabled: boolean): Promise<Account>;
  endSessions(staff: Staff, name: string): Promise<Account>;
  /** At least this rank. */
  grant(superuser: Superuser, name: string, rank: Granted): Promise<Account>;
  /** Less than this rank. */
  take(superuser: Superuser, name: string, rank: Granted): Promise<Account>;
  closeRoom(staff: Staff, slug: string, closed: boolean): Promise<Room>;
  /** Refuses `bad_name`. */
  renamePublic(staff: Staff, name: string): Promise<Room>;
  findMessage(staff: Staff, id: MessageId): Promise<MessagePlace>;
  /** For good. Answers with the room's slug. */
  removeMessage(staff: Staff, id: MessageId): Promise<string>;
  /** By whoever may. What people remove who are no staff is in no log. */
  submitRemoval(actor: Actor, address: string, id: MessageId): Promise<Submitted>;
}

export type Granted = Exclude<AccountRank, "user">;

export function createStaffActs(deps: {
  standing: Standing;
  rooms: Pick<Rooms, "close" | "renamePublic">;
  messages: Pick<Messages, "submitRemoval">;
  store: Pick<MessageStore, "find">;
  audit: Audit;
}): StaffActs {
  const { standing, rooms, messages, store, audit } = deps;

  async function find(_staff: Staff, name: string): Promise<Account> {
    const account = await standing.find(name);
    if (!account) throw new Refused("not_found");
    return account;
  }

  async function other(staff: Staff, name: string): Promise<Account> {
    const account = await find(staff, name);
    if (account.id === staff.actor.id) throw new Refused("forbidden");
    return account;
  }

  /** Staff look after people; only superusers look after staff. */
  async function subordinate(staff: Staff, name: string): Promise<Account> {
    const account = await other(staff, name);
    const isHigh = account.isStaff || account.isSuperuser;
    if (isHigh && staff.actor.rank !== "superuser") throw new Refused("forbidden");
    return account;
  }

  async function recorded(staff: Staff, { stored }: Submitted): Promise<Stored> {
    const removed = await stored;
    const subject = `message:${removed.message.id}`;
    await audit.record("message.removed", byOf(staff), subject, `room:${removed.room.slug}`);
    return removed;
  }

  return {
    find,

    mute: async (staff, name, muted) => standing.mute(await subordinate(staff, name), muted, byOf(staff)),

    disable: async (staff, name, disabled) =>
      standing.disable(await subordinate(staff, name), disabled, byOf(staff)),

    async endSessions(staff, name) {
      const account = await subordinate(staff, name);
      await standing.endSessions(account, byOf(staff));
      return account;
    },

    async grant(superuser, name, rank) {
      const account = await other(superuser, name);
      return account.isSuperuser ? account : standing.setRank(account, rank, byOf(superuser));
    },

    async take(superuser, name, rank) {
      const account = await other(superuser, name);
      if (rank === "staff") return standing.setRank(account, "user", byOf(superuser));
      return account.isSuperuser ? standing.setRank(account, "staff", byOf(superuser)) : account;
    },

    async closeRoom(staff, slug, closed) {
      const room = await rooms.close(staff, slug, closed);
      if (room.isClosed !== closed)
        await audit.record(closed ? "room.closed" : "room.opened", byOf(staff), `room:${slug}`);
      return { ...room, isClosed: closed };
    },

    async renamePublic(staff, name) {
      const room = await rooms.renamePublic(staff, name);
      await audit.record("room.renamed", byOf(staff), `room:${room.slug}`, strip(name));
      return { ...room, name: strip(name) };
    },

    async findMessage(_staff, id) {
      const place = await store.find(id);
      if (!place) throw new Refused("not_found");
      return { id, room: place.slug };
    },

    async removeMessage(staff, id) {
      const submitted = await messages.submitRemoval(staff.actor, id);
      return (await recorded(staff, submitted)).room.slug;
    },

    async submitRemoval(actor, address, id) {
      const submitted = await messages.submitRemoval(actor, id);
      const isStaff = actor.kind === "member" && actor.rank !== "user";
      return isStaff ? { stored: recorded(asStaff(actor, address), submitted) } : submitted;
    },
  };
}

function byOf({ actor: { id, name }, address }: Staff): By {
  return { id, name, address };
}
