/**
 * Writing messages: one transaction for a whole batch, by hand and with prepared statements, because this is the hot path.
 * Everything inside is synchronous: a transaction that awaits would commit at its first await.
 */
import {
  StorageLost,
  type NewMessage,
  type RoomPlace,
  type Write,
  type WriteRefusal,
  type Written,
} from "../../chat/ports.ts";
import type { MessageId, RoomId, UserId } from "../../shared/ids.ts";
import type { MessageView } from "../../shared/protocol.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { isLost } from "./failures.ts";
import type { SqliteDatabase } from "./open.ts";
import { FROM, VIEW } from "./message-view.ts";

/** A room that the batch writes in, with the last number given so far. */
interface Hall {
  place: RoomPlace;
  isClosed: number;
  head: number;
}

interface Author {
  name: string;
  avatar: string | null;
  isHere: number;
  isMuted: number;
}

type Place = Pick<MessageView, "seq"> & { roomId: RoomId; author: UserId; text: string };

/** What the batch has looked up; nothing of it outlives the transaction. */
interface Known {
  halls: Map<RoomId, Hall | null>;
  authors: Map<UserId, Author | null>;
  refusals: Map<string, WriteRefusal | null>;
}

export function createWriting(db: SqliteDatabase): (batch: readonly Write[]) => Written[] {
  const { $client: client } = db;

  const roomOf = client.query<RoomPlace & Omit<Hall, "place">, [number]>(
    "SELECT id, slug, is_closed AS isClosed, head FROM rooms WHERE id = ?",
  );
  const authorOf = client.query<Author, [number]>(
    "SELECT name, avatar, is_active AND deleted_at IS NULL AS isHere, is_muted AS isMuted FROM users WHERE id = ?",
  );
  const isMember = client.query<unknown, [number, number]>(
    "SELECT 1 FROM members WHERE room_id = ? AND user_id = ? AND role <> 'removed'",
  );
  const insert = client.query<
    never,
    [room: number, seq: number, author: number, name: string, key: string, text: string, createdAt: number]
  >(
    `INSERT INTO messages (room_id, seq, rev, author_id, author_name, client_key, text, created_at)
     VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (author_id, client_key) DO NOTHING`,
  );
  const byKey = client.query<MessageView & { roomId: RoomId }, [author: number, key: string]>(
    `SELECT ${VIEW}, m.client_key AS key, m.room_id AS roomId ${FROM} WHERE m.author_id = ? AND m.client_key = ?`,
  );
  const placeOf = client.query<Place, [id: number]>(
    "SELECT seq, room_id AS roomId, author_id AS author, text FROM messages WHERE id = ? AND deleted_at IS NULL",
  );
  const reword = client.query<never, [text: string, at: number, rev: number, id: number]>(
    "UPDATE messages SET text = ?1, edited_at = ?2, rev = ?3 WHERE id = ?4",
  );
  const empty = client.query<never, [at: number, rev: number, id: number]>(
    "UPDATE messages SET text = '', deleted_at = ?1, rev = ?2 WHERE id = ?3",
  );
  const byId = client.query<MessageView, [id: number]>(
    `SELECT ${VIEW}, m.client_key AS key ${FROM} WHERE m.id = ?`,
  );
  const setHead = client.query<never, [head: number, room: number]>(
    "UPDATE rooms SET head = ?1 WHERE id = ?2",
  );

  const view = (id: MessageId) => found(byId.get(id), "row");

  const hallOf = ({ halls }: Known, room: RoomId) =>
    remembered(halls, room, () => {
      const row = roomOf.get(room);
      return row && { place: { id: row.id, slug: row.slug }, isClosed: row.isClosed, head: row.head };
    });

  /** Why this author may not write in this room now; null when they may. Asked once a batch. */
  function refusal(known: Known, room: RoomId, author: UserId): WriteRefusal | null {
    return remembered(known.refusals, `${room} ${author}`, () => {
      const hall = hallOf(known, room);
      const person = remembered(known.authors, author, () => authorOf.get(author));
      if (!person?.isHere) return "login_required";
      if (!hall || (hall.place.slug !== PUBLIC_ROOM && !isMember.get(room, author))) return "not_found";
      if (person.isMuted) return "muted";
      return hall.isClosed ? "room_closed" : null;
    });
  }

  /** The repeat of a message that was stored is answered even where its author may not write any more. */
  function post(known: Known, message: NewMessage): Written {
    const { room, author, key, text, createdAt } = message;
    const code = refusal(known, room, author);
    if (code) return repeated(known, message) ?? { outcome: "refused", code };
    const [hall, person] = [found(known.halls.get(room), "room"), found(known.authors.get(author), "author")];
    const seq = hall.head + 1;
    const { changes, lastInsertRowid } = insert.run(room, seq, author, person.name, key, text, createdAt);
    if (changes === 0) return found(repeated(known, message), "key");
    hall.head = seq;
    const { name, avatar } = person;
    const placed = { id: Number(lastInsertRowid), seq, rev: seq, author: name, avatar };
    const posted = { ...placed, text, createdAt, editedAt: null, deletedAt: null, key };
    return { outcome: "stored", room: hall.place, message: posted };
  }

  /** Null when this author has not used the key before. A text that has been edited or removed since is not compared. */
  function repeated(known: Known, { room, author, key, text }: NewMessage): Written | null {
    const sent = byKey.get(author, key);
    if (!sent) return null;
    const { roomId, ...message } = sent;
    const hall = hallOf(known, roomId);
    const isSame = message.text === text || message.editedAt !== null || message.deletedAt !== null;
    if (roomId !== room || !hall || !isSame) return { outcome: "refused", code: "key_reused" };
    return { outcome: "repeated", room: hall.place, message };
  }

  function edit(known: Known, { id, author, text, at }: Extract<Write, { kind: "edit" }>): Written {
    const place = placeOf.get(id);
    if (!place) return { outcome: "refused", code: "not_found" };
    const code = refusal(known, place.roomId, author) ?? (place.author === author ? null : "forbidden");
    if (code) return { outcome: "refused", code };
    const hall = found(known.halls.get(place.roomId), "room");
    if (place.text === text) return { outcome: "repeated", room: hall.place, message: view(id) };
    reword.run(text, at, ++hall.head, id);
    return { outcome: "stored", room: hall.place, message: view(id) };
  }

  function remove(known: Known, { id, at }: Extract<Write, { kind: "remove" }>): Written {
    const place = placeOf.get(id);
    if (!place) return { outcome: "refused", code: "not_found" };
    const hall = found(hallOf(known, place.roomId), "room");
    empty.run(at, ++hall.head, id);
    return { outcome: "stored", room: hall.place, message: view(id) };
  }

  function writeOne(known: Known, write: Write): Written {
    switch (write.kind) {
      case "post":
        return post(known, write);
      case "edit":
        return edit(known, write);
      case "remove":
        return remove(known, write);
    }
  }

  const writeAll = client.transaction((batch: readonly Write[]): Written[] => {
    const known: Known = { halls: new Map(), authors: new Map(), refusals: new Map() };
    const written = batch.map((write) => writeOne(known, write));
    for (const hall of known.halls.values()) if (hall) setHead.run(hall.head, hall.place.id);
    return written;
  }).immediate;

  return (batch) => {
    try {
      return writeAll(batch);
    } catch (error) {
      throw isLost(error) ? new StorageLost("the disk has failed", { cause: error }) : error;
    }
  };
}

function remembered<Key, Value>(memory: Map<Key, Value>, key: Key, look: () => Value): Value {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const value = look();
  memory.set(key, value);
  return value;
}

function found<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`the message's ${what} does not exist`);
  return value;
}
