import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { RESUME_FRAME_CHANGES } from "../../src/shared/limits.ts";
import type { ServerFrame } from "../../src/shared/protocol.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
import { openGateway, type Gateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

// The number of the last change comes every ten seconds.
setDefaultTimeout(30_000);
const HEAD_PATIENCE_MS = 25_000;

let world: World;
let ann: Client;
let bob: Client;
let visitor: Client;
let writer: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [ann, bob, visitor] = [await member(world, "ann"), await member(world, "bob"), await guest(world)];
  writer = await openGateway(ann);
});
afterAll(() => world.stop());

/** Writes so many messages at once; the number of the last. */
async function say(count: number, room = "public"): Promise<number> {
  const sent = Array.from({ length: count }, (_, i) => writer.post(`${i}`, undefined, room));
  const numbers = (await Promise.all(sent)).map((answer) =>
    answer.type === "ack" ? answer.rev : Number.NaN,
  );
  return Math.max(...numbers);
}

const held = (rev: number, room = "public") => ({ room, epoch: writer.epoch, rev });

/** Everything until all rooms are caught up with. */
async function until(socket: Gateway, rooms: number): Promise<ServerFrame[]> {
  const frames: ServerFrame[] = [];
  while (frames.filter(({ type }) => type === "caught-up").length < rooms) frames.push(await socket.next());
  return frames;
}

describe("whoever says what their page holds", () => {
  test("is told of each room when everything has been sent, before anything new comes", async () => {
    const slug = await makeRoom(ann, "hall");
    await join(bob, await invite(ann, slug));
    const [head, there] = [await say(3), await say(2, slug)];
    const page = await openGateway(bob, [held(head), held(0, slug)]);
    const frames = await until(page, 2);
    expect(frames).toEqual([
      { type: "caught-up", room: "public", rev: head },
      expect.objectContaining({ type: "changes", room: slug, from: 0, to: there }),
      { type: "caught-up", room: slug, rev: there },
    ]);
    await say(1, slug);
    expect(await page.next()).toMatchObject({ type: "changes", from: there, to: there + 1 });
    page.close();
  });

  test("is answered for each room by itself where the server cannot read one just now", async () => {
    const broken = await startWorld();
    const eve = await member(broken, "eve");
    const slug = await makeRoom(eve, "hall");
    const page = await openGateway(eve);
    const { epoch } = page;
    await inDatabase(broken, "ALTER TABLE messages RENAME TO messages_away");
    page.send({ type: "hello", rooms: [slug, "public", "nowhere"].map((room) => ({ room, epoch, rev: 0 })) });
    await page.nextOf("welcome");
    const refusal = { type: "refusal", key: null, room: slug, code: "unavailable", retryable: true } as const;
    expect(await page.nextOf("refusal")).toEqual(refusal);
    // What is kept in memory needs no reading.
    expect(await page.nextOf("caught-up")).toEqual({ type: "caught-up", room: "public", rev: 0 });
    expect(await page.nextOf("removed")).toMatchObject({ room: "nowhere" });
    expect(broken.takeErrors()).toHaveLength(1);

    await inDatabase(broken, "ALTER TABLE messages_away RENAME TO messages");
    page.send({ type: "resume", room: slug, epoch, rev: 0 });
    expect(await page.nextOf("caught-up")).toMatchObject({ room: slug });
    page.close();
    await broken.stop();
  });

  test("is told again whenever they ask for what is missing", async () => {
    const head = await say(2);
    const page = await openGateway(bob, [held(head)]);
    await until(page, 1);
    page.send({ type: "resume", ...held(head - 2) });
    expect(await until(page, 1)).toMatchObject([
      { type: "changes", from: head - 2, to: head },
      { type: "caught-up", rev: head },
    ]);
    page.close();
  });

  test("is not told so of a room that must be loaded anew, or is not theirs", async () => {
    const head = await say(1);
    const page = await openGateway(visitor, [held(head + 1), held(0, "nowhere"), held(head)]);
    expect(await until(page, 1)).toEqual([
      { type: "reset", room: "public", reason: "ahead" },
      { type: "removed", room: "nowhere", reason: "membership" },
      { type: "caught-up", room: "public", rev: head },
    ]);
    page.close();
  });
});

describe("whoever slept through more than a frame holds", () => {
  test("gets it frame by frame, each beginning where the one before ended, while others go on", async () => {
    const from = await say(1);
    await say(1_300);
    const others = say(300);
    const page = await openGateway(bob, [held(from)]);
    const frames = await until(page, 1);
    const head = await others;
    const live: ServerFrame[] = [];
    const numberAt = (frame: ServerFrame | undefined) => (frame?.type === "changes" ? frame.to : from);
    while (numberAt([...frames, ...live].findLast(({ type }) => type === "changes")) < head)
      live.push(await page.nextOf("changes"));

    const all = [...frames, ...live].filter((frame) => frame.type === "changes");
    expect(frames.length).toBeGreaterThan(6);
    for (const frame of frames)
      if (frame.type === "changes") expect(frame.changes.length).toBeLessThanOrEqual(RESUME_FRAME_CHANGES);
    expect(all.map((frame) => frame.from)).toEqual([from, ...all.slice(0, -1).map(({ to }) => to)]);
    const numbers = all.flatMap(({ changes }) => changes.map(({ rev }) => rev));
    expect(numbers).toEqual(Array.from({ length: head - from }, (_, i) => from + 1 + i));
    page.close();
  });

  test("finds what was edited and removed meanwhile as it is now", async () => {
    const from = await say(400);
    const page = await openGateway(ann, [held(from - 400)]);
    const first = (await until(page, 1)).flatMap((frame) => (frame.type === "changes" ? frame.changes : []));
    const [edited, removed] = [first[0]?.id, first[1]?.id];
    page.send({ type: "edit", room: "public", key: "edit-key", id: edited, text: "better" });
    page.send({ type: "remove", room: "public", key: "remove-key", id: removed });
    await page.nextOf("ack", ({ key }) => key === "remove-key");
    const late = await openGateway(bob, [held(from - 400)]);
    const changes = (await until(late, 1)).flatMap((frame) =>
      frame.type === "changes" ? frame.changes : [],
    );
    expect(changes).toHaveLength(400);
    expect(changes.slice(-2)).toMatchObject([
      { id: edited, text: "better" },
      { id: removed, text: "" },
    ]);
    for (const socket of [page, late]) socket.close();
  });
});

test("while the database lacks what was told already, whoever comes back is told to ask again later", async () => {
  const slug = await makeRoom(ann, "loft");
  const elsewhere = await openGateway(ann, []);
  elsewhere.send({ type: "unread" });
  await elsewhere.nextOf("unread");
  const told = await say(2, slug);
  await elsewhere.nextOf("news");
  const place = "room_id = (SELECT id FROM rooms WHERE slug = ?) AND seq = ?";
  await inDatabase(world, `DELETE FROM messages WHERE ${place}`, slug, told);
  await inDatabase(world, "UPDATE rooms SET head = ? WHERE slug = ?", told - 1, slug);

  const page = await openGateway(ann, [held(told - 1, slug)]);
  expect(await page.nextOf("refusal")).toEqual({
    type: "refusal",
    key: null,
    room: slug,
    code: "unavailable",
    retryable: true,
  });
  await page.settled();
  expect(await page.quiet(0)).toEqual([]);
  expect(await say(1, slug)).toBe(told);
  page.send({ type: "resume", ...held(told - 1, slug) });
  expect(await page.nextOf("caught-up")).toMatchObject({ room: slug, rev: told });
  for (const socket of [page, elsewhere]) socket.close();
});

test("whoever follows a room is told the number of its last change again and again, and of no other room", async () => {
  const slug = await makeRoom(ann, "attic");
  const there = await say(4, slug);
  const head = await say(1);
  const [page, outside] = [await openGateway(ann, [held(there, slug)]), await openGateway(visitor)];
  expect(await page.next(({ type }) => type === "head", HEAD_PATIENCE_MS)).toEqual({
    type: "head",
    room: slug,
    head: there,
  });
  const told = await outside.next(({ type }) => type === "head", HEAD_PATIENCE_MS);
  expect(told).toEqual({ type: "head", room: "public", head });
  for (const socket of [page, outside]) socket.close();
});
