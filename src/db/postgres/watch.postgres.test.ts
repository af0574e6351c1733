import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { BusEvent } from "../../chat/ports.ts";
import { openNode, settle, type Node } from "../../testing/postgres-node.ts";
import { startPostgres, type PostgresServer } from "../../testing/postgres.ts";
import { sessionOf, unique } from "../../testing/stores/open.ts";
import { watchRights } from "./watch.ts";

let server: PostgresServer;
let one: Node;
let two: Node;
let url: string;
let told: BusEvent[] = [];
let failures: unknown[] = [];
let heard = Promise.withResolvers<void>();
let stop = () => {};

beforeAll(async () => {
  server = await startPostgres({ settings: { synchronous_commit: "on" } });
  url = await server.createDatabase();
  [one, two] = [await openNode(url, "one"), await openNode(url, "two")];
});
beforeEach(async () => {
  [told, failures] = [[], []];
  stop = watching(one);
  // It may have missed something before it listened.
  expect(told).toEqual([{ type: "rights.unheard" }]);
  await until((events) => events.length === 2);
  expect(told.splice(0)).toEqual([{ type: "rights.unheard" }, { type: "accounts.reread" }]);
});
afterEach(() => stop());
afterAll(async () => {
  await Promise.all([one.close(), two.close()]);
  await server.stop();
});

function watching({ db }: Pick<Node, "db">): () => void {
  return watchRights(
    db,
    "one",
    (event) => {
      told.push(event);
      heard.resolve();
    },
    (error) => void failures.push(error),
  );
}

async function until(is: (events: BusEvent[]) => boolean): Promise<void> {
  while (!is(told)) {
    heard = Promise.withResolvers();
    await heard.promise;
  }
}

/** What the first node is told until the second one has, at last, renamed a room. */
async function toldOf(act: (node: Node) => Promise<unknown>, by = two): Promise<BusEvent[]> {
  await act(by);
  const { room } = await settle(one, { rooms: 1, people: 1 });
  await two.db.$client`UPDATE rooms SET name = 'the last' WHERE id = ${room}`;
  await until((events) => events.some((event) => event.type === "room.changed" && event.roomId === room));
  return told.slice(0, -1);
}

async function addSessions(user: number, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => unique("a-session-with-a-name-as-long-as"));
  await two.db.$client`
    INSERT INTO sessions (id, user_id, csrf, created_at, expires_at)
    SELECT id, ${user}, '', 0, 0 FROM unnest(${ids}::text[]) AS n(id)`;
  return ids;
}

const slugOf = async (room: number) =>
  (await one.db.$client<{ slug: string }[]>`SELECT slug FROM rooms WHERE id = ${room}`)[0]?.slug as string;

describe("what another node does", () => {
  test("to a session is told", async () => {
    const { author } = await settle(two, { rooms: 1, people: 1 });
    const [gone, stays] = await addSessions(author, 2);
    const events = await toldOf(({ db }) => db.$client`DELETE FROM sessions WHERE id = ${gone as string}`);
    expect(events).toEqual([{ type: "sessions.ended", sessions: [gone as never] }]);
    expect(JSON.stringify(events)).not.toContain(stays as string);
  });

  test("to a thousand sessions at once is told in parts, of each once", async () => {
    const { author } = await settle(two, { rooms: 1, people: 1 });
    const ids = [...(await addSessions(author, 999)), sessionOf(author)];
    const events = await toldOf(({ db }) => db.$client`DELETE FROM sessions WHERE user_id = ${author}`);
    const ended = events.flatMap((event) => (event.type === "sessions.ended" ? [event.sessions] : []));
    expect(ended.length).toBe(events.length);
    expect(ended.length).toBeGreaterThan(1);
    expect(ended.flat().toSorted() as string[]).toEqual(ids.toSorted());
  });

  test.each([
    ["name", "'Another'"],
    ["avatar", "'a.webp'"],
    ["email", "'a@b.c'"],
    ["bio", "'words'"],
    ["password_hash", "'other'"],
    ["is_active", "false"],
    ["is_muted", "true"],
    ["is_staff", "true"],
    ["is_superuser", "true"],
    ["deleted_at", "1"],
  ])("to %s of an account is told, with its name and picture", async (column, value) => {
    const { author } = await settle(two, { rooms: 1, people: 1 });
    const set = `UPDATE users SET ${column} = ${value} WHERE id = ${author} RETURNING name, avatar`;
    let now: Record<string, unknown> | undefined;
    const events = await toldOf(async ({ db }) => ([now] = await db.$client.unsafe(set)));
    expect(events).toEqual([{ type: "account.changed", userId: author, ...now } as never]);
    expect(await toldOf(({ db }) => db.$client.unsafe(set))).toHaveLength(2);
  });

  test("to members is told: who is put out, who leaves, and not who may come back", async () => {
    const { room, people } = await settle(two, { rooms: 1, people: 3 });
    const [out, gone] = people;
    const slug = await slugOf(room);
    const events = await toldOf(async ({ db: { $client: sql } }) => {
      const role = (name: string, who = out) =>
        sql`UPDATE members SET role = ${name} WHERE room_id = ${room} AND user_id = ${who as number}`;
      const leave = (who = out) =>
        sql`DELETE FROM members WHERE room_id = ${room} AND user_id = ${who as number}`;
      await role("moderator");
      await role("removed");
      await leave();
      await leave(gone);
    });
    expect(events).toEqual([
      { type: "membership.ended", roomId: room, room: slug, userId: out as never },
      { type: "membership.ended", roomId: room, room: slug, userId: gone as never },
    ]);
  });

  test.each(["name = 'Other'", "topic = 'Words'", "is_closed = true"])(
    "to a room is told: %s",
    async (change) => {
      const { room } = await settle(two, { rooms: 1, people: 1 });
      const slug = await slugOf(room);
      const events = await toldOf(({ db }) =>
        db.$client.unsafe(`UPDATE rooms SET ${change} WHERE id = ${room}`),
      );
      expect(events).toEqual([{ type: "room.changed", roomId: room, room: slug }]);
    },
  );

  test.each(["UPDATE rooms SET name = '', topic = '', created_by = NULL", "DELETE FROM rooms"])(
    "that takes a room away is told: %s",
    async (act) => {
      const { room, people } = await settle(two, { rooms: 1, people: 0 + 1 });
      const slug = await slugOf(room);
      await two.db.$client`DELETE FROM members WHERE room_id = ${room} AND user_id = ${people[0] as number}`;
      const events = await toldOf(({ db }) => db.$client.unsafe(`${act} WHERE id = ${room}`));
      expect(events.filter(({ type }) => type !== "membership.ended")).toEqual([
        { type: "room.removed", roomId: room, room: slug },
      ]);
    },
  );

  test("is told in the order of the commits, and not at all when it is taken back", async () => {
    const { room, author } = await settle(two, { rooms: 1, people: 1 });
    const events = await toldOf(async ({ db: { $client: sql } }) => {
      const taken = sql.begin(async (tx) => {
        await tx`UPDATE users SET is_muted = true WHERE id = ${author}`;
        throw new Error("taken back");
      });
      await taken.catch(() => {});
      for (const topic of ["1", "2", "3"]) {
        await sql`UPDATE rooms SET topic = ${topic} WHERE id = ${room}`;
        await sql`UPDATE users SET bio = ${topic} WHERE id = ${author}`;
      }
    });
    const each = ["room.changed", "account.changed"];
    expect(events.map(({ type }) => type)).toEqual([...each, ...each, ...each] as never);
  });
});

test("what changes all the time is told to nobody: messages, what was read, who was seen", async () => {
  const { room, author, say } = await settle(two, { rooms: 1, people: 1 });
  const events = await toldOf(async ({ db: { $client: sql }, log }) => {
    await log.write([say("hello")]);
    await sql`UPDATE members SET read_seq = 1 WHERE room_id = ${room}`;
    await sql`UPDATE users SET last_seen_at = 1 WHERE id = ${author}`;
    await sql`UPDATE users SET name = name WHERE id = ${author}`;
  });
  expect(events).toEqual([]);
});

test("what a node has done itself it is not told", async () => {
  const { author } = await settle(one, { rooms: 1, people: 1 });
  const mute = (node: Node) => node.db.$client`UPDATE users SET is_muted = NOT is_muted WHERE id = ${author}`;
  expect(await toldOf(mute, one)).toEqual([]);
  expect(await toldOf(mute, two)).toMatchObject([{ type: "room.changed" }, { type: "account.changed" }]);
});

test.each([
  [
    "its connection is ended",
    () =>
      server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%' OR query = 'SELECT 1'",
        url,
      ),
  ],
  ["the server is started anew", () => server.restart("immediate")],
])(
  "when %s a node says that it hears nothing, listens again, and looks at everything anew",
  async (_, act) => {
    const { author } = await settle(two, { rooms: 1, people: 1 });
    await act();
    await until((events) => events.length === 2);
    expect(told.splice(0)).toEqual([{ type: "rights.unheard" }, { type: "accounts.reread" }]);
    expect(
      await toldOf(({ db }) => db.$client`UPDATE users SET is_muted = true WHERE id = ${author}`),
    ).toMatchObject([{ type: "account.changed", userId: author }]);
  },
);

test("a node that may not listen says why, once, until it may", async () => {
  stop();
  const letIn = (isLetIn: boolean) =>
    server.run(`ALTER DATABASE ${new URL(url).pathname.slice(1)} ALLOW_CONNECTIONS ${isLetIn}`);
  await letIn(false);
  try {
    stop = watching(one);
    while (failures.length === 0) await Bun.sleep(10);
    await Bun.sleep(1_000);
    expect(told.splice(0)).toEqual([{ type: "rights.unheard" }]);
    expect(failures.map(String)).toEqual([expect.stringContaining("not currently accepting connections")]);
  } finally {
    await letIn(true);
  }
  await until((events) => events.length === 1);
  expect(told).toEqual([{ type: "accounts.reread" }]);
  expect(failures).toHaveLength(1);
});

test("a watch that is over tells nothing, and leaves no connection behind", async () => {
  const { author } = await settle(two, { rooms: 1, people: 1 });
  // After a while its last words are others; that of the test before may not be gone yet.
  const listening = "SELECT 1 FROM pg_stat_activity WHERE query ILIKE 'LISTEN%' OR query = 'SELECT 1'";
  while ((await server.run(listening, url)).length !== 1) await Bun.sleep(10);
  stop();
  while ((await server.run(listening, url)).length > 0) await Bun.sleep(10);
  await two.db.$client`UPDATE users SET is_muted = true WHERE id = ${author}`;
  expect(told).toEqual([]);
});

test("entries of the audit log are never changed and never removed, not by hand either", async () => {
  const sql = one.db.$client;
  await sql`
    INSERT INTO audit (at, action, actor_name, subject, detail, address) VALUES (1, 'room.closed', 'ann', '', '', '')`;
  for (const act of ["UPDATE audit SET detail = 'x'", "DELETE FROM audit WHERE id = 1", "TRUNCATE audit"])
    expect(String(await sql.unsafe(act).catch((error: unknown) => error))).toContain(
      "audit entries are never",
    );
  expect(await sql`SELECT detail FROM audit`).toMatchObject([{ detail: "" }]);
});
