/** The message log on SQLite, by hand and with prepared statements: it is read for every page. */
import type { Statement } from "bun:sqlite";
import type { MessageStore, Page } from "../../chat/ports.ts";
import type { MessageId, RoomId, UserId } from "../../shared/ids.ts";
import type { MessageView } from "../../shared/protocol.ts";
import { FROM, VIEW } from "../message-view.ts";
import type { SqliteDatabase } from "./open.ts";
import { installation } from "./schema.ts";
import { demandSpace } from "./space.ts";
import { createWriting } from "./writing.ts";

export function createMessageStore(db: SqliteDatabase): MessageStore {
  const { $client: client } = db;
  const sql = <Row, Params extends Record<string, string | number>>(text: string) =>
    client.query(text) as unknown as Statement<Row, [Params]>;

  const headOf = sql<{ head: number }, { room: number }>(`SELECT head FROM rooms WHERE id = $room`);
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
  const epoch = db.select().from(installation).all()[0]?.epoch;
  if (!epoch) throw new Error("the database has no epoch");

  const writeAll = createWriting(db);
  const read = <T>(reading: () => T): T => client.transaction(reading)();
  const head = (room: RoomId) => headOf.get({ room })?.head ?? 0;

  /** One row more than asked for tells whether, and when, there was something before. */
  function page(room: RoomId, descending: MessageView[], limit: number): Page {
    const messages = descending.slice(0, limit).toReversed();
    return { messages, previousAt: descending[limit]?.createdAt ?? null, head: head(room) };
  }

  return {
    epoch: () => epoch,

    async write(batch) {
      demandSpace(client.filename);
      return writeAll(batch);
    },

    async find(id) {
      return placeOf.get({ id });
    },

    async page(room, { before: id = Number.MAX_SAFE_INTEGER, limit, removed = false }) {
      return read(() => {
        const rows = before.all({ room, before: id, limit: limit + 1, removed: Number(removed) });
        return page(room, rows, limit);
      });
    },

    async around(room, id: MessageId, limit) {
      return read(() => {
        const newer = from.all({ room, from: id, limit: Math.ceil(limit / 2) });
        if (newer[0]?.id !== id) return null;
        const older = before.all({ room, before: id, limit: limit - newer.length + 1, removed: 1 });
        const descending = [...newer.toReversed(), ...older];
        return page(room, descending, limit);
      });
    },

    async changesSince(room, rev, limit) {
      return read(() => {
        const changes = since.all({ room, rev, limit: limit + 1 });
        const last = head(room);
        const to = changes.length > limit ? (changes[limit - 1]?.rev ?? rev) : last;
        return { head: last, to, changes: changes.slice(0, limit) };
      });
    },

    async heads(rooms) {
      return read(
        () =>
          new Map(
            rooms.flatMap((room) => {
              const row = headOf.get({ room });
              return row ? [[room, row.head] as const] : [];
            }),
          ),
      );
    },
  };
}
