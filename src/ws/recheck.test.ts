import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { Sessions } from "../accounts/sessions.ts";
import { createMemoryBus } from "../bus/memory.ts";
import type { SignedInActor } from "../chat/access.ts";
import type { BusEvent } from "../chat/ports.ts";
import type { SessionId } from "../shared/ids.ts";
import { CLOSE_REMOVED, CLOSE_SESSION_OVER } from "../shared/protocol.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { serveHub, type HubServer } from "../testing/hub.ts";
import { entryOf, hall, type Hall } from "../testing/stores/hall.ts";
import { actorIn, openSqliteStores, type OpenStores } from "../testing/stores/open.ts";
import { createHub } from "./hub.ts";
import { recheck } from "./recheck.ts";

const bus = createMemoryBus();
const hub = createHub(bus);
const over = new Set<SessionId>();
const failures: unknown[] = [];
let isAway = false;
let now = 0;
let stop: () => void;

let stores: OpenStores;
let server: HubServer;
let here: Hall;
let published: BusEvent[] = [];

beforeAll(async () => {
  stores = await openSqliteStores();
  server = serveHub(hub);
  const sessions = { current: async (id) => (over.has(id) ? null : {}) } as Pick<Sessions, "current">;
  const members = {
    async ofRoom(...args: Parameters<typeof stores.members.ofRoom>) {
      if (isAway) throw new Error("away");
      return stores.members.ofRoom(...args);
    },
  };
  const onError = (error: unknown) => void failures.push(error);
  stop = recheck({ bus, clock: { now: () => now }, hub, sessions, members, onError, every: 10 });
  bus.subscribe((event) => void published.push(event));
});
afterAll(async () => {
  stop();
  await server.stop();
  await stores.close();
  expect(failures).toEqual([]);
});

beforeEach(async () => {
  here = await hall(stores);
});

const somebody = async () => actorIn(stores, here.slug, await here.joins());
const room = () => ({ id: here.room, slug: here.slug });

async function follower(actor: SignedInActor) {
  const opened = await server.opens({ actor });
  hub.follow(opened.socket, room(), 0, hub.removals());
  return opened;
}

/** Another process has done something that nobody was told of. */
async function lookAnew(): Promise<void> {
  published = [];
  const done = new Promise<void>((resolve) => {
    bus.subscribe((event) => void (event.type === "rights.known" && resolve()));
  });
  bus.publish({ type: "accounts.reread" });
  await done;
}

/** What was found out, between the question and the word that it is answered. */
function found(): BusEvent[] {
  expect([published[0], published.at(-1)]).toEqual([{ type: "accounts.reread" }, { type: "rights.known" }]);
  return published.slice(1, -1);
}

test("whoever has lost a room unheard is told so, whatever they hear of it; the others go on", async () => {
  const [ann, bob, carl, dora] = [await somebody(), await somebody(), await somebody(), await somebody()];
  const [hers, his] = [await follower(ann), await follower(bob)];
  const original = await server.opens({ actor: carl, slug: here.slug });
  hub.attend(original.socket, room(), 0, { topic: "by another way", tell() {} });
  const elsewhere = await server.opens({ actor: dora });
  hub.hearNews(elsewhere.socket, room(), 0);
  await lookAnew();
  expect(found()).toEqual([]);

  await stores.members.setRole(here.room, bob.id, "removed");
  for (const { id } of [carl, dora]) await stores.members.forget(here.room, id);
  await lookAnew();
  expect(found().map((event) => event.type === "membership.ended" && event.userId)).toEqual(
    expect.arrayContaining([bob.id, carl.id, dora.id]),
  );
  expect(found()).toHaveLength(3);
  expect(await his.heard()).toEqual([{ type: "removed", room: here.slug, reason: "membership" }]);
  expect(await hers.heard()).toEqual([]);
  expect(await original.closed).toBe(CLOSE_REMOVED);
  expect(hub.hearers([room()]).size).toBe(1);
  for (const socket of [hers, his, elsewhere]) await socket.leaves();
});

test("nobody loses the public room, and guests lose nothing", async () => {
  const entry = await entryOf(stores, PUBLIC_ROOM, null);
  const sockets = [await server.opens({ actor: await somebody() }), await server.opens()];
  for (const { socket } of sockets) hub.follow(socket, entry.room, 0, hub.removals());
  expect(hub.served()).toContainEqual({ id: entry.room.id, slug: PUBLIC_ROOM });
  await lookAnew();
  expect(found()).toEqual([]);
  for (const socket of sockets) await socket.leaves();
});

test("whoever has lost their session unheard is sent away", async () => {
  const [ann, bob] = [await somebody(), await somebody()];
  const [hers, his] = [await follower(ann), await follower(bob)];
  over.add(bob.session);
  await lookAnew();
  expect(found()).toEqual([{ type: "sessions.ended", sessions: [bob.session] }]);
  expect(await his.closed).toBe(CLOSE_SESSION_OVER);
  expect(await hers.heard()).toEqual([]);
  await hers.leaves();
});

test("whoever has lost their session by time alone is sent away, and whoever has renewed it is not", async () => {
  const [ann, bob, carl] = [await somebody(), await somebody(), await somebody()];
  const hers = await server.opens({ actor: ann, sessionEndsAt: 1000 });
  const his = await server.opens({ actor: bob, sessionEndsAt: 1000 });
  const later = await server.opens({ actor: carl, sessionEndsAt: 2000 });
  for (const { session } of [bob, carl]) over.add(session);
  published = [];
  now = 999;
  await Bun.sleep(50);
  expect(published).toEqual([]);
  now = 1000;
  expect(await his.closed).toBe(CLOSE_SESSION_OVER);
  expect(published).toEqual([{ type: "sessions.ended", sessions: [bob.session] }]);
  expect(await hers.heard()).toEqual([]);
  expect(await later.heard()).toEqual([]);
  now = 2000;
  expect(await later.closed).toBe(CLOSE_SESSION_OVER);
  await hers.leaves();
  now = 0;
});

test("whoever may do nothing any more is sent away, though nobody has told that their session is over", async () => {
  const [ann, bob] = [await somebody(), await somebody()];
  const [hers, his] = [await follower(ann), await follower(bob)];
  for (const { session } of [ann, bob]) over.add(session);
  const { id: userId, name } = bob;
  bus.publish({ type: "account.changed", userId, name, avatar: null });
  expect(await his.closed).toBe(CLOSE_SESSION_OVER);
  expect(await hers.heard()).toEqual([]);
  await hers.leaves();
});

test("what was asked before nobody would tell more is no answer", async () => {
  published = [];
  bus.publish({ type: "accounts.reread" });
  bus.publish({ type: "rights.unheard" });
  await Bun.sleep(50);
  expect(published).toEqual([{ type: "accounts.reread" }, { type: "rights.unheard" }]);
  await lookAnew();
  expect(found()).toEqual([]);
});

test("nothing is known by a look that failed: the next one is, and tells what it finds", async () => {
  const bob = await somebody();
  const his = await follower(bob);
  await stores.members.setRole(here.room, bob.id, "removed");
  isAway = true;
  const done = lookAnew();
  await Bun.sleep(200);
  expect(published).toEqual([{ type: "accounts.reread" }]);
  expect(failures.splice(0)).toEqual([new Error("away")]);
  isAway = false;
  await done;
  expect(found()).toMatchObject([{ type: "membership.ended", userId: bob.id }]);
  await his.leaves();
});
