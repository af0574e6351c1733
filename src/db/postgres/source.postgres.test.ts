import { eq, inArray } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { MIGRATIONS } from "../../resources.ts";
import type { RoomId } from "../../shared/ids.ts";
import { startPostgres, type PostgresServer } from "../../testing/postgres.ts";
import { addAccount, handsIn, unique } from "../../testing/stores/open.ts";
import { ask, type Source } from "../source.ts";
import { createOrdinaryStores } from "../stores.ts";
import { isUnavailable } from "./failures.ts";
import { openPostgres, type PostgresDatabase } from "./open.ts";
import { createRoomReading } from "./rooms.ts";
import { createMarkSeen, createSource } from "./source.ts";

let server: PostgresServer;
let url: string;
let db: PostgresDatabase;
let source: Source;

beforeAll(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
  db = await openPostgres({ url, pool: 6, migrations: MIGRATIONS.postgres, nodeId: "here" }, 1);
  source = createSource(db);
});
afterEach(async () => {
  await db.delete(source.tables.rooms).where(eq(source.tables.rooms.createdAt, 0));
});
afterAll(async () => {
  await db.$client.end({ timeout: 1 });
  await server.stop();
});

const addRoom = () => handsIn(source).addRoom(unique("room"));

const topicOf = async (room: RoomId) => {
  const { rooms } = source.tables;
  return (await db.select().from(rooms).where(eq(rooms.id, room)))[0]?.topic;
};

/** One step: the room's topic. */
const topic = (tx: Source["db"], room: RoomId, text: string) => {
  const { rooms } = source.tables;
  return ask(tx.update(rooms).set({ topic: text }).where(eq(rooms.id, room)));
};

/** Resolves when so many statements wait for somebody else's transaction. */
async function waiting(count: number): Promise<void> {
  for (;;) {
    const rows = await server.run("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'", url);
    if (rows.length >= count) return;
    await Bun.sleep(10);
  }
}

/** Others use all connections there are, and those that have taken the place of one. */
const everyConnection = () =>
  Promise.all(Array.from({ length: 50 }, () => db.$client`SELECT pg_sleep(0.01)`.catch(() => {})));

test("a transaction that fails leaves nothing behind", async () => {
  const room = await addRoom();
  const failing = source.transact(function* (tx) {
    yield* topic(tx, room, "half");
    throw new Error("changed my mind");
  });
  expect(await failing.catch((error: Error) => error.message)).toBe("changed my mind");
  expect(await topicOf(room)).toBe("");
});

test("a transaction whose connection ends in the middle is unavailable, and nothing of it is done, now or later", async () => {
  const room = await addRoom();
  const cut =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'echochat here'";
  const broken = source.transact(function* (tx) {
    yield* topic(tx, room, "before");
    yield* ask(server.run(cut, url));
    yield* ask(everyConnection());
    yield* topic(tx, room, "after");
  });
  expect(isUnavailable(await broken.catch((error: unknown) => error))).toBe(true);
  await everyConnection();
  await everyConnection();
  expect(await topicOf(room)).toBe("");
});

test("two transactions that wait for each other are both done: one of them once more from its beginning", async () => {
  const [one, other] = [await addRoom(), await addRoom()];
  const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const done = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  let beginnings = 0;
  const write = async (rooms: [RoomId, RoomId], mine: 0 | 1) => {
    await source.transact(function* (tx) {
      beginnings += 1;
      // Else it might get hold of its first room before the other one, who waits for it, is awake.
      if (beginnings > 2) yield* ask(done[(1 - mine) as 0 | 1].promise);
      yield* topic(tx, rooms[0], `${mine}`);
      both[mine].resolve();
      yield* ask(both[(1 - mine) as 0 | 1].promise);
      yield* topic(tx, rooms[1], `${mine}`);
    });
    done[mine].resolve();
  };
  await Promise.all([write([one, other], 0), write([other, one], 1)]);
  expect(beginnings).toBe(3);
  expect(await topicOf(one)).toBe((await topicOf(other)) as string);
});

test("whoever ends a membership or takes a room away waits for those who hold the room", async () => {
  const stores = createOrdinaryStores(source, { ...createRoomReading(db), markSeen: createMarkSeen(db) });
  const owner = await addAccount(stores);
  const [bob, carl] = [await addAccount(stores), await addAccount(stores)];
  const made: RoomId[] = [];
  for (const slug of [unique("hall"), unique("hall")]) {
    await stores.rooms.create({ slug, name: slug, createdAt: 0 }, owner.id);
    const room = (await stores.rooms.entry(slug, null))?.room.id as RoomId;
    for (const { id } of [bob, carl]) await handsIn(source).addMember(room, id);
    made.push(room);
  }
  const [hall, other] = made as [RoomId, RoomId];

  const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = source.transact(function* (tx) {
    yield* source.holdRooms(tx, inArray(source.tables.rooms.id, [other, hall]));
    held.resolve();
    yield* ask(release.promise);
  });
  await held.promise;
  const done: string[] = [];
  const acts = {
    removes: stores.members.setRole(hall, bob.id, "removed"),
    forgets: stores.members.forget(hall, carl.id),
    closes: stores.rooms.update(other, { isClosed: true }),
    withdraws: stores.members.withdraw(carl.id),
  };
  const ends = Object.entries(acts).map(([name, act]) => act.then(() => void done.push(name)));
  await waiting(ends.length);
  expect(done).toEqual([]);
  release.resolve();
  await Promise.all([holding, ...ends]);
  expect(done.toSorted()).toEqual(Object.keys(acts).toSorted());
  expect((await stores.members.ofRoom(hall)).map(({ role }) => role)).toEqual(["owner", "removed"]);
  expect((await stores.members.ofRoom(other)).map(({ role }) => role)).toEqual(["owner", "member"]);
});
