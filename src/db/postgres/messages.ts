/** The message log on PostgreSQL. Rows and head are of one snapshot, because one statement reads them. */
import type { MessageStore, Page } from "../../chat/ports.ts";
import type { MessageId, RoomId, UserId } from "../../shared/ids.ts";
import type { MessageView } from "../../shared/protocol.ts";
import { FROM, VIEW } from "../message-view.ts";
import type { PostgresDatabase } from "./open.ts";
import { installation } from "./schema.ts";
import { isConnectionLost } from "./failures.ts";
import { createWriting } from "./writing.ts";

/** `last` is the room's head; a room without such rows has one row that says nothing else. */
type Row = { last: number } & (MessageView | { id: null });

export interface PostgresMessages extends MessageStore {
  /** Resolves when nothing is being written any more. */
  close(): Promise<void>;
}

export async function createPostgresMessages(db: PostgresDatabase): Promise<PostgresMessages> {
  const { $client: sql } = db;
  const epoch = (await db.select().from(installation))[0]?.epoch;
  if (!epoch) throw new Error("the database has no epoch");

  const writing = createWriting(db);

  /** One row more than asked for tells whether, and when, there was something before. */
  function page({ head, messages: descending }: ReturnType<typeof parted>, limit: number): Page {
    const messages = descending.slice(0, limit).toReversed();
    return { messages, previousAt: descending[limit]?.createdAt ?? null, head };
  }

  return {
    epoch: () => epoch,
    write: async (batch, join) => (batch.length > 0 ? writing.write(batch, join) : []),
    close: () => writing.close(),

    async find(id) {
      const [place] = await readTwice(
        () => sql<{ room: RoomId; slug: string; author: UserId }[]>`
          SELECT m.room_id AS room, r.slug, m.author_id AS author FROM messages m JOIN rooms r ON r.id = m.room_id
          WHERE m.id = ${id} AND m.deleted_at IS NULL`,
      );
      return place ?? null;
    },

    async page(room, { before: id = Number.MAX_SAFE_INTEGER, limit, removed = false }) {
      const rows = await readTwice(
        () => sql<Row[]>`
          SELECT m.*, r.head AS last FROM rooms r LEFT JOIN LATERAL (
            SELECT ${sql.unsafe(`${VIEW} ${FROM}`)}
            WHERE m.room_id = ${room} AND m.id < ${id} AND (${removed} OR m.deleted_at IS NULL)
            ORDER BY m.id DESC LIMIT ${limit + 1}
          ) m ON true WHERE r.id = ${room} ORDER BY m.id DESC`,
      );
      return page(parted(rows), limit);
    },

    async around(room, id: MessageId, limit) {
      const half = Math.ceil(limit / 2);
      const rows = await readTwice(
        () => sql<Row[]>`
          SELECT m.*, r.head AS last FROM rooms r CROSS JOIN LATERAL (
            (SELECT ${sql.unsafe(`${VIEW} ${FROM}`)} WHERE m.room_id = ${room} AND m.id >= ${id}
             ORDER BY m.id LIMIT ${half})
            UNION ALL
            (SELECT ${sql.unsafe(`${VIEW} ${FROM}`)} WHERE m.room_id = ${room} AND m.id < ${id}
             ORDER BY m.id DESC LIMIT ${limit})
          ) m WHERE r.id = ${room} ORDER BY m.id DESC`,
      );
      const found = parted(rows);
      return found.messages.some((message) => message.id === id) ? page(found, limit) : null;
    },

    async changesSince(room, rev, limit) {
      const rows = await readTwice(
        () => sql<Row[]>`
          SELECT m.*, r.head AS last FROM rooms r LEFT JOIN LATERAL (
            SELECT ${sql.unsafe(`${VIEW}, m.client_key AS key ${FROM}`)}
            WHERE m.room_id = ${room} AND m.rev > ${rev} ORDER BY m.rev LIMIT ${limit + 1}
          ) m ON true WHERE r.id = ${room} ORDER BY m.rev`,
      );
      const { head, messages: changes } = parted(rows);
      const to = changes.length > limit ? (changes[limit - 1]?.rev ?? rev) : head;
      return { head, to, changes: changes.slice(0, limit) };
    },

    async heads(rooms) {
      const rows = await readTwice(
        () => sql<{ id: RoomId; head: number }[]>`
          SELECT id, head FROM rooms WHERE id = ANY(${[...rooms]}::bigint[])`,
      );
      return new Map(rows.map(({ id, head }) => [id, head]));
    },
  };
}

/** The head of a room that does not exist is 0. */
function parted(rows: readonly Row[]): { head: number; messages: MessageView[] } {
  const messages = rows.flatMap(({ last: _last, ...message }) => (message.id === null ? [] : [message]));
  return { head: rows[0]?.last ?? 0, messages };
}

/** Milliseconds: what is sent at once may still go by a connection that is just closing. */
const PAUSE = 20;

/** Only for what changes nothing: nobody knows how far the first try came. */
async function readTwice<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
    await Bun.sleep(PAUSE);
    return read();
  }
}
