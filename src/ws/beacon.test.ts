import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { RoomId } from "../shared/ids.ts";
import type { ServerFrame } from "../shared/protocol.ts";
import { serveHub, type HubServer, type HubSocket } from "../testing/hub.ts";
import { startBeacon } from "./beacon.ts";
import { createHub } from "./hub.ts";

const HALL = { id: 1 as RoomId, slug: "hall" };
const GONE = { id: 2 as RoomId, slug: "gone" };
const EVERY = 20;

const hub = createHub(createMemoryBus());
let server: HubServer;
let stop = () => {};
let errors: unknown[] = [];

beforeAll(() => {
  server = serveHub(hub);
});
afterEach(() => {
  stop();
  errors = [];
});
afterAll(() => server.stop());

function start(heads: (rooms: readonly RoomId[]) => Promise<Map<RoomId, number>>): void {
  stop = startBeacon({ hub, feed: { heads }, every: EVERY, onError: (error) => void errors.push(error) });
}

/** What has been told, once it is so much. */
async function toldTo({ heard }: HubSocket, count: number): Promise<ServerFrame[]> {
  const told: ServerFrame[] = [];
  while (told.length < count) {
    await Bun.sleep(EVERY);
    told.push(...(await heard()));
  }
  return told;
}

test("whoever follows a room is told its head again and again, as it is then; nobody else is", async () => {
  let head = 7;
  start(async (rooms) => new Map(rooms.filter((id) => id === HALL.id).map((id) => [id, head])));
  const [follower, idle] = [await server.opens(), await server.opens()];
  for (const room of [HALL, GONE]) hub.follow(follower.socket, room, 0, hub.removals());
  const told = await toldTo(follower, 2);
  expect(new Set(told.map((frame) => JSON.stringify(frame)))).toEqual(
    new Set([JSON.stringify({ type: "head", room: "hall", head: 7 })]),
  );
  head = 8;
  expect((await toldTo(follower, 1)).at(-1)).toEqual({ type: "head", room: "hall", head: 8 });
  expect(await idle.heard()).toEqual([]);
  expect(errors).toEqual([]);
});

test("a store that fails is reported, and asked again", async () => {
  let isBroken = true;
  start(async () => {
    if (isBroken) throw new Error("the store has failed");
    return new Map([[HALL.id, 9]]);
  });
  const follower = await server.opens();
  hub.follow(follower.socket, HALL, 0, hub.removals());
  await Bun.sleep(EVERY * 3);
  expect(errors.length).toBeGreaterThan(0);
  expect(await follower.heard()).toEqual([]);
  isBroken = false;
  expect(await toldTo(follower, 1)).not.toEqual([]);
});

test("once stopped, nobody is told any more", async () => {
  start(async () => new Map([[HALL.id, 1]]));
  const follower = await server.opens();
  hub.follow(follower.socket, HALL, 0, hub.removals());
  await toldTo(follower, 1);
  stop();
  await follower.heard();
  await Bun.sleep(EVERY * 3);
  expect(await follower.heard()).toEqual([]);
});
