/** Takes an import into a PostgreSQL database that no server runs on. */
import type { Sql, TransactionSql } from "postgres";
import { KEY_PREFIX, type NewMember, type NewMessage, type Target } from "../../echochat/ports.ts";
import type { RoomId } from "../../shared/ids.ts";
import { lasts } from "../postgres/lingering.ts";
import { openPostgres, type PostgresOptions } from "../postgres/open.ts";
import { createSource } from "../postgres/source.ts";
import { unopened, Unopened } from "../postgres/unopened.ts";
import { numbered, type Place } from "./numbering.ts";
import { TargetRefused } from "./refused.ts";
import { createAdding, readStanding } from "./standing.ts";

const KEYS_AT_ONCE = 5000;

/** One connection writes, another holds the lock by which imports take turns. */
const CONNECTIONS = 2;
const IMPORT_LOCK = 0x6563_696d;
const NODE = "import";

export async function openPostgresTarget(
  { url, migrations }: Pick<PostgresOptions, "url" | "migrations">,
  now: number,
): Promise<Target> {
  try {
    const db = await openPostgres({ url, migrations, pool: CONNECTIONS, nodeId: NODE }, now);
    const { $client: client } = db;
    const source = createSource(db);
    const close = () => client.end({ timeout: 1 });
    try {
      await demandAlone(client);
    } catch (error) {
      await close();
      throw error;
    }
    return {
      standing: async () => ({ ...(await readStanding(source)), keys: keysIn(client) }),
      ...createAdding(source),
      addMessages: (messages, members) => client.begin((tx) => write(tx, messages, members)),
      close,
    };
  } catch (error) {
    throw refusalOf(error, url);
  }
}

export function refusalOf(error: unknown, url: string): unknown {
  const told = unopened(error, url);
  return told instanceof Unopened
    ? new TargetRefused(`DATABASE_URL: ${told.message}.`, { cause: error })
    : told;
}

/** Rooms are locked in each transaction, so that a server that starts meanwhile does no harm; another import would. */
async function demandAlone(client: Sql): Promise<void> {
  await client`SELECT 1`;
  const holder = await client.reserve();
  const isTaken = async () => {
    const [lock] = await holder<{ got: boolean }[]>`SELECT pg_try_advisory_lock(${IMPORT_LOCK}) AS got`;
    return !lock?.got;
  };
  if (await lasts(isTaken)) throw new TargetRefused("Another import into this database is under way.");
  const isUsed = async () => {
    const [seen] = await client<{ nodes: number }[]>`
      SELECT count(*)::int AS nodes FROM pg_stat_activity WHERE datname = current_database()
        AND application_name LIKE 'echochat %' AND application_name <> ${`echochat ${NODE}`}`;
    return (seen?.nodes ?? 0) > 0;
  };
  if (await lasts(isUsed)) throw new TargetRefused("A server runs on the database: stop the server first.");
}

export async function* keysIn(client: Sql): AsyncGenerator<string[]> {
  const all = client<{ key: string }[]>`
    SELECT client_key AS key FROM messages WHERE client_key LIKE ${`${KEY_PREFIX}%`}`;
  for await (const rows of all.cursor(KEYS_AT_ONCE)) yield rows.map(({ key }) => key);
}

async function write(
  tx: TransactionSql,
  messages: readonly NewMessage[],
  members: readonly NewMember[],
): Promise<void> {
  const rooms = [...new Set(messages.map(({ roomId }) => roomId))];
  const heads = await tx<{ id: RoomId; head: number }[]>`
    SELECT id, head FROM rooms WHERE id = ANY(${rooms}::bigint[]) ORDER BY id FOR NO KEY UPDATE`;
  const headOf = new Map(heads.map(({ id, head }) => [id, head]));
  const head = (room: RoomId) => headOf.get(room) ?? 0;
  await join(tx, members, head);
  const { rows, places } = numbered(messages, head);
  const [drawn] = await tx<{ ids: number[] }[]>`
    SELECT ARRAY(SELECT nextval('messages_id_seq') FROM generate_series(1, ${rows.length}::int)) AS ids`;
  const all = <Name extends keyof (typeof rows)[number]>(name: Name) => rows.map((row) => row[name]);
  await tx`
    INSERT INTO messages (id, room_id, seq, rev, author_id, author_name, client_key, text, created_at)
    SELECT id, room, seq, seq, author, name, key, text, at
    FROM unnest(${drawn?.ids ?? []}::bigint[], ${all("roomId")}::bigint[], ${all("seq")}::bigint[],
      ${all("authorId")}::bigint[], ${all("authorName")}::text[], ${all("clientKey")}::text[],
      ${all("text")}::text[], ${all("createdAt")}::bigint[])
      AS n(id, room, seq, author, name, key, text, at)`;
  await move(tx, places);
}

async function join(
  tx: TransactionSql,
  members: readonly NewMember[],
  head: (room: RoomId) => number,
): Promise<void> {
  if (members.length === 0) return;
  const all = <Name extends keyof NewMember>(name: Name) => members.map((member) => member[name]);
  await tx`
    INSERT INTO members (room_id, user_id, role, joined_at, read_seq)
    SELECT * FROM unnest(${all("roomId")}::bigint[], ${all("userId")}::bigint[], ${all("role")}::text[],
      ${all("joinedAt")}::bigint[], ${members.map(({ roomId }) => head(roomId))}::bigint[])
    ON CONFLICT DO NOTHING`;
}

/** Whoever had read everything has still. */
async function move(tx: TransactionSql, places: readonly Place[]): Promise<void> {
  const all = <Name extends keyof Place>(name: Name) => places.map((place) => place[name]);
  await tx`
    UPDATE rooms r SET head = n.head, created_at = least(r.created_at, n.first)
    FROM unnest(${all("room")}::bigint[], ${all("head")}::bigint[], ${all("first")}::bigint[]) AS n(id, head, first)
    WHERE r.id = n.id`;
  await tx`
    UPDATE members m SET read_seq = n.head
    FROM unnest(${all("room")}::bigint[], ${all("before")}::bigint[], ${all("head")}::bigint[]) AS n(id, before, head)
    WHERE m.room_id = n.id AND m.read_seq = n.before`;
}
