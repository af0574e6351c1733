import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { openRaw, shakeHands } from "../../src/testing/raw.ts";
import {
  openGateway,
  openPresence,
  type Gateway,
  type PresenceFrame,
  type Socket,
} from "../../src/testing/socket.ts";
import { startWatch } from "../../src/testing/stopwatch.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

// Silent clients are looked for every five seconds.
setDefaultTimeout(30_000);

const PATH = "/ws/presence/";

/** How long a test listens for a frame that must not come: longer than the pause between two broadcasts. */
const SILENCE_MS = 200;

const GRACE_MS = 1_000;

/** Timers and the way to the client, on a busy machine. */
const LATE_MS = 700;

let world: World;
let ann: Client;
let bob: Client;
let visitor: Client;
const opened: (Socket<unknown> | Gateway)[] = [];

/** What takes seconds goes on beside the other tests. */
let slow: {
  world: World;
  patient: World;
  silent: Socket<PresenceFrame>[];
  talking: Socket<PresenceFrame>;
  unwatched: Socket<PresenceFrame>;
  openedAt: number;
  timer: Timer;
};

beforeAll(async () => {
  const env = { PRESENCE_HEARTBEAT: "1", PRESENCE_IDLE_TIMEOUT: "2" };
  const [other, patient] = [await startWorld(env), await startWorld({ ...env, PRESENCE_IDLE_TIMEOUT: "0" })];
  const silent = [await openPresence(await guest(other)), await openPresence(await member(other, "ann"))];
  const talking = await openPresence(await guest(other));
  const unwatched = await openPresence(await guest(patient));
  const timer = setInterval(() => talking.send("not even JSON"), 500);
  slow = { world: other, patient, silent, talking, unwatched, openedAt: Date.now(), timer };

  world = await startWorld({ PRESENCE_GRACE: "1", PRESENCE_HEARTBEAT: "3600" });
  [ann, bob, visitor] = [await member(world, "ann"), await member(world, "bob"), await guest(world)];
});
/** Everybody goes, and says so. */
afterEach(async () => {
  await Promise.all(opened.splice(0).map((socket) => (socket.close(1000), socket.closed)));
  await Bun.sleep(150);
});
afterAll(() => world.stop());

const opens = async (client: Client, headers?: Record<string, string>) => {
  const socket = await openPresence(client, headers);
  opened.push(socket);
  return socket;
};
const opensPage = async (client: Client) => {
  const socket = await openGateway(client);
  opened.push(socket);
  socket.send({ type: "presence" });
  return socket;
};
const behind = (address: string) => ({ "x-forwarded-for": address });
const namesOf = ({ online }: PresenceFrame) => online?.map(({ username }) => username);
/** Everybody has been told of what has happened, and the socket has read it. */
const rest = async (socket: Socket<unknown>) => {
  await Bun.sleep(SILENCE_MS);
  await socket.quiet(10);
};
const lists =
  (...names: string[]) =>
  (frame: PresenceFrame) =>
    namesOf(frame)?.join() === names.join();
const entry = (username: string, origin = world.url) => ({
  username,
  profileImage: `${origin}/media/default.jpg`,
});

describe("whoever opens a presence socket", () => {
  test("hears at once who is here: members a list and the number of guests, guests only the number", async () => {
    const anns = await opens(ann);
    expect(await anns.next()).toEqual({ online: [entry("ann")], guests: 0 });
    const guests = await opens(visitor);
    expect(await guests.next()).toEqual({ guests: 1 });
    const bobs = await opens(bob);
    expect(await bobs.next()).toEqual({ online: [entry("ann"), entry("bob")], guests: 1 });
  });

  test("is told to all who are here, and so is whoever closes one, a second tab as well", async () => {
    const [anns, guests] = [await opens(ann), await opens(visitor)];
    await anns.next((frame) => frame.guests === 1);
    await anns.quiet(SILENCE_MS);
    await guests.quiet(0);

    const bobs = await opens(bob);
    expect(await anns.next()).toEqual({ online: [entry("ann"), entry("bob")], guests: 1 });
    expect(await guests.next()).toEqual({ guests: 1 });
    await Bun.sleep(SILENCE_MS);

    const second = await opens(bob);
    expect(await anns.next()).toEqual({ online: [entry("ann"), entry("bob")], guests: 1 });
    expect(await guests.next()).toEqual({ guests: 1 });
    await Bun.sleep(SILENCE_MS);

    second.close(1000);
    expect(await anns.next()).toEqual({ online: [entry("ann"), entry("bob")], guests: 1 });
    await Bun.sleep(SILENCE_MS);

    bobs.close(1000);
    expect(await anns.next()).toEqual({ online: [entry("ann")], guests: 1 });
    await Bun.sleep(SILENCE_MS);
    guests.close(1000);
    expect(await anns.next()).toEqual({ online: [entry("ann")], guests: 0 });
    expect(await anns.quiet(SILENCE_MS)).toEqual([]);
  });

  test("is listed in the order of coming, once for all tabs, until the last is closed", async () => {
    const bobs = [await opens(bob), await opens(bob), await opens(bob)];
    const anns = await opens(ann);
    expect(namesOf(await anns.next())).toEqual(["bob", "ann"]);
    for (const socket of bobs.slice(1)) socket.close(1001);
    for (const frame of await anns.quiet(SILENCE_MS * 2)) expect(namesOf(frame)).toEqual(["bob", "ann"]);
    bobs[0]?.close(1000);
    await anns.next(lists("ann"));
  });

  test("finds avatars under the address that they themselves see", async () => {
    const anns = await opens(ann);
    const secure = world.url.replace("http:", "https:");
    const tls = await member(world, "tess", { tls: true });
    const tesss = await opens(tls, { "x-forwarded-proto": "https" });
    expect(await tesss.next()).toEqual({ online: [entry("ann", secure), entry("tess", secure)], guests: 0 });
    expect((await anns.next(lists("ann", "tess"))).online).toEqual([entry("ann"), entry("tess")]);
    await Bun.sleep(SILENCE_MS);
    await opens(bob);
    const all = ["ann", "tess", "bob"];
    expect((await tesss.next(lists(...all))).online).toEqual(all.map((name) => entry(name, secure)));
    expect((await anns.next(lists(...all))).online).toEqual(all.map((name) => entry(name)));
  });

  test("counts once with everybody behind the same address, when a guest", async () => {
    const anns = await opens(ann);
    const home = [await opens(visitor, behind("203.0.113.7")), await opens(visitor, behind("203.0.113.7"))];
    await opens(visitor, behind("198.51.100.1, 203.0.113.8"));
    await opens(visitor, behind("2001:db8::7"));
    await anns.next((frame) => frame.guests === 3);
    await anns.quiet(SILENCE_MS);
    home[0]?.close(1000);
    for (const { guests } of await anns.quiet(SILENCE_MS * 2)) expect(guests).toBe(3);
    home[1]?.close(1000);
    await anns.next((frame) => frame.guests === 2);
  });
});

describe("whoever closes", () => {
  const headersOf = (client: Client) => ({ cookie: client.cookieHeader(), origin: world.url });

  test.each([1000, 1001])("with %d is gone at once", async (code) => {
    const [bobs, anns] = [await opens(bob), await opens(ann)];
    await anns.next(lists("bob", "ann"));
    const took = startWatch();
    bobs.close(code);
    await anns.next(lists("ann"));
    expect(took()).toBeLessThan(GRACE_MS);
  });

  test.each([
    ["without a status (1005)", async () => (await openRaw(world, PATH, headersOf(bob))).closeWithoutStatus],
    ["without a word (1006)", async () => (await openRaw(world, PATH, headersOf(bob))).breakOff],
    [
      "with another code",
      async () => {
        const socket = await opens(bob);
        return () => socket.close(3000);
      },
    ],
  ])("%s stays listed for the grace, and then is gone by itself", async (_, open) => {
    const leaves = await open();
    const anns = await opens(ann);
    await anns.next(lists("bob", "ann"));
    await rest(anns);
    const [closedAt, took] = [Date.now(), startWatch()];
    leaves();
    expect(namesOf(await anns.next())).toEqual(["bob", "ann"]);
    expect(namesOf(await anns.next())).toEqual(["ann"]);
    expect(Date.now() - closedAt).toBeGreaterThanOrEqual(GRACE_MS - 50);
    expect(took()).toBeLessThan(GRACE_MS + LATE_MS);
  });

  test("and opens another within the grace was never away", async () => {
    const [bobs, anns] = [await opens(bob), await opens(ann)];
    await anns.next(lists("bob", "ann"));
    await rest(anns);
    bobs.close(3000);
    await bobs.closed;
    await opens(bob);
    const frames = await anns.quiet(GRACE_MS + LATE_MS);
    expect(frames.map(namesOf)).toEqual(frames.map(() => ["bob", "ann"]));
    expect(frames.length).toBeGreaterThan(1);
  });

  test("by logging out is closed within a second, and gone after the grace", async () => {
    const cleo = await member(world, "cleo");
    const [cleos, anns] = [await opens(cleo), await opens(ann)];
    await anns.next(lists("cleo", "ann"));
    await cleo.logout();
    const took = startWatch();
    expect((await cleos.closed).code).toBe(4401);
    expect(took()).toBeLessThan(1_000);
    await anns.next(lists("ann"));
    expect(await (await opens(cleo)).next()).toEqual({ guests: 1 });
  });
});

describe("a client", () => {
  test("that says nothing is left out when its time is over, and a ping brings it back", async () => {
    const brief = await startWorld({ PRESENCE_TTL: "3", PRESENCE_TOUCH_INTERVAL: "30" });
    const [anns, bobs] = [await member(brief, "ann"), await member(brief, "bob")];
    const page = await openGateway(anns);
    page.send({ type: "presence" });
    const openedAt = Date.now();
    const socket = await openPresence(bobs);
    const took = startWatch();
    const guests = await openPresence(await guest(brief));
    await page.nextOf("presence", (frame) => frame.online?.length === 2 && frame.guests === 1);
    await page.quiet(1_000);
    // Heard at most once in the interval, which began when it connected.
    socket.send({ type: "ping", ts: 1 });
    const { guests: left } = await page.nextOf("presence", ({ online }) => online?.length === 1);
    expect(Date.now() - openedAt).toBeGreaterThanOrEqual(2_950);
    expect(took()).toBeLessThan(3_000 + LATE_MS);
    // The guest's time runs out with the member's, or a moment later.
    if (left > 0) await page.nextOf("presence", (frame) => frame.guests === 0);
    expect(socket.isOpen()).toBe(true);

    await socket.quiet(SILENCE_MS);
    socket.send({ type: "ping" });
    expect(namesOf(await socket.next())).toEqual(["ann", "bob"]);
    guests.send({ type: "ping" });
    await socket.next((frame) => frame.guests === 1);
    for (const each of [page, socket, guests]) each.close();
    await brief.stop();
  });

  test("that pings in time stays, and hears no answer", async () => {
    const brief = await startWorld({ PRESENCE_TTL: "3", PRESENCE_TOUCH_INTERVAL: "1" });
    const socket = await openPresence(await member(brief, "ann"));
    await socket.next(lists("ann"));
    for (let i = 0; i < 6; i++) {
      await Bun.sleep(600);
      socket.send({ type: "ping", ts: i });
    }
    expect(await socket.quiet(0)).toEqual([]);
    // The premise: without pings it would have gone.
    expect(namesOf(await socket.next())).toEqual([]);
    socket.close();
    await brief.stop();
  });

  test("that says something else is not answered and stays connected", async () => {
    const [anns, guests] = [await opens(ann), await opens(visitor)];
    await anns.next((frame) => frame.guests === 1);
    await anns.quiet(SILENCE_MS);
    await guests.quiet(0);
    for (const socket of [anns, guests]) {
      socket.send({ type: "pong" });
      socket.send({ online: [] });
      socket.send({ type: ["ping"] });
      for (const text of ['{"type":"ping"', "", '[{"type":"ping"}]', "1", '"ping"', "null"])
        socket.send(text);
      socket.send(new TextEncoder().encode('{"type":"ping"}'));
      expect(await socket.quiet(SILENCE_MS)).toEqual([]);
      expect(socket.isOpen()).toBe(true);
    }
    await opens(bob);
    await anns.next(lists("ann", "bob"));
  });
});

describe("a handshake", () => {
  const shake = (client: Client, headers: Record<string, string> = {}, path = PATH) =>
    shakeHands(world, path, { cookie: client.cookieHeader(), origin: world.url, ...headers });

  test("succeeds for everybody, whatever the query says, without a subprotocol", async () => {
    for (const client of [ann, visitor]) {
      for (const query of ["", "?auth=1", "?auth=0"]) {
        const answer = await shake(client, { "sec-websocket-protocol": "chat" }, PATH + query);
        expect(answer.status).toBe(101);
        expect(answer.headers.get("sec-websocket-protocol")).toBeNull();
      }
    }
    await Bun.sleep(GRACE_MS);
  });

  test.each(["", "null", "http://evil.example", "https://localhost.evil.example"])(
    "is refused by 403 to a page at %j",
    async (origin) => {
      for (const client of [ann, visitor]) expect((await shake(client, { origin })).status).toBe(403);
    },
  );

  test("and a plain request for it is no socket", async () => {
    expect((await visitor.get(PATH)).status).toBe(426);
  });
});

test("a storm of newcomers costs the others ten frames a second, of which the last is right", async () => {
  const anns = await opens(ann);
  await rest(anns);
  const startedAt = Date.now();
  const storm = Array.from({ length: 200 }, (_, i) => opens(visitor, behind(`198.51.100.${i + 1}`)));
  const newcomers = await Promise.all(storm);
  for (const socket of newcomers) expect(Object.keys(await socket.next())).toEqual(["guests"]);
  const frames: PresenceFrame[] = [];
  while (frames.at(-1)?.guests !== 200) frames.push(await anns.next());
  frames.push(...(await anns.quiet(SILENCE_MS)));
  expect(frames.at(-1)).toEqual({ online: [entry("ann")], guests: 200 });
  expect(frames.length).toBeLessThanOrEqual(2 + (Date.now() - startedAt) / 100);
  for (const socket of newcomers) socket.close(1000);
  await anns.next((frame) => frame.guests === 0);
});

describe("a page of ours", () => {
  test("is present from when it asks, and hears of every change: names for members, a number for guests", async () => {
    const anns = await openGateway(ann);
    opened.push(anns);
    const bobs = await opens(bob);
    expect(namesOf(await bobs.next())).toEqual(["bob"]);
    expect(await anns.quiet(SILENCE_MS)).toEqual([]);

    anns.send({ type: "presence" });
    const here = [
      { name: "bob", avatar: null },
      { name: "ann", avatar: null },
    ];
    expect(await anns.nextOf("presence")).toEqual({ type: "presence", online: here, guests: 0 });
    await bobs.next(lists("bob", "ann"));
    const guests = await opensPage(visitor);
    expect(await guests.nextOf("presence")).toEqual({ type: "presence", online: null, guests: 1 });
    expect(await anns.nextOf("presence")).toEqual({ type: "presence", online: here, guests: 1 });
    bobs.close(1000);
    await anns.nextOf("presence", ({ online }) => online?.length === 1);
  });

  test("and a socket of an existing client are one person, and one guest behind one address", async () => {
    const [page, socket] = [await opensPage(ann), await opens(ann)];
    await opensPage(visitor);
    await opens(visitor);
    const { online, guests } = await page.nextOf("presence", (frame) => frame.guests > 0);
    expect({ online, guests }).toEqual({ online: [{ name: "ann", avatar: null }], guests: 1 });
    socket.close(1000);
    await page.quiet(SILENCE_MS);
    page.send({ type: "presence" });
    expect((await page.nextOf("presence")).online).toHaveLength(1);
  });

  test("is told of nothing that changes nothing", async () => {
    const page = await opensPage(ann);
    await page.nextOf("presence");
    await page.quiet(SILENCE_MS);
    (await opens(ann)).close(1000);
    expect(await page.quiet(SILENCE_MS)).toEqual([]);
    await opens(bob);
    await page.nextOf("presence", ({ online }) => online?.length === 2);
  });

  test("that goes away, as from page to page, is waited for; one that says goodbye is not", async () => {
    const anns = await opensPage(ann);
    for (const [code, atLeastMs] of [
      [1001, GRACE_MS - 50],
      [1000, 0],
    ] as const) {
      const bobs = await opensPage(bob);
      await anns.nextOf("presence", ({ online }) => online?.length === 2);
      await anns.quiet(SILENCE_MS);
      const [closedAt, took] = [Date.now(), startWatch()];
      bobs.close(code);
      await anns.nextOf("presence", ({ online }) => online?.length === 1);
      expect(Date.now() - closedAt).toBeGreaterThanOrEqual(atLeastMs);
      expect(took()).toBeLessThan(atLeastMs + LATE_MS);
    }
  });
});

test("a silent client is closed, and is pinged before; one that talks, whatever it says, is not", async () => {
  const { world: other, patient, silent, talking, unwatched, openedAt, timer } = slow;
  for (const socket of silent) {
    expect((await socket.closed).code).toBe(4000);
    expect(await socket.next(({ type }) => type !== undefined)).toEqual({ type: "ping" });
  }
  expect(Date.now() - openedAt).toBeGreaterThanOrEqual(2_000);
  expect(talking.isOpen()).toBe(true);
  expect(unwatched.isOpen()).toBe(true);
  await Promise.all([talking, unwatched].map((socket) => socket.next(({ type }) => type === "ping")));
  clearInterval(timer);
  await Promise.all([other.stop(), patient.stop()]);
});
