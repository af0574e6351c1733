import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { RoomId, SessionId, UserId } from "../shared/ids.ts";
import { CLOSE_REMOVED, CLOSE_SESSION_OVER, type ServerFrame } from "../shared/protocol.ts";
import { socketHandlers } from "./handlers.ts";
import { createHub } from "./hub.ts";
import type { Protocol, Socket, SocketData } from "./socket.ts";

const ROOM = 1 as RoomId;
const ANN = {
  kind: "member",
  id: 1 as UserId,
  name: "ann",
  session: "session-of-ann" as SessionId,
  rank: "user",
} as const;

const BOB = { ...ANN, id: 2 as UserId, name: "bob", session: "session-of-bob" as SessionId };
const GUEST = { kind: "guest" } as const;

const bus = createMemoryBus();
const hub = createHub(bus);
const opened: Socket[] = [];
const protocol: Protocol = { opened: (socket) => void opened.push(socket), received: async () => {} };
let server: Bun.Server<SocketData>;
/** Who the next socket belongs to, and the room of its path. */
let next: { actor: SocketData["actor"]; slug: string };

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    fetch(request, self) {
      const data = { ...next, protocol, origin: "", address: "", work: Promise.resolve(), heardAt: 0 };
      return self.upgrade(request, { data }) ? undefined : new Response(null, { status: 400 });
    },
    websocket: socketHandlers(
      hub,
      () => 0,
      (error) => {
        throw error;
      },
    ),
  });
  hub.attach(server);
});
afterAll(() => server.stop(true));

test("a reader who is behind what has been published has to read again before following", async () => {
  const { socket, heard } = await reader();
  change(4, 5);
  expect(hub.follow(socket, ROOM, 4, hub.removals())).toBe(false);
  change(5, 6);
  expect(await heard()).toEqual([]);

  expect(hub.follow(socket, ROOM, 6, hub.removals())).toBe(true);
  change(6, 7);
  expect(await heard()).toMatchObject([{ type: "changes", room: "public", from: 6, to: 7 }]);
});

test("a reader may hold more than has been published here, as after a restart", async () => {
  const { socket, heard } = await reader();
  expect(hub.follow(socket, ROOM, 1000, hub.removals())).toBe(true);
  change(1000, 1001);
  expect(await heard()).toMatchObject([{ from: 1000, to: 1001 }]);
});

test("sockets of a session that has ended are closed, and no others", async () => {
  const { closed } = await reader();
  bus.publish({ type: "sessions.ended", sessions: ["session-of-bob" as SessionId] });
  expect(await Promise.race([closed, Bun.sleep(50)])).toBeUndefined();
  bus.publish({ type: "sessions.ended", sessions: [ANN.session] });
  expect(await closed).toBe(CLOSE_SESSION_OVER);
});

describe("somebody who loses a room", () => {
  const HALL = 2 as RoomId;
  const ended = (userId: UserId) =>
    bus.publish({ type: "membership.ended", roomId: HALL, room: "hall", userId });
  const said = (to: number) =>
    bus.publish({ type: "messages.changed", roomId: HALL, room: "hall", from: to - 1, to, changes: [] });
  const lost = { type: "removed", room: "hall", reason: "membership" };

  test("is told on all their sockets, and hears nothing more; the others go on", async () => {
    const [first, second, other] = [await reader(), await reader(), await reader(BOB)];
    for (const { socket } of [first, second, other])
      expect(hub.follow(socket, HALL, 0, hub.removals())).toBe(true);
    said(1);
    for (const { heard } of [first, second, other]) expect(await heard()).toMatchObject([{ to: 1 }]);
    ended(ANN.id);
    said(2);
    for (const { heard } of [first, second]) expect(await heard()).toEqual([lost as ServerFrame]);
    expect(await other.heard()).toMatchObject([{ type: "changes", to: 2 }]);
  });

  test("keeps the other rooms of the same socket", async () => {
    const { socket, heard } = await reader();
    expect(hub.follow(socket, HALL, 2, hub.removals())).toBe(true);
    expect(hub.follow(socket, ROOM, 2000, hub.removals())).toBe(true);
    ended(ANN.id);
    said(3);
    change(2000, 2001);
    expect(await heard()).toMatchObject([lost, { type: "changes", room: "public", to: 2001 }]);
  });

  test("is not told of a room that the socket does not follow", async () => {
    const { heard } = await reader();
    ended(ANN.id);
    expect(await heard()).toEqual([]);
  });

  test("does not follow it by what was read before", async () => {
    const { socket, heard } = await reader();
    const before = hub.removals();
    expect(hub.follow(socket, HALL, 3, before)).toBe(true);
    ended(ANN.id);
    expect(hub.removals()).toBeGreaterThan(before);
    expect(await heard()).toEqual([lost as ServerFrame]);
    expect(hub.follow(socket, HALL, 3, before)).toBe(false);
    said(4);
    expect(await heard()).toEqual([]);
    expect(hub.follow(socket, HALL, 4, hub.removals())).toBe(true);
  });

  test("has the socket closed whose only room it was, and no other of theirs or of others", async () => {
    const [own, elsewhere, gateway, other] = [
      await reader(ANN, "hall"),
      await reader(ANN, "Hall"),
      await reader(),
      await reader(BOB, "hall"),
    ];
    ended(ANN.id);
    expect(await own.closed).toBe(CLOSE_REMOVED);
    for (const { closed } of [elsewhere, gateway, other])
      expect(await Promise.race([closed, Bun.sleep(50)])).toBeUndefined();
  });
});

describe("a room that is removed", () => {
  const GONE = 3 as RoomId;

  test("is lost by everybody who follows it, each told once", async () => {
    const people = [await reader(), await reader(BOB), await reader(GUEST)];
    const idle = await reader(BOB);
    for (const { socket } of people) expect(hub.follow(socket, GONE, 0, hub.removals())).toBe(true);
    const old = await reader(BOB, "gone");
    bus.publish({ type: "room.removed", roomId: GONE, room: "gone" });
    bus.publish({ type: "messages.changed", roomId: GONE, room: "gone", from: 0, to: 1, changes: [] });
    for (const { heard } of people)
      expect(await heard()).toEqual([{ type: "removed", room: "gone", reason: "room" }]);
    expect(await old.closed).toBe(CLOSE_REMOVED);
    expect(await idle.heard()).toEqual([]);
  });
});

/** A real socket: its server's end, what has come out at the other, and the code it is closed with. */
async function reader(actor: SocketData["actor"] = ANN, slug = "") {
  next = { actor, slug };
  const frames: ServerFrame[] = [];
  const client = new WebSocket(`ws://localhost:${server.port}/`);
  client.addEventListener("message", ({ data }) => frames.push(JSON.parse(String(data)) as ServerFrame));
  const closed = new Promise<number>((resolve) => {
    client.addEventListener("close", ({ code }) => resolve(code));
  });
  await new Promise((resolve) => client.addEventListener("open", resolve));
  while (opened.length === 0) await Bun.sleep(1);
  const heard = async () => {
    await Bun.sleep(50);
    return frames.splice(0);
  };
  return { socket: opened.pop() as Socket, heard, closed };
}

function change(from: number, to: number): void {
  bus.publish({ type: "messages.changed", roomId: ROOM, room: "public", from, to, changes: [] });
}
