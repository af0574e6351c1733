import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { RoomId } from "../shared/ids.ts";
import { serveHub, type HubServer } from "../testing/hub.ts";
import { createHub } from "./hub.ts";
import { startPings } from "./pings.ts";
import type { Socket } from "./socket.ts";

const EVERY_MS = 200;
const ROOM = { id: 1 as RoomId, slug: "public" };

const hub = createHub(createMemoryBus());
let server: HubServer;
let stop = () => {};

beforeAll(() => {
  server = serveHub(hub);
});
beforeEach(() => {
  stop = startPings(hub, EVERY_MS);
});
afterEach(() => stop());
afterAll(() => server.stop());

const follow = (socket: Socket) => hub.follow(socket, ROOM, 0, hub.removals());

/** So that something goes out to whoever follows the room, as it always does. */
async function talk(rounds: number): Promise<void> {
  for (let i = 0; i < rounds * 4; i++) {
    hub.tell(ROOM.id, { type: "head", room: ROOM.slug, head: 0 });
    await Bun.sleep(EVERY_MS / 4);
  }
}

test("whoever answers stays, whoever does not is given up, though both are told of what happens", async () => {
  const { socket: quiet } = await server.opens();
  const gone = await server.opensMute();
  for (const socket of [quiet, gone]) expect(follow(socket)).toBe(true);
  while (hub.sockets().includes(gone)) await talk(1);
  expect(gone.data.looksUnheard).toBe(6);
  await talk(6);
  expect(hub.sockets()).toEqual([quiet]);
});

test("a frame is a sign of life like any", async () => {
  const { socket, says } = await server.opens();
  while (socket.data.looksUnheard < 2) await Bun.sleep(1);
  says("{}");
  while (socket.data.looksUnheard > 0) await Bun.sleep(1);
});
