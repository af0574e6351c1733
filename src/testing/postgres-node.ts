/** One of the nodes that share a private PostgreSQL: its message log, and people and rooms to write with. */
import type { NewMessage, Write, Written } from "../chat/ports.ts";
import { createPostgresMessages, type PostgresMessages } from "../db/postgres/messages.ts";
import { openPostgres, type PostgresDatabase } from "../db/postgres/open.ts";
import { members, rooms, sessions, users } from "../db/postgres/schema.ts";
import { MIGRATIONS } from "../resources.ts";
import type { ClientKey, RoomId, UserId } from "../shared/ids.ts";
import type { MessageView } from "../shared/protocol.ts";
import { sessionFor, unique } from "./stores/open.ts";
import { post } from "./stores/scene.ts";

export interface Node {
  name: string;
  db: PostgresDatabase;
  log: PostgresMessages;
  close(): Promise<void>;
}

export async function openNode(database: string, name: string, pool = 3): Promise<Node> {
  const migrations = MIGRATIONS.postgres;
  const db = await openPostgres({ url: database, pool, migrations, nodeId: name }, 1);
  const log = await createPostgresMessages(db);
  return {
    name,
    db,
    log,
    async close() {
      await log.close();
      await db.$client.end({ timeout: 1 });
    },
  };
}

/** New rooms, and new people who are signed in and belong to all of them. */
export async function settle({ db }: Node, sizes: { rooms: number; people: number }) {
  const made = (count: number) => Array.from({ length: count }, () => unique("name"));
  const places = await db
    .insert(rooms)
    .values(made(sizes.rooms).map((slug) => ({ slug, name: slug, createdAt: 0 })))
    .returning({ id: rooms.id });
  const accounts = await db
    .insert(users)
    .values(made(sizes.people).map((name) => ({ name, nameKey: name, passwordHash: "none", createdAt: 0 })))
    .returning({ id: users.id });
  const pairs = places.flatMap(({ id: roomId }) => accounts.map(({ id: userId }) => ({ roomId, userId })));
  await db.insert(sessions).values(accounts.map(({ id }) => sessionFor(id)));
  await db.insert(members).values(pairs.map((pair) => ({ ...pair, role: "member" as const, joinedAt: 0 })));
  const [room, author] = [places[0]?.id as RoomId, accounts[0]?.id as UserId];
  return {
    room,
    author,
    rooms: places.map(({ id }) => id),
    people: accounts.map(({ id }) => id),
    say: (text: string, more: Partial<NewMessage> = {}) =>
      post({ room, author, key: unique("key") as ClientKey, text, createdAt: 1, ...more }),
  };
}

/** What has been acknowledged, and what the log has to say of it. */
export function createRecord() {
  const acknowledged = new Map<ClientKey, MessageView>();
  const sent = new Set<ClientKey>();
  return {
    acknowledged,
    /** Writes posts; a failure leaves it open whether they are there. */
    async write(
      { log }: Node,
      batch: readonly Extract<Write, { kind: "post" }>[],
    ): Promise<Written[] | null> {
      for (const { key } of batch) sent.add(key);
      const written = await log.write(batch).catch(() => null);
      for (const [i, done] of (written ?? []).entries()) {
        const key = batch[i]?.key as ClientKey;
        if (done.outcome === "refused") throw new Error(`${key} was refused: ${done.code}`);
        acknowledged.set(key, done.message);
      }
      return written;
    },
    /** Whatever is wrong with a room in which nothing but these posts was written. */
    async faultsIn({ log }: Node, room: RoomId): Promise<string[]> {
      const { head, changes } = await log.changesSince(room, 0, 1_000_000);
      const found = new Map(changes.map((message) => [message.key as ClientKey, message]));
      const gaps = changes.filter(({ seq, rev }, i) => seq !== i + 1 || rev !== i + 1);
      const falling = changes.filter(({ id }, i) => id <= (changes[i - 1]?.id ?? 0));
      const missing = [...acknowledged].filter(([key, { id, seq }]) => {
        const there = found.get(key);
        return there?.id !== id || there.seq !== seq;
      });
      return [
        ...(head === changes.length ? [] : [`the head is ${head}, the rows are ${changes.length}`]),
        ...(found.size === changes.length ? [] : ["a key is there twice"]),
        ...gaps.map(({ seq, rev }) => `number ${seq} (${rev}) out of its place`),
        ...falling.map(({ id }) => `id ${id} falls`),
        ...missing.map(([key]) => `${key} is not where it was acknowledged`),
        ...[...found.keys()].filter((key) => !sent.has(key)).map((key) => `nobody has sent ${key}`),
      ];
    },
  };
}
