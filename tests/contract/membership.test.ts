/** Members who are put out, who leave, or who may read but not write: it holds on every door, and at once. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { expectJson } from "../../src/testing/answers.ts";
import type { Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { tags } from "../../src/testing/html.ts";
import { shakeHands } from "../../src/testing/raw.ts";
import { invite, join, makeRoom, peopleOf, press } from "../../src/testing/rooms.ts";
import {
  openChat,
  openGateway,
  type ChatFrame,
  type Gateway,
  type Socket,
} from "../../src/testing/socket.ts";
import type { World } from "../../src/testing/world.ts";
import {
  follow,
  gather,
  html,
  letIn,
  NAME,
  post,
  problem,
  says,
  SILENCE_MS,
  statusFor,
  textsIn,
} from "./hall.ts";

let world: World;
let ann: Client;
let bob: Client;
let carl: Client;
let slug: string;
beforeAll(async () => {
  ({ world, ann, bob, carl } = await gather());
});
beforeEach(async () => {
  slug = await makeRoom(ann, NAME);
});
afterAll(() => world.stop());

describe("somebody who is put out in mid-conversation", () => {
  let sockets: { page: Gateway; tab: Gateway; old: Socket<ChatFrame> };
  let witness: { page: Gateway; old: Socket<ChatFrame> };

  beforeEach(async () => {
    await letIn(ann, slug, bob, carl);
    sockets = { page: await follow(bob, slug), tab: await follow(bob, slug), old: await openChat(bob, slug) };
    witness = { page: await follow(carl, slug), old: await openChat(carl, slug) };
    await says(ann, slug, "with bob");
    for (const socket of [sockets.page, sockets.tab, witness.page])
      expect(await socket.nextOf("changes")).toMatchObject({ room: slug, changes: [{ text: "with bob" }] });
    for (const socket of [sockets.old, witness.old])
      expect(await socket.next()).toMatchObject({ message: "with bob" });
    expect(await sockets.page.post("I am here", undefined, slug)).toMatchObject({ type: "ack" });
    expect((await press(ann, slug, "members/bob/remove")).status).toBe(303);
  });

  test("is told on every page, and the socket of an existing client is closed", async () => {
    const removed = { type: "removed", room: slug, reason: "membership" };
    for (const socket of [sockets.page, sockets.tab])
      expect(await socket.nextOf("removed")).toEqual(removed as never);
    expect((await sockets.old.closed).code).toBe(4403);
    expect([sockets.page.isOpen(), witness.page.isOpen(), witness.old.isOpen()]).toEqual([true, true, true]);
  });

  test("hears nothing that is said afterwards, while the others do", async () => {
    for (const socket of [sockets.page, sockets.tab]) await socket.nextOf("removed");
    for (const socket of [sockets.page, sockets.tab, sockets.old]) await socket.quiet(0);
    await says(ann, slug, "without bob");
    await says(carl, slug, "so it is");
    await witness.page.nextOf("changes", ({ changes }) => changes[0]?.text === "so it is");
    await witness.old.next(({ message }) => message === "so it is");
    for (const socket of [sockets.page, sockets.tab, sockets.old])
      expect(await socket.quiet(SILENCE_MS)).toEqual([]);
  });

  test("cannot resume, write, mark or open it again, by any door", async () => {
    await sockets.page.nextOf("removed");
    await says(ann, slug, "without bob");
    const { page } = sockets;
    await page.quiet(0);
    page.send({ type: "resume", room: slug, epoch: page.epoch, rev: 0 });
    page.send({ type: "read", room: slug, seq: 1 });
    await page.settled();
    expect(await page.quiet(0)).toEqual([
      { type: "removed", room: slug, reason: "membership" },
      { type: "refusal", key: null, code: "not_found", retryable: false },
    ]);
    expect(await page.post("let me in", undefined, slug)).toMatchObject({ code: "not_found" });
    const fresh = await openGateway(bob, [{ room: slug, epoch: page.epoch, rev: 0 }]);
    await fresh.settled();
    expect(await fresh.quiet(SILENCE_MS)).toEqual([{ type: "removed", room: slug, reason: "membership" }]);
    expect((await post(bob, slug, "let me in")).status).toBe(404);
    expect(await statusFor(bob, `/rooms/${slug}`)).toBe(404);
    const shake = { cookie: bob.cookieHeader(), origin: world.url };
    expect((await shakeHands(world, `/ws/chat/${slug}/`, shake)).status).toBe(403);
    expectJson(await bob.get(`/api/chat/rooms/${slug}/messages/`), 404, { error: "Not found" });
    expect(await textsIn(ann, slug)).toEqual(["with bob", "I am here", "without bob"]);
    expect(await html(bob, "/rooms")).not.toContain(slug);
  });

  test("stays out with any invitation, until a moderator allows it, and then catches up", async () => {
    await sockets.page.nextOf("removed");
    const link = await invite(ann, slug);
    expect((await bob.post(link, {}, { as: "form" })).status).toBe(404);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "carl", "bob removed"]);
    await says(ann, slug, "meanwhile");
    await press(ann, slug, "members/bob/readmit");
    expect(await statusFor(bob, `/rooms/${slug}`)).toBe(404);
    await join(bob, link);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "carl", "bob"]);
    const { page } = sockets;
    page.send({ type: "resume", room: slug, epoch: page.epoch, rev: 2 });
    const missed = await page.nextOf("changes", ({ from }) => from === 2);
    expect(missed).toMatchObject({ to: 3, changes: [{ text: "meanwhile" }] });
    await says(ann, slug, "welcome back");
    const live = await page.nextOf("changes", ({ from }) => from === 3);
    expect(live).toMatchObject({ changes: [{ text: "welcome back" }] });
    expect(await page.post("thank you", undefined, slug)).toMatchObject({ type: "ack" });
  });
});

describe("while somebody is put out over and over", () => {
  test("nothing that is said without them ever reaches them", async () => {
    await letIn(ann, slug, bob, carl);
    const [hers, page] = [await follow(ann, slug), await follow(bob, slug)];
    const heard: string[] = [];
    /** What was said without them before is theirs once they are back: only what follows it must not come. */
    let known = 0;
    for (let round = 0; round < 15; round++) {
      const storm = Array.from({ length: 10 }, (_, i) => hers.post(`in ${round}.${i}`, undefined, slug));
      const reading = Array.from({ length: 5 }, () =>
        page.send({ type: "resume", room: slug, epoch: page.epoch, rev: known }),
      );
      expect(reading).toHaveLength(5);
      const put = press(ann, slug, "members/bob/remove");
      await Promise.all([...storm, put]);
      const secret = await hers.post(`secret ${round}`, undefined, slug);
      known = secret.type === "ack" ? secret.rev : 0;
      await page.settled();
      const frames = await page.quiet(20);
      expect(frames.some(({ type }) => type === "removed")).toBe(true);
      heard.push(JSON.stringify(frames));
      await press(ann, slug, "members/bob/readmit");
      await letIn(ann, slug, bob);
    }
    expect(heard.join("")).toContain("in ");
    expect(heard.join("")).not.toContain("secret");
  });
});

describe("whoever leaves", () => {
  test("is out on every page, and comes back by an invitation alone", async () => {
    await letIn(ann, slug, bob, carl);
    const [page, old] = [await follow(bob, slug), await openChat(bob, slug)];
    await says(ann, slug, "hello");
    await page.nextOf("changes");
    const left = await press(bob, slug, "leave");
    expect([left.status, left.headers.get("location")]).toEqual([303, "/rooms"]);
    expect(await page.nextOf("removed")).toMatchObject({ room: slug, reason: "membership" });
    expect((await old.closed).code).toBe(4403);
    await says(ann, slug, "without bob");
    expect((await page.quiet(SILENCE_MS)).filter(({ type }) => type === "changes")).toEqual([]);
    expect(await statusFor(bob, `/rooms/${slug}`)).toBe(404);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "carl"]);
    await letIn(ann, slug, bob);
    expect(await textsIn(bob, slug)).toEqual(["hello", "without bob"]);
  });

  test("and owns the room is told to hand it over first", async () => {
    const answer = await ann.post(`/rooms/${slug}/leave`, {}, { as: "form" });
    expect(answer.status).toBe(409);
    expect(problem(answer.text)).toBe("Hand the room over first, or delete it.");
    expect(await statusFor(ann, `/rooms/${slug}`)).toBe(200);
    await letIn(ann, slug, bob);
    await press(ann, slug, "members/bob/hand-over");
    expect(await peopleOf(bob, slug)).toEqual(["bob owner", "ann moderator"]);
    expect((await press(ann, slug, "leave")).status).toBe(303);
    expect(await peopleOf(bob, slug)).toEqual(["bob owner"]);
  });
});

describe("whoever may read but not write", () => {
  const cases = {
    muted: {
      words: "You may read, but not write at the moment.",
      set: (on: boolean) => inDatabase(world, "UPDATE users SET is_muted = ? WHERE name = 'bob'", on),
    },
    room_closed: {
      words: "This room is closed: nobody writes here any more.",
      set: (on: boolean) => inDatabase(world, "UPDATE rooms SET is_closed = ? WHERE slug = ?", on, slug),
    },
  };

  for (const code of ["muted", "room_closed"] as const) {
    const { words, set } = cases[code];

    test(`is told so on every door, and goes on reading: ${code}`, async () => {
      await letIn(ann, slug, bob);
      const [page, old] = [await follow(bob, slug), await openChat(bob, slug)];
      expect(await page.post("premise", undefined, slug)).toMatchObject({ type: "ack" });
      old.send({ message: "premise too" });
      expect(await old.next(({ message }) => message === "premise too")).toBeDefined();
      await says(bob, slug, "premise by form");
      await page.quiet(SILENCE_MS);
      await old.quiet(0);

      await set(true);
      try {
        expect(await page.post("let me", undefined, slug)).toMatchObject({ code, retryable: false });
        old.send({ message: "let me" });
        expect(await old.next()).toEqual({ error: code });
        const refused = await post(bob, slug, "let me");
        expect(refused.status).toBe(403);
        expect(refused.text).toContain(words);
        expect(refused.text).toContain("premise by form");
        const room = await html(bob, `/rooms/${slug}`);
        expect(room).toContain(words);
        expect(tags(room, ".composer")).toEqual([]);
        expect(await textsIn(bob, slug)).toEqual(["premise", "premise too", "premise by form"]);
        const history = await bob.get(`/api/chat/rooms/${slug}/messages/`);
        expect((history.json() as { messages: [] }).messages).toHaveLength(3);

        if (code === "muted") {
          await says(ann, slug, "still speaking");
          expect(await page.nextOf("changes")).toMatchObject({ changes: [{ text: "still speaking" }] });
          expect(await old.next()).toMatchObject({ message: "still speaking" });
          const open = await post(bob, "public", "in public");
          expect([open.status, open.text.includes(words)]).toEqual([403, true]);
        } else {
          expect((await post(ann, slug, "as the owner")).status).toBe(403);
        }
        page.send({ type: "resume", room: slug, epoch: page.epoch, rev: 1 });
        expect(await page.nextOf("changes")).toMatchObject({ from: 1 });
      } finally {
        await set(false);
      }
      expect(await page.post("again", undefined, slug)).toMatchObject({ type: "ack" });
      old.send({ message: "and again" });
      expect(await old.next(({ message }) => message === "and again")).toBeDefined();
    });
  }
});
