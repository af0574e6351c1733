/** What the database says, read beside the running server or when it has stopped. */
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

/** Asks the database, whichever it is. */
export type Query = <Found>(sql: string) => Promise<Found[]>;

const MESSAGES = `SELECT r.slug AS room, m.id, m.seq, m.rev, u.name AS author, m.client_key AS key, m.text,
    m.deleted_at AS "deletedAt"
  FROM messages m JOIN rooms r ON r.id = m.room_id JOIN users u ON u.id = m.author_id ORDER BY m.id`;

/** To be called when nothing is written any more. */
export async function readStored(query: Query): Promise<Stored> {
  const messages = (await query<Found>(MESSAGES)).map(({ deletedAt, text, ...row }) => ({
    ...row,
    text: brief(text),
    deleted: deletedAt !== null,
  }));
  return { heads: await readHeads(query), messages };
}

export async function readHeads(query: Query): Promise<Map<string, number>> {
  const rooms = await query<{ slug: string; head: number }>("SELECT slug, head FROM rooms");
  return new Map(rooms.map(({ slug, head }) => [slug, head]));
}

export async function readEpoch(query: Query): Promise<string> {
  const [row] = await query<{ epoch: string }>("SELECT epoch FROM installation");
  if (!row) throw new Error("the database has no epoch");
  return row.epoch;
}
