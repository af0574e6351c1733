/**
 * The stores of chat over the database in memory. Every step takes its time, and a commit may fail in the ways of a disk. It
 * passes what `src/testing/stores` asks of a message log; accounts, invitations, lists of rooms and unread counts have no
 * part in a simulation, and so no tables here.
 */
import { StorageLost, type MessageStore, type Page, type RoomStore } from "../../src/chat/ports.ts";
import type { MessageId, RoomId } from "../../src/shared/ids.ts";
import type { MessageView } from "../../src/shared/protocol.ts";
import { memberKey, type Database, type Transaction } from "./database.ts";

/** What was made to go wrong, and is no fault of what is tested. */
export class Trouble extends Error {}

export type Step = "read" | "begin" | "sync" | "answer";

export interface Disk {
  /** Resolves when that step is done. */
  pause(step: Step): Promise<void>;
  /** `failed`: nothing is stored. `lost`: nobody knows. */
  outcome(): "synced" | "failed" | "lost";
  /** Of what nobody knows: whether it is stored. */
  survives(): boolean;
}

/** What a store must not do, for the tests that see it noticed. */
export interface StoreHabits {
  /** Says that it is stored before it is synced. */
  answersEarly?: boolean;
  /** Lets others read what is not synced. */
  showsEarly?: boolean;
  /** Stores a key as often as it is sent. */
  forgetsKeys?: boolean;
}

/** A disk that is always ready and never fails. */
export const PERFECT: Disk = {
  pause: () => Promise.resolve(),
  outcome: () => "synced",
  survives: () => true,
};

export function createMessageStore(db: Database, disk: Disk, habits: StoreHabits = {}): MessageStore {
  let turn: Promise<unknown> = Promise.resolve();

  async function settle(transaction: Transaction): Promise<void> {
    await disk.pause("sync");
    const outcome = disk.outcome();
    if (outcome === "synced" || (outcome === "lost" && disk.survives())) db.sync(transaction);
    else if (!transaction.isVisible) db.drop(transaction);
    if (outcome === "failed") throw new Trouble("the database is busy");
    if (outcome === "lost") throw new StorageLost("the disk has failed");
  }

  async function commit(...[batch, join]: Parameters<MessageStore["write"]>) {
    await disk.pause("begin");
    const rooms = batch.map((write) => write.kind === "post" && write.room);
    const joined = join?.((write) => write.kind === "post" && rooms.includes(write.room)) ?? [];
    if (habits.forgetsKeys) db.tables().keys.clear();
    const transaction = db.begin([...batch, ...joined]);
    if (habits.answersEarly || habits.showsEarly) db.show(transaction);
    if (habits.answersEarly) void settle(transaction).catch(() => {});
    else await settle(transaction);
    await disk.pause("answer");
    return transaction.written;
  }

  async function read<T>(reading: () => T): Promise<T> {
    await disk.pause("read");
    const seen = reading();
    await disk.pause("read");
    return seen;
  }

  const journalOf = (room: RoomId) => db.tables().rooms.get(room)?.journal ?? [];
  const present = (view: MessageView) => db.tables().rows.get(view.id as MessageId)?.view ?? view;

  /** The places of a room as they are now, the last first. */
  function* descending(room: RoomId): Generator<MessageView> {
    for (const view of journalOf(room).toReversed()) if (view.seq === view.rev) yield shown(present(view));
  }

  function page(room: RoomId, newestFirst: MessageView[], limit: number): Page {
    const messages = newestFirst.slice(0, limit).toReversed();
    const previousAt = newestFirst[limit]?.createdAt ?? null;
    return { messages, previousAt, head: journalOf(room).length };
  }

  return {
    epoch: () => db.tables().epoch,

    write(batch, join) {
      const written = turn.then(() => commit(batch, join));
      turn = written.catch(() => {});
      return written;
    },

    find: (id) =>
      read(() => {
        const row = db.tables().rows.get(id);
        if (!row || row.view.deletedAt != null) return null;
        return { room: row.room, slug: db.tables().rooms.get(row.room)?.slug ?? "", author: row.author };
      }),

    page: (room, { before = Infinity, limit, removed = false }) =>
      read(() => {
        const isWanted = ({ id, deletedAt }: MessageView) => id < before && (removed || deletedAt == null);
        return page(room, [...descending(room)].filter(isWanted), limit);
      }),

    around: (room, id, limit) =>
      read(() => {
        const all = [...descending(room)];
        const at = all.findIndex((message) => message.id === id);
        if (at < 0) return null;
        const first = Math.max(0, at + 1 - Math.ceil(limit / 2));
        return page(room, all.slice(first), limit);
      }),

    changesSince: (room, rev, limit) =>
      read(() => {
        const journal = journalOf(room);
        const changes: MessageView[] = [];
        for (let i = rev; i < journal.length; i++) {
          const view = journal[i] as MessageView;
          if (present(view).rev !== view.rev) continue;
          if (changes.length === limit)
            return { head: journal.length, to: changes.at(-1)?.rev ?? rev, changes };
          changes.push(view);
        }
        return { head: journal.length, to: journal.length, changes };
      }),

    heads: (rooms) =>
      read(() => {
        const known = rooms.filter((room) => db.tables().rooms.has(room));
        return new Map(known.map((room) => [room, journalOf(room).length]));
      }),
  };
}

/** Finds rooms, and knows who belongs to them. */
export function createEntries(db: Database, disk: Disk): Pick<RoomStore, "entry"> {
  return {
    async entry(slug, user) {
      await disk.pause("read");
      const { rooms, members, users } = db.tables();
      const hall = [...rooms.values()].find((room) => room.slug === slug);
      if (!hall) return null;
      const { journal, ...room } = hall;
      const role = user === null ? null : (members.get(memberKey(hall.id, user)) ?? null);
      const isMuted = user !== null && users.get(user)?.isMuted === true;
      const readSeq = role && 0;
      const entry = { room: { ...room, head: journal.length }, role, readSeq, isMuted };
      await disk.pause("read");
      return entry;
    },
  };
}

/** A page carries no keys. */
function shown(view: MessageView): MessageView {
  const { key, ...rest } = view;
  return key === undefined ? view : rest;
}
