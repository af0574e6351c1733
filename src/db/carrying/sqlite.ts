/** Takes an import into a SQLite file that nobody else has open. */
import type { SQLQueryBindings } from "bun:sqlite";
import { KEY_PREFIX, type NewMember, type NewMessage, type Target } from "../../echochat/ports.ts";
import type { RoomId } from "../../shared/ids.ts";
import { isUnavailable } from "../sqlite/failures.ts";
import { openSqlite, type SqliteDatabase } from "../sqlite/open.ts";
import { createSource } from "../sqlite/source.ts";
import { demandSpace } from "../sqlite/space.ts";
import { numbered } from "./numbering.ts";
import { TargetRefused } from "./refused.ts";
import { createAdding, readStanding } from "./standing.ts";

/** Memory for pages, so that a large index is not read again and again. As SQLite has it: in KB below 0. */
const CACHE = -131_072;
/** Pages of the write-ahead log before a checkpoint: 128 MB, as the same pages are written in every commit. */
const CHECKPOINT_PAGES = 32_768;
/** Milliseconds: whoever else has the file open lets go of it then, or is a server. */
const PATIENCE = 500;
const KEYS_AT_ONCE = 5000;

export function openSqliteTarget(file: string, migrations: string, now: number): Target {
  const db = openedAlone(file, migrations, now);
  const { $client: client } = db;
  const source = createSource(db);
  const write = createMessageWriting(db);
  return {
    standing: async () => ({ ...(await readStanding(source)), keys: keysIn(db) }),
    ...createAdding(source),
    async addMessages(messages, members) {
      demandSpace(client.filename);
      write(messages, members);
    },
    close: async () => client.close(),
  };
}

/** A server that runs on it, or another import, would number messages as well. One that starts meanwhile is refused. */
function openedAlone(file: string, migrations: string, now: number): SqliteDatabase {
  let db: SqliteDatabase | undefined;
  try {
    db = openSqlite(file, migrations, now);
    db.$client.run(`PRAGMA cache_size = ${CACHE}`);
    db.$client.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.$client.run(`PRAGMA busy_timeout = ${PATIENCE}`);
    db.$client.run("PRAGMA locking_mode = EXCLUSIVE");
    db.$client.run("BEGIN IMMEDIATE");
    db.$client.run("COMMIT");
    return db;
  } catch (error) {
    db?.$client.close();
    if (!isUnavailable(error)) throw error;
    throw new TargetRefused(`${file} is in use, or cannot be written: stop the server first.`, {
      cause: error,
    });
  }
}

export function* keysIn({ $client: client }: Pick<SqliteDatabase, "$client">): Generator<string[]> {
  const all = client.query<{ key: string }, [string]>(
    "SELECT client_key AS key FROM messages WHERE client_key LIKE ?",
  );
  let keys: string[] = [];
  for (const { key } of all.iterate(`${KEY_PREFIX}%`)) {
    if (keys.push(key) < KEYS_AT_ONCE) continue;
    yield keys;
    keys = [];
  }
  yield keys;
}

function createMessageWriting({ $client: client }: SqliteDatabase) {
  const query = <Params extends SQLQueryBindings[]>(text: string) => client.query<never, Params>(text);
  const headOf = client.query<{ head: number }, [room: number]>("SELECT head FROM rooms WHERE id = ?");
  const insert = query<[number, number, number, string, string, string, number]>(
    `INSERT INTO messages (room_id, seq, rev, author_id, author_name, client_key, text, created_at)
     VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7)`,
  );
  const join = query<[number, number, string, number, number]>(
    `INSERT INTO members (room_id, user_id, role, joined_at, read_seq) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  // Whoever had read everything has still.
  const readOn = query<[head: number, room: number, before: number]>(
    "UPDATE members SET read_seq = ?1 WHERE room_id = ?2 AND read_seq = ?3",
  );
  const move = query<[head: number, first: number, room: number]>(
    "UPDATE rooms SET head = ?1, created_at = min(created_at, ?2) WHERE id = ?3",
  );
  const head = (room: RoomId) => headOf.get(room)?.head ?? 0;

  return client.transaction((messages: readonly NewMessage[], members: readonly NewMember[]) => {
    for (const { roomId, userId, role, joinedAt } of members)
      join.run(roomId, userId, role, joinedAt, head(roomId));
    const { rows, places } = numbered(messages, head);
    for (const { roomId, seq, authorId, authorName, clientKey, text, createdAt } of rows)
      insert.run(roomId, seq, authorId, authorName, clientKey, text, createdAt);
    for (const { room, before, head: last, first } of places) {
      move.run(last, first, room);
      readOn.run(last, room, before);
    }
  }).immediate;
}
