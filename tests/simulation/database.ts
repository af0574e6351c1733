/**
 * A database in memory whose transactions go through two steps, as on a disk: written, which the power may undo, and synced,
 * which is for ever. It keeps the state that every change left behind, for whoever checks what has been told of it.
 */
import type { Role, Room, RoomPlace, Write, WriteRefusal, Written } from "../../src/chat/ports.ts";
import type { MessageId, RoomId, SessionId, UserId } from "../../src/shared/ids.ts";
import type { MessageView } from "../../src/shared/protocol.ts";

export interface Tables {
  epoch: string;
  rooms: Map<RoomId, Hall>;
  users: Map<UserId, Person>;
  /** By room and user. */
  members: Map<string, Role>;
  rows: Map<MessageId, Row>;
  /** By author and key. */
  keys: Map<string, MessageId>;
  lastId: number;
}

export interface Hall extends Omit<Room, "head"> {
  /** What each change left behind: the change with number n stands at n - 1. */
  journal: MessageView[];
}

interface Person {
  name: string;
  isMuted: boolean;
}

export interface Row {
  room: RoomId;
  author: UserId;
  view: MessageView;
}

export interface Transaction {
  written: Written[];
  changes: { room: RoomId; author: UserId; view: MessageView; before: Row | undefined }[];
  keys: Map<string, MessageId>;
  isVisible: boolean;
}

export interface Database {
  tables(): Tables;
  /** Works a batch out. Throws for what cannot be stored at all. */
  begin(batch: readonly Write[]): Transaction;
  /** From now on readers see it. */
  show(transaction: Transaction): void;
  /** It is on stable storage. */
  sync(transaction: Transaction): void;
  drop(transaction: Transaction): void;
  /** Some of what was written and not synced is there all the same, in the order of writing; the rest is gone. */
  crash(survivors: (written: number) => number): void;
  /** What a backup holds of this moment. */
  copy(): Tables;
  restore(copy: Tables, epoch: string): void;
}

/** `sessions`: whose each of them is. No backup brings them back. */
export function createDatabase(initial: Tables, sessions: ReadonlyMap<SessionId, UserId>): Database {
  let tables = initial;
  let unsynced: Transaction[] = [];

  function begin(batch: readonly Write[]): Transaction {
    const transaction: Transaction = { written: [], changes: [], keys: new Map(), isVisible: false };
    const work = createWork(tables, sessions, transaction);
    for (const write of batch) transaction.written.push(work(write));
    unsynced.push(transaction);
    return transaction;
  }

  function show(transaction: Transaction): void {
    if (transaction.isVisible) return;
    transaction.isVisible = true;
    for (const { room, author, view } of transaction.changes) {
      tables.rooms.get(room)?.journal.push(view);
      tables.rows.set(view.id as MessageId, { room, author, view });
      tables.lastId = Math.max(tables.lastId, view.id);
    }
    for (const [key, id] of transaction.keys) tables.keys.set(key, id);
  }

  function undo({ changes, keys }: Transaction): void {
    for (const { room, view, before } of changes.toReversed()) {
      tables.rooms.get(room)?.journal.pop();
      if (before) tables.rows.set(view.id as MessageId, before);
      else tables.rows.delete(view.id as MessageId);
    }
    for (const key of keys.keys()) tables.keys.delete(key);
  }

  function drop(transaction: Transaction): void {
    unsynced = unsynced.filter((other) => other !== transaction);
    if (transaction.isVisible) undo(transaction);
  }

  function sync(transaction: Transaction): void {
    unsynced = unsynced.filter((other) => other !== transaction);
    show(transaction);
  }

  return {
    tables: () => tables,
    begin,
    show,
    sync,
    drop,
    crash(survivors) {
      const count = survivors(unsynced.length);
      for (const lost of unsynced.slice(count).toReversed()) drop(lost);
      unsynced.forEach(sync);
    },
    copy: () => copyOf(tables),
    restore: (copy, epoch) => void (tables = { ...copyOf(copy), epoch }),
  };
}

export function memberKey(room: RoomId, user: UserId): string {
  return `${room} ${user}`;
}

function copyOf(tables: Tables): Tables {
  const rooms = [...tables.rooms].map(
    ([id, hall]) => [id, { ...hall, journal: [...hall.journal] }] satisfies [RoomId, Hall],
  );
  return {
    ...tables,
    rooms: new Map(rooms),
    users: new Map(tables.users),
    members: new Map(tables.members),
    rows: new Map(tables.rows),
    keys: new Map(tables.keys),
  };
}

/** The rules of `MessageStore.write` over what is stored and what this transaction has done so far. */
function createWork(
  tables: Tables,
  sessions: ReadonlyMap<SessionId, UserId>,
  { changes, keys }: Transaction,
): (write: Write) => Written {
  const fresh = new Map<MessageId, Row>();
  const given = new Map<RoomId, number>();
  let lastId = tables.lastId;

  const rowOf = (id: MessageId) => fresh.get(id) ?? tables.rows.get(id);
  const placeOf = (room: RoomId): RoomPlace => ({ id: room, slug: tables.rooms.get(room)?.slug ?? "" });

  function refusal(room: RoomId, author: UserId): WriteRefusal | null {
    const [hall, person] = [tables.rooms.get(room), tables.users.get(author)];
    if (!person) return "login_required";
    if (!hall || (hall.kind !== "public" && !tables.members.has(memberKey(room, author)))) return "not_found";
    if (person.isMuted) return "muted";
    return hall.isClosed ? "room_closed" : null;
  }

  function change(
    row: Row | undefined,
    room: RoomId,
    author: UserId,
    view: Omit<MessageView, "rev">,
  ): Written {
    const rev = (given.get(room) ?? tables.rooms.get(room)?.journal.length ?? 0) + 1;
    const left = { room, author, view: { ...view, seq: row ? view.seq : rev, rev } };
    given.set(room, rev);
    fresh.set(view.id as MessageId, left);
    changes.push({ ...left, before: row });
    return { outcome: "stored", room: placeOf(room), message: left.view };
  }

  function post({ session, room, author, key, text, createdAt }: Extract<Write, { kind: "post" }>): Written {
    const name = `${author} ${key}`;
    const sent = rowOf((keys.get(name) ?? tables.keys.get(name) ?? 0) as MessageId);
    if (sent) return repeated(sent, room, text);
    const code = sessions.get(session) === author ? refusal(room, author) : "login_required";
    if (code) return { outcome: "refused", code };
    if (typeof text !== "string") throw new Error("a message has a text");
    const id = ++lastId as MessageId;
    keys.set(name, id);
    const shown = { author: tables.users.get(author)?.name ?? "", avatar: null, text, key };
    const times = { createdAt, editedAt: null, deletedAt: null };
    return change(undefined, room, author, { id, seq: 0, ...shown, ...times });
  }

  function repeated({ room: sentTo, view }: Row, room: RoomId, text: string): Written {
    const isSame = view.text === text || view.editedAt != null || view.deletedAt != null;
    if (sentTo !== room || !isSame) return { outcome: "refused", code: "key_reused" };
    return { outcome: "repeated", room: placeOf(sentTo), message: view };
  }

  function edit({ session, id, author, text, at }: Extract<Write, { kind: "edit" }>): Written {
    if (sessions.get(session) !== author) return { outcome: "refused", code: "login_required" };
    const row = rowOf(id);
    if (!row || row.view.deletedAt != null) return { outcome: "refused", code: "not_found" };
    if (row.author === author && row.view.text === text)
      return { outcome: "repeated", room: placeOf(row.room), message: row.view };
    const code = refusal(row.room, author) ?? (row.author === author ? null : "forbidden");
    if (code) return { outcome: "refused", code };
    return change(row, row.room, author, { ...row.view, text, editedAt: at });
  }

  function remove({ session, id, by, at }: Extract<Write, { kind: "remove" }>): Written {
    if (sessions.get(session) !== by) return { outcome: "refused", code: "login_required" };
    const row = rowOf(id);
    if (!row || row.view.deletedAt != null) return { outcome: "refused", code: "not_found" };
    return change(row, row.room, row.author, { ...row.view, text: "", deletedAt: at });
  }

  return (write) => {
    switch (write.kind) {
      case "post":
        return post(write);
      case "edit":
        return edit(write);
      case "remove":
        return remove(write);
    }
  };
}
