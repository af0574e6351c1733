/** Two nodes: whatever happens on one is seen on the other, by Redis at once and without it a little later. */
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { guest, member, stranger, type Client } from "../../src/testing/client.ts";
import { holdUp } from "../../src/testing/hold-up.ts";
import { startNode, type Node } from "../../src/testing/nodes.ts";
import { startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { startRedis, type RedisServer } from "../../src/testing/redis.ts";
import { invite, join, makeRoom, press } from "../../src/testing/rooms.ts";
import { openChat, openGateway, openPresence, type Gateway } from "../../src/testing/socket.ts";
import { startWatch } from "../../src/testing/stopwatch.ts";
import { makeDataDir, removeDataDir } from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

/** A hint takes a millisecond; a poll happens every two seconds. */
const BY_HINT_MS = 1_000;
/** Without Redis it happens five times a second, once it is noticed that it is away. */
const BY_POLL_MS = 2_500;

let postgres: PostgresServer;
let redis: RedisServer;
let url: string;
let dataDir: string;
let shared: Parameters<typeof startNode>[0];
let one: Node;
let two: Node;
let ann: Client;
/** Signed in on the other node. */
let bob: Client;
let made = 0;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  dataDir = makeDataDir();
  url = await postgres.createDatabase();
  shared = { dataDir, databaseUrl: url, redisUrl: redis.url };
  one = await startNode(shared);
  two = await startNode(shared);
  ann = await member(one, "ann");
  bob = await member(two, "bob");
});
afterAll(async () => {
  await Promise.all([one, two].map((node) => node.stop()));
  await redis.stop();
  await postgres.stop();
  removeDataDir(dataDir);
});

/** Expects that the frame comes in time. */
async function within<Frame>(milliseconds: number, frame: Promise<Frame>): Promise<Frame> {
  const took = startWatch();
  const come = await frame;
  expect(took()).toBeLessThan(milliseconds);
  return come;
}

const says = (gateway: Gateway, text: string) =>
  gateway.nextOf("changes", ({ changes }) => changes.some((message) => message.text === text));
const text = () => `message ${++made}`;

describe("what somebody says on one node", () => {
  test("is heard at once on the other, by every kind of socket", async () => {
    const [hers, his] = [await openGateway(ann), await openGateway(bob)];
    const original = await openChat(bob, "public");
    const words = text();
    await hers.post(words);
    const frame = await within(BY_HINT_MS, says(his, words));
    expect(frame).toMatchObject({ from: frame.to - 1, changes: [{ author: "ann", text: words }] });
    expect(await within(BY_HINT_MS, original.next())).toMatchObject({ message: words, username: "ann" });
    for (const socket of [hers, his, original]) socket.close();
  });

  test("is read at once by whoever reads finished pages on the other, and has no socket", async () => {
    const reader = stranger(two);
    const read = async () => (await reader.get("/", { accept: "text/html" })).text;
    await read();
    const hers = await openGateway(ann);
    const words = text();
    await hers.post(words);
    const took = startWatch();
    while (!(await read()).includes(words));
    expect(took()).toBeLessThan(BY_HINT_MS);
    hers.close();
  });

  test("has the same place for all who write at once on both, in one order, without a gap", async () => {
    const [hers, his] = [await openGateway(ann), await openGateway(bob)];
    const original = await openChat(bob, "public");
    const sent = Array.from({ length: 100 }, text);
    const acks = await Promise.all(sent.map((words, i) => (i % 2 === 0 ? hers : his).post(words)));
    const numbers = acks.map((ack) => (ack.type === "ack" ? ack.seq : 0)).toSorted((a, b) => a - b);
    const last = numbers.at(-1) ?? 0;
    for (const gateway of [hers, his]) {
      const seen: number[] = [];
      while (seen.at(-1) !== last) {
        const frame = await gateway.nextOf("changes");
        if (seen.length > 0) expect(frame.from).toBe(seen.at(-1) ?? 0);
        seen.push(...frame.changes.map(({ seq }) => seq));
      }
      expect(seen).toEqual(numbers);
    }
    const shown: string[] = [];
    while (shown.length < sent.length) shown.push((await original.next()).message ?? "");
    expect(new Set(shown)).toEqual(new Set(sent));
    expect(await original.quiet(100)).toEqual([]);
    for (const socket of [hers, his, original]) socket.close();
  });

  test("in a room whose page is not open is counted on the other", async () => {
    const slug = await makeRoom(ann, "Hall");
    await join(bob, await invite(ann, slug));
    const [hers, his] = [await openGateway(ann), await openGateway(bob, [])];
    his.send({ type: "unread" });
    await his.nextOf("unread");
    await hers.post(text(), undefined, slug);
    expect(await within(BY_HINT_MS, his.nextOf("news"))).toMatchObject({ room: slug, authors: ["ann"] });
    for (const socket of [hers, his]) socket.close();
  });
});

test("whoever is writing on one node is shown on the other, and not to themselves", async () => {
  const [hers, his] = [await openGateway(ann), await openGateway(bob)];
  hers.send({ type: "typing", room: "public" });
  expect(await within(BY_HINT_MS, his.nextOf("typing"))).toMatchObject({ room: "public", name: "ann" });
  await hers.settled();
  expect((await hers.quiet(100)).map(({ type }) => type)).not.toContain("typing");
  for (const socket of [hers, his]) socket.close();
});

describe("whose rights end on one node", () => {
  test("is told so by another that is about to stop", async () => {
    const three = await startNode(shared);
    const slug = await makeRoom(ann, "Hall");
    const carl = await member(three, "carl");
    await join(carl, await invite(ann, slug));
    const [hers, his] = [await openGateway(ann, []), await openGateway(carl)];
    his.send({ type: "resume", room: slug, epoch: his.epoch, rev: 0 });
    await his.nextOf("caught-up");
    // It has not done its last work before this is stored.
    const others = await holdUp(url, "SELECT FROM rooms WHERE slug = 'public' FOR UPDATE");
    const last = his.post(text());
    await others.isFelt();
    const stopping = three.stop();
    await his.nextOf("bye");
    expect((await press(ann, slug, "members/carl/remove")).status).toBe(303);
    expect(await his.nextOf("removed")).toMatchObject({ room: slug, reason: "membership" });
    expect(await hers.post(text(), undefined, slug)).toMatchObject({ type: "ack" });
    await others.end();
    expect(await last).toMatchObject({ type: "ack" });
    expect((await his.closed).code).toBe(1012);
    expect((await his.quiet(0)).filter((frame) => "room" in frame && frame.room === slug)).toEqual([]);
    await stopping;
    expect(three.complaints).toEqual([]);
    hers.close();
  });

  test("is sent away by the others, even if that node goes no further than to disable them", async () => {
    const dora = await member(two, "dora");
    const [hers, original] = [await openGateway(dora), await openChat(dora, "public")];
    await postgres.run("UPDATE users SET is_active = false WHERE name = 'dora'", url);
    expect((await within(BY_HINT_MS, hers.closed)).code).toBe(4401);
    expect((await original.closed).code).toBe(4401);
  });
});

describe("presence", () => {
  test("is that of all nodes: people once, guests by address", async () => {
    const his = await openPresence(bob);
    const hers = await openPresence(ann);
    const both = await within(
      BY_HINT_MS,
      his.next(({ online }) => online?.length === 2),
    );
    expect(both.online?.map(({ username }) => username).toSorted()).toEqual(["ann", "bob"]);
    const herOther = await openPresence(ann.moveTo(two));
    const visitors = [await openPresence(await guest(one)), await openPresence(await guest(two))];
    expect(
      (
        await within(
          BY_HINT_MS,
          his.next(({ guests }) => guests === 1),
        )
      ).online,
    ).toHaveLength(2);
    await his.quiet(200);
    hers.close(1000);
    await hers.closed;
    expect((await his.quiet(300)).every(({ online }) => online?.length === 2)).toBe(true);
    herOther.close(1000);
    await within(
      BY_HINT_MS,
      his.next(({ online }) => online?.length === 1),
    );
    for (const socket of [his, ...visitors]) socket.close(1000);
  });

  test("of a node that stops is over at once", async () => {
    const three = await startNode(shared);
    const his = await openPresence(bob);
    await openPresence(ann.moveTo(three));
    await within(
      BY_HINT_MS,
      his.next(({ online }) => online?.length === 2),
    );
    await his.quiet(0);
    await three.stop();
    await within(
      BY_HINT_MS,
      his.next(({ online }) => online?.length === 1),
    );
    his.close(1000);
  });
});

describe("without Redis", () => {
  let hers: Gateway;
  let his: Gateway;
  beforeEach(async () => {
    [hers, his] = [await openGateway(ann), await openGateway(bob)];
  });

  /** What is said now is heard, each once and in order. */
  async function goesOn(milliseconds: number): Promise<void> {
    for (const [speaker, listener] of [
      [hers, his],
      [his, hers],
    ] as const) {
      const words = text();
      await speaker.post(words);
      await within(milliseconds, says(listener, words));
    }
  }

  async function comesBack(): Promise<void> {
    const start = performance.now();
    for (let took = Infinity; took > 150;) {
      expect(performance.now() - start).toBeLessThan(20_000);
      const words = text();
      const heard = says(his, words);
      await hers.post(words);
      const said = performance.now();
      await heard;
      took = performance.now() - said;
    }
  }

  test("what is said is heard a little later, and at once when it is back after its end", async () => {
    await redis.kill();
    await goesOn(BY_POLL_MS);
    await Bun.sleep(1_500);
    await goesOn(BY_HINT_MS);
    await redis.start();
    await comesBack();
  });

  test("what is said is heard a little later, and at once when it goes on after it was frozen; never twice", async () => {
    const watcher = await openGateway(bob);
    redis.freeze();
    await goesOn(BY_POLL_MS);
    await Bun.sleep(1_500);
    await goesOn(BY_HINT_MS);
    redis.thaw();
    await comesBack();
    const heard = (await watcher.quiet(200)).filter((frame) => frame.type === "changes");
    expect(heard.length).toBeGreaterThan(4);
    for (const [i, { from }] of heard.entries()) expect(from).toBe(heard[i - 1]?.to ?? from);
    watcher.close();
  });

  test("people log in, read and write as ever, and nobody waits for it", async () => {
    redis.freeze();
    await Bun.sleep(1_500);
    const took = startWatch();
    const carl = await member(one, `carl-${made}`);
    expect((await carl.get("/", { accept: "text/html" })).status).toBe(200);
    const words = text();
    const socket = await openGateway(carl.moveTo(two));
    expect(await socket.post(words)).toMatchObject({ type: "ack" });
    expect(took()).toBeLessThan(3_000);
    redis.thaw();
    await comesBack();
    socket.close();
  });
});

test("nothing was complained of but that Redis was away", () => {
  for (const { complaints } of [one, two]) {
    expect(complaints.length).toBeGreaterThan(0);
    expect(new Set(complaints)).toEqual(new Set(["Redis is away"]));
  }
});
