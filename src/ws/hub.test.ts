import { afterAll, beforeAll, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { RoomId, SessionId, UserId } from "../shared/ids.ts";
import { CLOSE_SESSION_OVER, type ServerFrame } from "../shared/protocol.ts";
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

const bus = createMemoryBus();
const hub = createHub(bus);
const opened: Socket[] = [];
const protocol: Protocol = { opened: (socket) => void opened.push(socket), received: async () => {} };
let server: Bun.Server<SocketData>;

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    fetch(request, self) {
      const data = {
        protocol,
        actor: ANN,
        origin: "",
        address: "",
        slug: "",
        work: Promise.resolve(),
        heardAt: 0,
      };
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

/** A real socket: its server's end, what has come out at the other, and the code it is closed with. */
async function reader() {
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
