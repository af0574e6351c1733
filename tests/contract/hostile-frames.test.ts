import { afterAll, beforeAll, expect, test, describe } from "bun:test";
import { member, type Client } from "../../src/testing/client.ts";
import { newKey, openChat, openGateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

const MEGABYTE = 1024 * 1024;

let world: World;
let ann: Client;
beforeAll(async () => {
  world = await startWorld();
  ann = await member(world, "ann");
});
afterAll(() => world.stop());

describe("a frame", () => {
  const values = [null, true, 1, 1.5, [], ["a"], {}, { toString: "x" }];

  test("of the native protocol may hold anything anywhere, and its socket lives", async () => {
    const socket = await openGateway(ann);
    const good = { type: "send", room: "public", key: "12345678", text: "x" };
    for (const value of values) {
      for (const field of Object.keys(good)) {
        socket.send({ ...good, [field]: value });
        expect(await socket.next()).toMatchObject({ type: "refusal", code: "bad_request" });
      }
    }
    for (const rooms of [
      ...values.slice(0, 4),
      [1],
      [{}],
      [{ room: 1, epoch: "", rev: 0 }],
      [{ room: "public", epoch: 1, rev: {} }],
    ]) {
      socket.send({ type: "hello", rooms });
      expect(await socket.next()).toMatchObject({ type: "refusal", code: "bad_request" });
    }
    socket.send(
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"type":"__proto__"}',
    );
    expect(await socket.next()).toMatchObject({ type: "refusal", code: "bad_request" });
    socket.send("[".repeat(100_000));
    expect(await socket.next()).toMatchObject({ type: "refusal", code: "bad_request" });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(await socket.post("still here")).toMatchObject({ type: "ack" });
    expect(world.errors).toEqual([]);
  });

  test("of bytes ends a socket of the native protocol, and says why", async () => {
    const socket = await openGateway(ann);
    socket.send(new TextEncoder().encode("{}"));
    expect(await socket.closed).toEqual({ code: 1003, reason: "text only" });
  });

  test("does not choose its author, number or time", async () => {
    const [native, chat] = [await openGateway(ann), await openChat(ann, "public")];
    const wish = {
      id: 1,
      seq: 1,
      rev: 1,
      author: "bob",
      user: "bob",
      username: "bob",
      createdAt: 0,
      profile_pic: "http://evil.example/x",
    };
    native.send({ type: "send", room: "public", key: newKey(), text: "native", ...wish });
    const { changes } = await native.nextOf("changes", (frame) => frame.changes[0]?.text === "native");
    expect(changes[0]).toMatchObject({ author: "ann", avatar: null });
    expect(changes[0]?.createdAt).toBeGreaterThan(Date.now() - 60_000);
    expect(changes[0]?.id).toBeGreaterThan(1);
    chat.send({ message: "old", room: "elsewhere", ...wish });
    const frame = await chat.next(({ message }) => message === "old");
    expect(frame).toMatchObject({
      username: "ann",
      room: "public",
      profile_pic: `${world.url}/media/default.jpg`,
    });
  });

  test.each(["/ws/", "/ws/chat/public/"])(
    "of two megabytes closes its socket on %s, and nobody else's",
    async (path) => {
      const open = async () => (path === "/ws/" ? await openGateway(ann) : await openChat(ann, "public"));
      const [huge, other] = [await open(), await open()];
      const body = "a".repeat(2 * MEGABYTE);
      huge.send(
        path === "/ws/" ? { type: "send", room: "public", key: newKey(), text: body } : { message: body },
      );
      const { code } = await huge.closed;
      expect(code).not.toBe(1000);
      other.send({ message: "unhurt" });
      await Bun.sleep(50);
      expect(other.isOpen()).toBe(true);
      expect(world.errors).toEqual([]);
    },
  );
});
