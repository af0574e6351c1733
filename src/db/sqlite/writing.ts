/**
 * Writing messages: one transaction for a whole batch, by hand and with prepared statements, because this is the hot path.
 * Everything inside is synchronous: a transaction that awaits would commit at its first await.
 */
import { StorageLost, type Write, type Written } from "../../chat/ports.ts";
import type { UserId } from "../../shared/ids.ts";
import type { MessageView } from "../../shared/protocol.ts";
import { FROM, VIEW } from "../message-view.ts";
import {
  found,
  writeBatch,
  type Ledger,
  type LedgerAuthor,
  type LedgerMessage,
  type LedgerPlace,
  type LedgerRoom,
} from "../writing.ts";
import { isLost } from "./failures.ts";
import type { SqliteDatabase } from "./open.ts";

export function createWriting(db: SqliteDatabase): (batch: readonly Write[]) => Written[] {
  const ledger = createLedger(db);
  const writeAll = db.$client.transaction((batch: readonly Write[]) => writeBatch(ledger, batch)).immediate;

  return (batch) => {
    try {
      return writeAll(batch);
    } catch (error) {
      throw isLost(error) ? new StorageLost("the disk has failed", { cause: error }) : error;
    }
  };
}

function createLedger({ $client: client }: SqliteDatabase): Ledger {
  const ownerOf = client.query<{ user: UserId }, [string]>(
    "SELECT user_id AS user FROM sessions WHERE id = ?",
  );
  const roomOf = client.query<LedgerRoom, [number]>(
    "SELECT id, slug, is_closed AS isClosed, head FROM rooms WHERE id = ?",
  );
  const authorOf = client.query<LedgerAuthor, [number]>(
    "SELECT name, avatar, is_active AND deleted_at IS NULL AS isHere, is_muted AS isMuted FROM users WHERE id = ?",
  );
  const memberOf = client.query<unknown, [number, number]>(
    "SELECT 1 FROM members WHERE room_id = ? AND user_id = ? AND role <> 'removed'",
  );
  const insert = client.query<
    never,
    [room: number, seq: number, author: number, name: string, key: string, text: string, createdAt: number]
  >(
    `INSERT INTO messages (room_id, seq, rev, author_id, author_name, client_key, text, created_at)
     VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (author_id, client_key) DO NOTHING`,
  );
  const byKey = client.query<LedgerMessage, [author: number, key: string]>(
    `SELECT ${VIEW}, m.client_key AS key, m.room_id AS roomId ${FROM} WHERE m.author_id = ? AND m.client_key = ?`,
  );
  const placeOf = client.query<LedgerPlace, [id: number]>(
    "SELECT room_id AS roomId, author_id AS author, text FROM messages WHERE id = ? AND deleted_at IS NULL",
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

  return {
    whose: (session) => ownerOf.get(session)?.user ?? null,
    room: (id) => roomOf.get(id),
    author: (id) => authorOf.get(id),
    isMember: (room, author) => memberOf.get(room, author) !== null,
    sent: (author, key) => byKey.get(author, key),
    place: (id) => placeOf.get(id),
    view: (id) => found(byId.get(id), "row"),
    insert({ room, author, key, text, createdAt }, seq, { name }) {
      const { changes, lastInsertRowid } = insert.run(room, seq, author, name, key, text, createdAt);
      return changes === 0 ? null : Number(lastInsertRowid);
    },
    reword: (id, text, at, rev) => void reword.run(text, at, rev, id),
    empty: (id, at, rev) => void empty.run(at, rev, id),
    setHead: (room, head) => void setHead.run(head, room),
  };
}
