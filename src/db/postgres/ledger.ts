/** What a batch needs to know, read at once, and what it changes, stored at once. */
import type { Sql } from "postgres";
import type { Write, Written } from "../../chat/ports.ts";
import type { ClientKey, MessageId, RoomId, SessionId, UserId } from "../../shared/ids.ts";
import { FROM, VIEW } from "../message-view.ts";
import { found, type Ledger, type LedgerAuthor, type LedgerMessage, type LedgerRoom } from "../writing.ts";
import { statementsOf, type Effects } from "./storing.ts";

type Row = LedgerMessage & { authorId: UserId; key: ClientKey };

/** The rooms of messages, which never change. */
export type RoomsOf = ReadonlyMap<MessageId, RoomId>;

export interface OpenLedger extends Ledger {
  /** Whether all of this answer to the batch is there already: an earlier attempt has come through. */
  holds(written: readonly Written[]): boolean;
  isChanged(): boolean;
  /** The last number of each room: as it was found, and as this leaves those that it changes. */
  heads: { before: ReadonlyMap<RoomId, number>; after: ReadonlyMap<RoomId, number> };
  /** The statements that store it all, to be sent. */
  store(): PromiseLike<unknown>[];
}

const ROW = `${VIEW}, m.client_key AS key, m.room_id AS "roomId", m.author_id AS "authorId"`;

/** Whom and what the batch is about. Rooms and people are locked in the order of their ids, so that nobody waits in a circle. */
function subjectsOf(batch: readonly Write[], roomsOf: RoomsOf) {
  const posts = batch.filter((write) => write.kind === "post");
  const edited = batch.filter((write) => write.kind !== "post");
  const authors = batch.flatMap((write) => {
    const room = write.kind === "post" ? write.room : roomsOf.get(write.id);
    return write.kind === "remove" || room === undefined ? [] : [{ room, author: write.author }];
  });
  const pairs = [...new Map(authors.map((pair) => [`${pair.room} ${pair.author}`, pair])).values()];
  return {
    posts,
    pairs,
    messages: rising(edited.map(({ id }) => id)),
    rooms: rising([...posts.map(({ room }) => room), ...roomsOf.values()]),
    people: rising(batch.flatMap((write) => (write.kind === "remove" ? [] : [write.author]))),
    sessions: [...new Set(batch.map(({ session }) => session))],
  };
}

const rising = <Id extends number>(ids: Id[]) => [...new Set(ids)].toSorted((a, b) => a - b);

/** Adds to the batch what has come meanwhile and fits. */
export type Gather = (fits: (write: Write) => boolean) => void;

/**
 * Begins the transaction and reads in it, in one flush. From here on nothing of this changes under our hands but sessions,
 * which are looked at when all locks are held: whoever ends several locks them in no order, and we could wait in a circle.
 * With `gather` the rooms are taken in a flush of their own, and the batch is what it is when they are ours.
 */
export async function openLedger(
  sql: Sql,
  batch: readonly Write[],
  roomsOf: RoomsOf,
  gather: Gather | null,
): Promise<OpenLedger> {
  const { rooms: roomIds } = subjectsOf(batch, roomsOf);
  const holding = Promise.all([
    sql`BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE`,
    sql<LedgerRoom[]>`
      SELECT id, slug, is_closed AS "isClosed", head FROM rooms WHERE id = ANY(${roomIds}::bigint[])
      ORDER BY id FOR NO KEY UPDATE`,
  ]);
  if (gather) {
    await holding;
    gather((write) => write.kind === "post" && roomIds.includes(write.room));
  }
  const { posts, pairs, messages: edited, people, sessions } = subjectsOf(batch, roomsOf);
  const [[, rooms], authors, owners, members, sent, places, [drawn]] = await Promise.all([
    holding,
    sql<(LedgerAuthor & { id: UserId })[]>`
      SELECT id, name, avatar, is_active AND deleted_at IS NULL AS "isHere", is_muted AS "isMuted"
      FROM users WHERE id = ANY(${people}::bigint[]) ORDER BY id FOR SHARE`,
    sql<{ id: SessionId; user: UserId }[]>`
      SELECT id, user_id AS "user" FROM sessions WHERE id = ANY(${sessions}::text[])`,
    sql<{ room: RoomId; author: UserId }[]>`
      SELECT m.room_id AS room, m.user_id AS author
      FROM unnest(${pairs.map(({ room }) => room)}::bigint[], ${pairs.map(({ author }) => author)}::bigint[])
        AS w(room, author) JOIN members m ON m.room_id = w.room AND m.user_id = w.author
      WHERE m.role <> 'removed'`,
    sql<Row[]>`
      SELECT ${sql.unsafe(`${ROW} ${FROM}`)}
      JOIN unnest(${posts.map(({ author }) => author)}::bigint[], ${posts.map(({ key }) => key)}::text[])
        AS w(author, key) ON m.author_id = w.author AND m.client_key = w.key`,
    edited.length === 0
      ? []
      : sql<Row[]>`SELECT ${sql.unsafe(`${ROW} ${FROM}`)} WHERE m.id = ANY(${edited}::bigint[])`,
    sql<{ ids: number[] }[]>`
      SELECT ARRAY(SELECT nextval('messages_id_seq') FROM generate_series(1, ${posts.length}::int)) AS ids`,
  ]);
  const { ids } = found(drawn, "id");

  const roomsById = new Map(rooms.map((room) => [room.id, room]));
  const authorsById = new Map(authors.map(({ id, ...author }) => [id, author]));
  const ownersById = new Map(owners.map(({ id, user }) => [id, user]));
  const belonging = new Set(members.map(({ room, author }) => `${room} ${author}`));
  const byId = new Map(places.map((row) => [row.id, row]));
  const byKey = new Map(sent.map((row) => [`${row.authorId} ${row.key}`, byId.get(row.id) ?? row]));
  const effects: Effects = { inserted: [], changed: new Set(), heads: new Map() };
  const { inserted, changed, heads } = effects;

  const row = (id: MessageId) => found(byId.get(id), "row");
  function change(id: MessageId, changes: Partial<Row>): void {
    changed.add(Object.assign(row(id), changes));
  }

  return {
    whose: (session) => ownersById.get(session) ?? null,
    room: (id) => roomsById.get(id) ?? null,
    author: (id) => authorsById.get(id) ?? null,
    isMember: (room, author) => belonging.has(`${room} ${author}`),
    sent(author, key) {
      const known = byKey.get(`${author} ${key}`);
      if (!known) return null;
      const { authorId: _, ...message } = known;
      return message;
    },
    place(id) {
      const known = byId.get(id);
      if (!known || known.deletedAt !== null) return null;
      return { roomId: known.roomId, author: known.authorId, text: known.text };
    },
    view(id) {
      const { authorId: _author, roomId: _room, ...message } = row(id);
      return message;
    },
    insert(message, seq, { name, avatar }) {
      const { room: roomId, author: authorId, key, text, createdAt } = message;
      if (byKey.has(`${authorId} ${key}`)) return null;
      const id = found(ids[inserted.length], "id");
      inserted.push({ ...message, id, seq, name });
      const posted = { id, seq, rev: seq, author: name, avatar, text, createdAt, key };
      byKey.set(`${authorId} ${key}`, { ...posted, editedAt: null, deletedAt: null, roomId, authorId });
      return id;
    },
    reword: (id, text, editedAt, rev) => change(id, { text, editedAt, rev }),
    empty: (id, deletedAt, rev) => change(id, { text: "", deletedAt, rev }),
    setHead: (room, head) => void heads.set(room, head),

    holds(written) {
      const last = new Map(
        written.flatMap((done) => (done.outcome === "stored" ? [[done.message.id, done.message]] : [])),
      );
      return batch.every((write, i) => {
        const done = written[i];
        if (done?.outcome !== "stored") return true;
        if (write.kind === "post") {
          const there = byKey.get(`${write.author} ${write.key}`);
          return there?.id === done.message.id && there.seq === done.message.seq;
        }
        const [there, said] = [byId.get(write.id), last.get(write.id)];
        return there?.rev === said?.rev && there?.text === said?.text && there?.deletedAt === said?.deletedAt;
      });
    },
    isChanged: () => heads.size > 0,
    heads: { before: new Map(rooms.map(({ id, head }) => [id, head])), after: heads },
    store: () => statementsOf(sql, effects),
  };
}
