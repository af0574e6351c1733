/**
 * The message log on SQLite, by hand and with prepared statements: this is the hot path. Everything inside a
 * transaction is synchronous, because one that awaits would commit at its first await.
 */
import type { Statement } from "bun:sqlite";
import type { Appended, MessageStore, NewMessage, Page, Removed } from "../../chat/ports.ts";
import type { MessageId, RoomId, UserId } from "../../shared/ids.ts";
import type { MessageView } from "../../shared/protocol.ts";
import type { SqliteDatabase } from "./open.ts";
import { installation } from "./schema.ts";

/** A message as readers see it; an account that is gone leaves its name. */
const VIEW = `m.id, m.seq, m.rev, coalesce(u.name, m.author_name) AS author, u.avatar, m.text, m.created_at AS createdAt,
  m.deleted_at AS deletedAt`;
const FROM = `FROM messages m LEFT JOIN users u ON u.id = m.author_id`;

export function createMessageStore(db: SqliteDatabase): MessageStore {
  const { $client: client } = db;
  const sql = <Row, Params extends Record<string, string | number>>(text: string) =>
    client.query(text) as unknown as Statement<Row, [Params]>;

  const nextNumber = sql<{ head: number }, { room: number }>(
    `UPDATE rooms SET head = head + 1 WHERE id = $room RETURNING head`,
  );
  const headOf = sql<{ head: number }, { room: number }>(`SELECT head FROM rooms WHERE id = $room`);
  const byKey = sql<MessageView & { roomId: RoomId }, { author: number; key: string }>(
    `SELECT ${VIEW}, m.client_key AS key, m.room_id AS roomId ${FROM} WHERE m.author_id = $author AND m.client_key = $key`,
  );
  const insert = sql<{ id: number }, Pick<NewMessage, keyof NewMessage> & { seq: number }>(
    `INSERT INTO messages (room_id, seq, rev, author_id, author_name, client_key, text, created_at)
     SELECT $room, $seq, $seq, u.id, u.name, $key, $text, $createdAt FROM users u WHERE u.id = $author RETURNING id`,
  );
  const authorOf = sql<{ author: string; avatar: string | null }, { author: number }>(
    `SELECT name AS author, avatar FROM users WHERE id = $author`,
  );
  const before = sql<MessageView, { room: number; before: number; limit: number; removed: number }>(
    `SELECT ${VIEW} ${FROM} WHERE m.room_id = $room AND m.id < $before AND ($removed OR m.deleted_at IS NULL)
     ORDER BY m.id DESC LIMIT $limit`,
  );
  const from = sql<MessageView, { room: number; from: number; limit: number }>(
    `SELECT ${VIEW} ${FROM} WHERE m.room_id = $room AND m.id >= $from ORDER BY m.id LIMIT $limit`,
  );
  const since = sql<MessageView, { room: number; rev: number; limit: number }>(
    `SELECT ${VIEW}, m.client_key AS key ${FROM} WHERE m.room_id = $room AND m.rev > $rev ORDER BY m.rev LIMIT $limit`,
  );
  const placeOf = sql<{ room: RoomId; slug: string; author: UserId }, { id: number }>(
    `SELECT m.room_id AS room, r.slug, m.author_id AS author FROM messages m JOIN rooms r ON r.id = m.room_id
     WHERE m.id = $id AND m.deleted_at IS NULL`,
  );
  const empty = sql<never, { id: number; rev: number; now: number }>(
    `UPDATE messages SET text = '', deleted_at = $now, rev = $rev WHERE id = $id`,
  );
  const byId = sql<MessageView, { id: number }>(
    `SELECT ${VIEW}, m.client_key AS key ${FROM} WHERE m.id = $id`,
  );
  const epoch = db.select().from(installation).all()[0]?.epoch;
  if (!epoch) throw new Error("the database has no epoch");

  function appendOne(message: NewMessage): Appended {
    const sent = byKey.get({ author: message.author, key: message.key });
    if (sent) {
      const { roomId, ...repeated } = sent;
      const { text, deletedAt } = repeated;
      const same = roomId === message.room && (text === message.text || deletedAt !== null);
      return same ? { outcome: "repeated", message: repeated } : { outcome: "key_reused" };
    }
    const { head: seq } = found(nextNumber.get({ room: message.room }), "room");
    const { id } = found(insert.get({ ...message, seq }), "author");
    const { author, avatar } = found(authorOf.get({ author: message.author }), "author");
    const { key, text, createdAt } = message;
    return {
      outcome: "appended",
      message: { id, seq, rev: seq, author, avatar, text, createdAt, deletedAt: null, key },
    };
  }
  const appendAll = client.transaction((batch: readonly NewMessage[]) => batch.map(appendOne)).immediate;
  const removeOne = client.transaction((id: MessageId, now: number): Removed | null => {
    const place = placeOf.get({ id });
    if (!place) return null;
    const { room, slug } = place;
    const { head: rev } = found(nextNumber.get({ room }), "room");
    empty.run({ id, rev, now });
    return { room, slug, message: found(byId.get({ id }), "row") };
  }).immediate;
  const read = <T>(reading: () => T): T => client.transaction(reading)();
  const head = (room: RoomId) => headOf.get({ room })?.head ?? 0;

  /** One row more than asked for tells whether, and when, there was something before. */
  function page(room: RoomId, descending: MessageView[], limit: number, hasNewer: boolean): Page {
    const messages = descending.slice(0, limit).toReversed();
    return { messages, previousAt: descending[limit]?.createdAt ?? null, hasNewer, head: head(room) };
  }

  return {
    epoch: () => epoch,

    async append(batch) {
      return appendAll(batch);
    },

    async remove(id, now) {
      return removeOne(id, now);
    },

    async find(id) {
      return placeOf.get({ id });
    },

    async page(room, { before: id = Number.MAX_SAFE_INTEGER, limit, removed = false }) {
      return read(() => {
        const rows = before.all({ room, before: id, limit: limit + 1, removed: Number(removed) });
        const hasNewer = id !== Number.MAX_SAFE_INTEGER && from.get({ room, from: id, limit: 1 }) !== null;
        return page(room, rows, limit, hasNewer);
      });
    },

    async around(room, id: MessageId, limit) {
      return read(() => {
        const after = from.all({ room, from: id, limit: Math.ceil(limit / 2) + 1 });
        if (after[0]?.id !== id) return null;
        const newer = after.slice(0, Math.ceil(limit / 2));
        const older = before.all({ room, before: id, limit: limit - newer.length + 1, removed: 1 });
        const descending = [...newer.toReversed(), ...older];
        return page(room, descending, limit, after.length > newer.length);
      });
    },

    async changesSince(room, rev, limit) {
      return read(() => {
        const changes = since.all({ room, rev, limit: limit + 1 });
        return changes.length > limit ? null : { head: head(room), changes };
      });
    },
  };
}

function found<T>(row: T | null | undefined, what: string): T {
  if (!row) throw new Error(`the message's ${what} does not exist`);
  return row;
}
