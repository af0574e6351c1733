/** What the database says, read beside the running server or when it has stopped. */
import { inSqlite as inDatabase } from "../../../src/testing/database.ts";
import { brief, type Seen } from "../log.ts";

export interface Stored {
  /** Of each room, by its slug. */
  heads: ReadonlyMap<string, number>;
  messages: readonly Row[];
}

export interface Row extends Seen {
  room: string;
  key: string;
}

interface Found extends Omit<Row, "deleted"> {
  deletedAt: number | null;
}

const MESSAGES = `SELECT r.slug AS room, m.id, m.seq, m.rev, u.name AS author, m.client_key AS key, m.text,
    m.deleted_at AS deletedAt
  FROM messages m JOIN rooms r ON r.id = m.room_id JOIN users u ON u.id = m.author_id ORDER BY m.id`;

/** To be called when nothing is written any more. */
export function readStored(dataDir: string): Stored {
  const messages = inDatabase<Found>({ dataDir }, MESSAGES).map(({ deletedAt, text, ...row }) => ({
    ...row,
    text: brief(text),
    deleted: deletedAt !== null,
  }));
  return { heads: readHeads(dataDir), messages };
}

export function readHeads(dataDir: string): Map<string, number> {
  const rooms = inDatabase<{ slug: string; head: number }>({ dataDir }, "SELECT slug, head FROM rooms");
  return new Map(rooms.map(({ slug, head }) => [slug, head]));
}

export function readEpoch(dataDir: string): string {
  const [row] = inDatabase<{ epoch: string }>({ dataDir }, "SELECT epoch FROM installation");
  if (!row) throw new Error("the database has no epoch");
  return row.epoch;
}
