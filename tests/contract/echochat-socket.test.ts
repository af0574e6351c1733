import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { shakeHands } from "../../src/testing/raw.ts";
import { openChat, type ChatFrame, type Socket } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

// Idle sockets are looked for every ten seconds.
setDefaultTimeout(30_000);

/** How long a test listens for a frame that must not come. */
const SILENCE_MS = 60;

let world: World;
let ann: Client;
let bob: Client;
let visitor: Client;
let people = 0;

/** The watch for idle sockets runs every ten seconds: it goes on beside the other tests. */
let idle: {
  world: World;
  silent: Socket<ChatFrame>;
  busy: Socket<ChatFrame>;
  openedAt: number;
  timer: Timer;
};

beforeAll(async () => {
  const other = await startWorld({ CHAT_WS_IDLE_TIMEOUT: "5" });
  const [silent, busy] = [
    await openChat(await guest(other), "public"),
    await openChat(await guest(other), "public"),
  ];
  const timer = setInterval(() => busy.send("not even JSON"), 200);
  idle = { world: other, silent, busy, openedAt: Date.now(), timer };

  world = await startWorld({ CHAT_MESSAGE_RATE_LIMIT: undefined, CHAT_MESSAGE_RATE_WINDOW: "3" });
  [ann, bob, visitor] = [await member(world, "ann"), await member(world, "bob"), await guest(world)];
});
afterAll(() => world.stop());

const stored = async () => {
  const answer = await visitor.get("/api/chat/rooms/public/messages/?limit=200");
  return (answer.json() as { messages: { content: string }[] }).messages.map(({ content }) => content);
};
const isMessage = ({ message }: ChatFrame) => message !== undefined;
/** Somebody new, who has not said anything within the window of the message limit. */
const newcomer = () => member(world, `person${++people}`);

describe("what a member says", () => {
  test("reaches everybody in the room, the sender too, under the sender's real name", async () => {
    const sockets = [
      await openChat(ann, "public"),
      await openChat(bob, "public"),
      await openChat(visitor, "public"),
    ];
    sockets[0]?.send({
      message: "hello",
      username: "mallory",
      profile_pic: "http://evil.example/x.png",
      room: "elsewhere",
    });
    for (const socket of sockets) {
      const { id, seq, createdAt, ...known } = (await socket.next()) as ChatFrame & Record<string, unknown>;
      expect(known).toEqual({
        message: "hello",
        username: "ann",
        profile_pic: `${world.url}/media/default.jpg`,
        room: "public",
      });
      expect([typeof id, typeof seq, typeof createdAt]).toEqual(["number", "number", "string"]);
      socket.close();
    }
  });

  test("is kept as written, but for outer white space", async () => {
    const socket = await openChat(ann, "public");
    for (const [sent, kept] of [
      ["  two  words  ", "two  words"],
      [
        "\u001c\u001d\u001e\u001f\u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000 all of it \t\n\v\f\r",
        "all of it",
      ],
      ["\ufeffmark\ufeff", "\ufeffmark\ufeff"],
      ["\u200bzero\u180e", "\u200bzero\u180e"],
      ["<b>&lt;</b>\r\n'\"", "<b>&lt;</b>\r\n'\""],
    ] as const) {
      socket.send({ message: sent });
      expect((await socket.next()).message).toBe(kept);
    }
    expect((await stored()).slice(-2)).toEqual(["\u200bzero\u180e", "<b>&lt;</b>\r\n'\""]);
    socket.close();
  });

  test("may have a thousand characters, however large, and not one more", async () => {
    const [socket, other] = [await openChat(await newcomer(), "public"), await openChat(bob, "public")];
    const before = await stored();
    for (const text of ["😀".repeat(1000), "a".repeat(1000), ` ${"б".repeat(1000)} `]) {
      socket.send({ message: text });
      expect((await socket.next()).message).toBe(text.trim());
      expect((await other.next()).message).toBe(text.trim());
    }
    for (const text of ["😀".repeat(1001), "a".repeat(1001)]) {
      socket.send({ message: text });
      expect(await socket.next()).toEqual({ error: "message_too_long" });
    }
    expect(await other.quiet(SILENCE_MS)).toEqual([]);
    expect(await stored()).toHaveLength(before.length + 3);
    socket.close();
  });

  test("comes in the order in which it was said", async () => {
    const [socket, other] = [await openChat(await newcomer(), "public"), await openChat(bob, "public")];
    const said = Array.from({ length: 20 }, (_, i) => `in order ${i}`);
    for (const message of said) socket.send({ message });
    for (const message of said) expect((await other.next()).message).toBe(message);
    socket.close();
  });
});

describe("what is no message", () => {
  test.each([
    ["no JSON", "hello"],
    ["empty text", ""],
    ["broken JSON", '{"message":'],
    ["a list", '["message"]'],
    ["a number", "123"],
    ["a text", '"message"'],
    ["null", "null"],
    ["an object without one", { text: "x" }],
    ["a number as one", { message: 1 }],
    ["a list as one", { message: ["x"] }],
    ["null as one", { message: null }],
    ["nothing but white space", { message: " \t\n\u001c\u0085\u3000 " }],
    ["an empty one", { message: "" }],
    ["bytes", new TextEncoder().encode('{"message":"in bytes"}')],
  ])("is ignored, and the socket lives: %s", async (_, frame) => {
    const [socket, other] = [await openChat(ann, "public"), await openChat(bob, "public")];
    const before = await stored();
    socket.send(frame);
    expect(await socket.quiet(SILENCE_MS)).toEqual([]);
    expect(await other.quiet(0)).toEqual([]);
    expect(await stored()).toEqual(before);
    expect(socket.isOpen()).toBe(true);
    socket.send({ message: "x".repeat(1001) });
    expect(await socket.next()).toEqual({ error: "message_too_long" });
    socket.close();
  });

  test.each([
    ["half a surrogate pair", '{"message":"broken \\ud83d"}'],
    ["NUL", '{"message":"zero \\u0000 byte"}'],
  ])("is answered and not stored where it cannot be stored: %s", async (_, frame) => {
    const [socket, other] = [await openChat(ann, "public"), await openChat(bob, "public")];
    const before = await stored();
    socket.send(frame);
    expect(await socket.next()).toEqual({ error: expect.any(String) });
    expect(await other.quiet(SILENCE_MS)).toEqual([]);
    expect(await stored()).toEqual(before);
    expect(socket.isOpen()).toBe(true);
    socket.close();
  });
});

describe("a guest", () => {
  test("hears what is said and is not heard", async () => {
    const [guests, members] = [await openChat(visitor, "public"), await openChat(await newcomer(), "public")];
    guests.send({ message: "let me in", username: "ann" });
    expect(await guests.quiet(SILENCE_MS)).toEqual([]);
    members.send({ message: "premise" });
    expect((await guests.next()).message).toBe("premise");
    expect(await stored()).not.toContain("let me in");
    guests.close();
  });

  test("is told nothing on opening, with whatever query", async () => {
    for (const query of ["", "?auth=1", "?auth=0&username=ann"]) {
      const socket = await openChat(visitor, "public", query);
      socket.send({ message: "let me in" });
      expect(await socket.quiet(SILENCE_MS)).toEqual([]);
      socket.close();
    }
    const socket = await openChat(bob, "public", "?auth=0");
    socket.send({ message: "by cookie" });
    expect(await socket.next(isMessage)).toMatchObject({ message: "by cookie", username: "bob" });
    socket.close();
  });
});

test("twenty messages in a window are a member's share, over all their sockets", async () => {
  const cleo = await newcomer();
  const [phone, desk, other] = [
    await openChat(cleo, "public"),
    await openChat(cleo, "public"),
    await openChat(bob, "public"),
  ];
  for (let i = 0; i < 5; i++) phone.send({ message: "x".repeat(1001) });
  for (let i = 0; i < 5; i++) phone.send({ message: " " });
  for (let i = 0; i < 15; i++) phone.send({ message: `share ${i}` });
  await phone.next(({ message }) => message === "share 14");
  for (let i = 15; i < 25; i++) desk.send({ message: `share ${i}` });
  await desk.next(({ message }) => message === "share 19");
  for (let i = 20; i < 25; i++) {
    const { retry_after: seconds, ...refusal } = await desk.next(({ error }) => error !== undefined);
    expect(refusal).toEqual({ error: "rate_limited" });
    if (seconds !== undefined) expect(seconds).toBeGreaterThanOrEqual(1);
  }
  const tooLong = (await phone.quiet(SILENCE_MS)).filter(({ error }) => error !== undefined);
  expect(tooLong).toEqual(Array.from({ length: 5 }, () => ({ error: "message_too_long" })));
  const shares = (texts: (string | undefined)[]) => texts.filter((text) => text?.startsWith("share"));
  expect(shares((await other.quiet(0)).map(({ message }) => message))).toHaveLength(20);
  expect(shares(await stored())).toHaveLength(20);

  const socket = await openChat(bob, "public");
  socket.send({ message: "bob has his own" });
  await socket.next(({ message }) => message === "bob has his own");
  await Bun.sleep(3_050);
  desk.send({ message: "again" });
  await desk.next(({ message }) => message === "again");
});

describe("a handshake", () => {
  const shake = (who: Client, path: string, headers: Record<string, string> = {}) =>
    shakeHands(world, path, { cookie: who.cookieHeader(), origin: world.url, ...headers });

  test("succeeds for anybody in the public room, without a subprotocol", async () => {
    for (const who of [ann, visitor]) {
      const answer = await shake(who, "/ws/chat/public/", { "sec-websocket-protocol": "chat, superchat" });
      expect(answer.status).toBe(101);
      expect(answer.headers.get("sec-websocket-protocol")).toBeNull();
      expect(answer.headers.get("sec-websocket-accept")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
  });

  test.each([
    "ab",
    "a.b.c",
    "a/b",
    "a%2Fb",
    "комната".replace(/./g, encodeURIComponent),
    "x".repeat(51),
    "public/public",
    "%00",
    "%zz",
  ])("is refused by 403 for the invalid slug %s", async (slug) => {
    for (const who of [ann, visitor]) expect((await shake(who, `/ws/chat/${slug}/`)).status).toBe(403);
  });

  test("is refused to a guest in any other room", async () => {
    for (const slug of ["abc", "PUBLIC", "messages"])
      expect((await shake(visitor, `/ws/chat/${slug}/`)).status).toBe(403);
  });

  test.each(["", "null", "http://evil.example", "https://localhost.evil.example"])(
    "is refused by 403 to a page at %j",
    async (origin) => {
      for (const who of [ann, visitor])
        expect((await shake(who, "/ws/chat/public/", { origin })).status).toBe(403);
    },
  );

  test("counts the host of a page, on any port and with TLS", async () => {
    for (const origin of [
      "http://localhost:5173",
      "https://localhost",
      "http://127.0.0.1:1",
      "http://LOCALHOST",
    ]) {
      expect((await shake(visitor, "/ws/chat/public/", { origin })).status).toBe(101);
    }
  });
});

test("a socket on which nothing was said or heard is closed, and one that talks is not", async () => {
  const { world: other, silent, busy, openedAt, timer } = idle;
  expect((await silent.closed).code).toBe(4001);
  expect(Date.now() - openedAt).toBeGreaterThanOrEqual(5_000);
  expect(busy.isOpen()).toBe(true);
  clearInterval(timer);
  await other.stop();
});
