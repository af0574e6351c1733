import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import { serveHub, type HubServer } from "../testing/hub.ts";
import { createHub } from "./hub.ts";
import { hasRoom, roomFor, type Protocol, type Socket } from "./socket.ts";

/** What a frame counts for that waits, however short it is. */
const FRAME_LEAST = 64;

const hub = createHub(createMemoryBus());
let server: HubServer;

beforeAll(() => {
  server = serveHub(hub, () => 4711);
});
afterAll(() => server.stop());

/** Takes one frame at a time, each when it is let go. */
function gated(): Protocol & { taken: string[]; go(): void } {
  const taken: string[] = [];
  let gate = Promise.withResolvers<void>();
  return {
    taken,
    go() {
      gate.resolve();
      gate = Promise.withResolvers();
    },
    opened() {},
    async received(_socket, text) {
      taken.push(text);
      await gate.promise;
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("the frames of a socket", () => {
  test("are taken one after the other, in their order, whatever each takes", async () => {
    const protocol = gated();
    const { socket, says, heard } = await server.opens({ protocol });
    for (const text of ["a", "b", "c"]) says(text);
    while (socket.data.queued < 2 * FRAME_LEAST) await turn();
    await heard();
    expect(protocol.taken).toEqual(["a"]);
    for (const taken of [
      ["a", "b"],
      ["a", "b", "c"],
    ]) {
      protocol.go();
      await turn();
      expect(protocol.taken).toEqual(taken);
    }
    expect(socket.data.queued).toBe(0);
    expect(socket.data.heardAt).toBe(4711);
    protocol.go();
  });

  test("that wait are bounded: whoever sends a mebibyte ahead of the answers is closed", async () => {
    const protocol = gated();
    const { socket, says, closed } = await server.opens({ protocol });
    const QUARTER = "x".repeat(256 * 1024);
    for (let i = 0; i < 5; i++) says(QUARTER);
    while (socket.data.queued < 1024 * 1024) await turn();
    expect(hub.sockets()).toContain(socket);
    says("x");
    expect(await closed).toBe(1008);
    protocol.go();
    await turn();
    expect(protocol.taken).toEqual([QUARTER]);
  });

  test("that wait are bounded even when they say nothing", async () => {
    const protocol = gated();
    const { socket, says, closed } = await server.opens({ protocol });
    says("");
    while (protocol.taken.length === 0) await turn();
    for (let i = 0; i < (1024 * 1024) / FRAME_LEAST; i++) says("");
    while (socket.data.queued < 1024 * 1024) await turn();
    expect(hub.sockets()).toContain(socket);
    says("");
    expect(await closed).toBe(1008);
    protocol.go();
    await turn();
    expect(protocol.taken).toEqual([""]);
  });

  test("that waited are not taken when the socket is closed meanwhile", async () => {
    const protocol = gated();
    const { socket, says, leaves } = await server.opens({ protocol });
    says("a");
    says("b");
    while (socket.data.queued < 1) await turn();
    await leaves();
    while (hub.sockets().includes(socket)) await turn();
    protocol.go();
    await turn();
    expect(protocol.taken).toEqual(["a"]);
  });

  test("that are bytes are nothing", async () => {
    const protocol = gated();
    const { says, socket } = await server.opens({ protocol });
    says(new Uint8Array([1, 2, 3]) as never);
    says("a");
    while (protocol.taken.length === 0) await turn();
    expect([protocol.taken, socket.data.queued]).toEqual([["a"], 0]);
    protocol.go();
  });

  test("that are bytes end a socket whose protocol answers each frame", async () => {
    const protocol = { ...gated(), numbered: true };
    const { says, closed } = await server.opens({ protocol });
    says(new Uint8Array([1, 2, 3]) as never);
    says("a");
    expect(await closed).toBe(1003);
    expect(protocol.taken).toEqual([]);
  });
});

describe("whoever sends much to a socket", () => {
  /** More than the kernel takes for a reader who does not read. */
  function fill(socket: Socket): void {
    while (hasRoom(socket)) socket.send(JSON.stringify("x".repeat(64 * 1024)));
  }

  test("waits while its reader takes it in, and goes on when most is taken", async () => {
    const { socket } = await server.opens();
    expect(roomFor(socket)).toBeUndefined();
    let waits = 0;
    for (let i = 0; i < 3; i++) {
      fill(socket);
      const room = roomFor(socket);
      expect(room).toBeInstanceOf(Promise);
      await room;
      expect(hasRoom(socket)).toBe(true);
      waits++;
    }
    expect(waits).toBe(3);
  });

  test("does not wait for one that is gone", async () => {
    const { socket, leaves } = await server.opens();
    fill(socket);
    const room = roomFor(socket);
    await leaves();
    await room;
    expect(roomFor(socket)).toBeUndefined();
  });
});
