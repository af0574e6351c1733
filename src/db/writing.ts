/**
 * The rules of writing messages, whatever the database: who may, what is a repeat, and which number a change takes. They
 * are plain functions over a ledger, within one transaction that the database has begun and ends.
 */
import type { NewMessage, RoomPlace, Write, WriteRefusal, Written } from "../chat/ports.ts";
import type { ClientKey, MessageId, RoomId, SessionId, UserId } from "../shared/ids.ts";
import type { MessageView } from "../shared/protocol.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";

/** What the rules look up, as of this moment in the transaction, and what they change. Numbers are SQLite's flags. */
export interface Ledger {
  /** Whose session it is; null for one that is over. */
  whose(session: SessionId): UserId | null;
  room(id: RoomId): LedgerRoom | null;
  author(id: UserId): LedgerAuthor | null;
  isMember(room: RoomId, author: UserId): boolean;
  /** What this author has sent with the key, as it is now. */
  sent(author: UserId, key: ClientKey): LedgerMessage | null;
  /** Null for a message that does not exist or is removed. */
  place(id: MessageId): LedgerPlace | null;
  /** Throws when there is no such message. */
  view(id: MessageId): MessageView;
  /** Answers with the id; null, and nothing is stored, when this author has sent something with the key. */
  insert(message: NewMessage, seq: number, author: LedgerAuthor): number | null;
  reword(id: MessageId, text: string, at: number, rev: number): void;
  empty(id: MessageId, at: number, rev: number): void;
  setHead(room: RoomId, head: number): void;
}

export interface LedgerRoom extends RoomPlace {
  isClosed: boolean | number;
  head: number;
}

export interface LedgerAuthor {
  name: string;
  avatar: string | null;
  isHere: boolean | number;
  isMuted: boolean | number;
}

export type LedgerMessage = MessageView & { roomId: RoomId };

export interface LedgerPlace {
  roomId: RoomId;
  author: UserId;
  text: string;
}

/** A room that the batch writes in, with the last number given so far. */
interface Hall {
  place: RoomPlace;
  isClosed: boolean | number;
  before: number;
  head: number;
}

/** What the batch has looked up; nothing of it outlives the transaction. */
interface Known {
  owners: Map<SessionId, UserId | null>;
  halls: Map<RoomId, Hall | null>;
  authors: Map<UserId, LedgerAuthor | null>;
  refusals: Map<string, WriteRefusal | null>;
}

/** Writes the batch into the ledger, in its order. */
export function writeBatch(ledger: Ledger, batch: readonly Write[]): Written[] {
  const known: Known = { owners: new Map(), halls: new Map(), authors: new Map(), refusals: new Map() };
  const written = batch.map((write) => writeOne(ledger, known, write));
  for (const hall of known.halls.values())
    if (hall && hall.head > hall.before) ledger.setHead(hall.place.id, hall.head);
  return written;
}

function writeOne(ledger: Ledger, known: Known, write: Write): Written {
  switch (write.kind) {
    case "post":
      return post(ledger, known, write);
    case "edit":
      return edit(ledger, known, write);
    case "remove":
      return remove(ledger, known, write);
  }
}

/**
 * The repeat of a message that was stored is answered even where its author may not write any more, or is signed out: it
 * changes nothing, and whoever had no answer learns what came of it.
 */
function post(ledger: Ledger, known: Known, message: Extract<Write, { kind: "post" }>): Written {
  const { session, room, author, key, text, createdAt } = message;
  const code = signedOut(ledger, known, session, author) ?? refusal(ledger, known, room, author);
  if (code) return repeated(ledger, known, message) ?? { outcome: "refused", code };
  const [hall, person] = [found(known.halls.get(room), "room"), found(known.authors.get(author), "author")];
  const seq = hall.head + 1;
  const id = ledger.insert(message, seq, person);
  if (id === null) return found(repeated(ledger, known, message), "key");
  hall.head = seq;
  const { name, avatar } = person;
  const placed = { id, seq, rev: seq, author: name, avatar };
  const posted = { ...placed, text, createdAt, editedAt: null, deletedAt: null, key };
  return { outcome: "stored", room: hall.place, message: posted };
}

/** Null when this author has not used the key before. A text that has been edited or removed since is not compared. */
function repeated(ledger: Ledger, known: Known, { room, author, key, text }: NewMessage): Written | null {
  const sent = ledger.sent(author, key);
  if (!sent) return null;
  const { roomId, ...message } = sent;
  const hall = roomId === room ? hallOf(ledger, known, room) : null;
  const isSame = message.text === text || message.editedAt !== null || message.deletedAt !== null;
  if (!hall || !isSame) return { outcome: "refused", code: "key_reused" };
  return { outcome: "repeated", room: hall.place, message };
}

function edit(ledger: Ledger, known: Known, write: Extract<Write, { kind: "edit" }>): Written {
  const { session, id, author, text, at } = write;
  // Before the message is looked up: whoever is signed out does not learn which there are.
  const over = signedOut(ledger, known, session, author);
  if (over) return { outcome: "refused", code: over };
  const place = ledger.place(id);
  if (!place) return { outcome: "refused", code: "not_found" };
  // As with a message that is sent again: it changes nothing.
  if (place.author === author && place.text === text) {
    const hall = found(hallOf(ledger, known, place.roomId), "room");
    return { outcome: "repeated", room: hall.place, message: ledger.view(id) };
  }
  const code = refusal(ledger, known, place.roomId, author) ?? (place.author === author ? null : "forbidden");
  if (code) return { outcome: "refused", code };
  const hall = found(known.halls.get(place.roomId), "room");
  ledger.reword(id, text, at, ++hall.head);
  return { outcome: "stored", room: hall.place, message: ledger.view(id) };
}

function remove(ledger: Ledger, known: Known, write: Extract<Write, { kind: "remove" }>): Written {
  const { session, id, by, at } = write;
  const over = signedOut(ledger, known, session, by);
  if (over) return { outcome: "refused", code: over };
  const place = ledger.place(id);
  if (!place) return { outcome: "refused", code: "not_found" };
  const hall = found(hallOf(ledger, known, place.roomId), "room");
  ledger.empty(id, at, ++hall.head);
  return { outcome: "stored", room: hall.place, message: ledger.view(id) };
}

/** Nobody writes under a session that is over, or that is somebody else's. Asked once a batch. */
function signedOut(ledger: Ledger, known: Known, session: SessionId, user: UserId): "login_required" | null {
  const owner = remembered(known.owners, session, () => ledger.whose(session));
  return owner === user ? null : "login_required";
}

/** Why this author may not write in this room now; null when they may. Asked once a batch. */
function refusal(ledger: Ledger, known: Known, room: RoomId, author: UserId): WriteRefusal | null {
  return remembered(known.refusals, `${room} ${author}`, () => {
    const hall = hallOf(ledger, known, room);
    const person = remembered(known.authors, author, () => ledger.author(author));
    if (!person?.isHere) return "login_required";
    if (!hall || (hall.place.slug !== PUBLIC_ROOM && !ledger.isMember(room, author))) return "not_found";
    if (person.isMuted) return "muted";
    return hall.isClosed ? "room_closed" : null;
  });
}

function hallOf(ledger: Ledger, { halls }: Known, room: RoomId): Hall | null {
  return remembered(halls, room, () => {
    const row = ledger.room(room);
    if (!row) return null;
    const { id, slug, isClosed, head } = row;
    return { place: { id, slug }, isClosed, before: head, head };
  });
}

function remembered<Key, Value>(memory: Map<Key, Value>, key: Key, look: () => Value): Value {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const value = look();
  memory.set(key, value);
  return value;
}

export function found<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`the message's ${what} does not exist`);
  return value;
}
