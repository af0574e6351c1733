/** Rooms in the hands of their owners: made, named, looked after with the help of moderators, and deleted. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { expectJson } from "../../src/testing/answers.ts";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { messagesOn, tags } from "../../src/testing/html.ts";
import { invite, linksOf, makeRoom, peopleOf, press } from "../../src/testing/rooms.ts";
import { openChat } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import {
  ENGLISH,
  follow,
  gather,
  html,
  letIn,
  NAME,
  post,
  problem,
  says,
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

describe("making a room", () => {
  test("leads into it, and to its settings, which are its owner's", async () => {
    const answer = await ann.submit("/rooms", { name: "Зал", slug: "" });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toMatch(/^\/rooms\/[0-9a-f]{12}$/);
    const page = (await ann.follow(answer)).text;
    expect(tags(page, "h1").map(({ text }) => text)).toEqual(["Зал"]);
    expect(tags(page, ".room-head a[href$='/settings']")).toHaveLength(1);
    expect(await html(ann, "/rooms")).toContain("Зал");
    expect(await peopleOf(ann, slug)).toEqual(["ann owner"]);
  });

  test.each([
    [{ name: "", slug: "" }, "A name has 1 to 50 characters, a topic at most 200."],
    [{ name: "x".repeat(51), slug: "" }, "A name has 1 to 50 characters, a topic at most 200."],
    [{ name: "<b>mine</b>", slug: "a b" }, "An address has 3 to 50 letters, digits, - or _."],
    [{ name: "mine", slug: "public" }, "This address is already taken. Choose another."],
  ])("is refused in words, with what was typed: %j", async (typed, words) => {
    const answer = await ann.submit("/rooms", typed);
    expect([409, 422]).toContain(answer.status);
    expect(problem(answer.text)).toBe(words);
    for (const [name, value] of Object.entries(typed))
      expect(tags(answer.text, `input[name=${name}]`)[0]?.attributes.value ?? "").toBe(value);
  });

  test("asks a guest to log in, and to come back", async () => {
    const visitor = await guest(world);
    for (const answer of [
      await visitor.get("/rooms"),
      await visitor.post("/rooms", { name: "mine", slug: "" }, { as: "form" }),
    ]) {
      expect([answer.status, answer.headers.get("location")]).toEqual([303, "/login?next=%2Frooms"]);
    }
  });

  test("too often is refused with the time to wait", async () => {
    const strict = await startWorld({ ROOM_RATE_LIMIT: "1", ROOM_RATE_WINDOW: "50" });
    const dora = await member(strict, "dora", ENGLISH);
    await makeRoom(dora, "one");
    const answer = await dora.submit("/rooms", { name: "two", slug: "" });
    expect([answer.status, Number(answer.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect(problem(answer.text)).toMatch(/^That was too often\. Wait \d+ s\.$/);
    await strict.stop();
  });
});

describe("moderators", () => {
  test("are made and unmade by the owner, and look after members and invitations, not after the room", async () => {
    await letIn(ann, slug, bob, carl);
    const actionsFor = async (who: Client) =>
      tags(await html(who, `/rooms/${slug}/settings`), "main form")
        .map(({ attributes }) => (attributes.action ?? "").replace(`/rooms/${slug}/`, ""))
        .map((action) => action.replace(/\d+/, "n"))
        .toSorted((a, b) => a.localeCompare(b));
    expect(await actionsFor(bob)).toEqual(["leave"]);
    await press(ann, slug, "members/bob/promote");
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "bob moderator", "carl"]);
    expect(await actionsFor(bob)).toEqual([
      "invitations",
      "invitations/n/revoke",
      "leave",
      "members/carl/remove",
    ]);
    expect((await actionsFor(ann)).filter((action) => !action.startsWith("members/"))).toEqual([
      "delete",
      "invitations",
      "invitations/n/revoke",
      "settings",
    ]);
    const link = await invite(bob, slug);
    expect((await press(bob, slug, "members/carl/remove")).status).toBe(303);
    for (const [act, fields] of Object.entries({
      settings: { name: "mine", topic: "" },
      "members/ann/remove": {},
      "members/bob/promote": {},
      "members/ann/demote": {},
      "members/bob/hand-over": {},
      delete: { confirmation: NAME },
    })) {
      const answer = await bob.post(`/rooms/${slug}/${act}`, fields, { as: "form" });
      expect({ act, status: answer.status }).toEqual({ act, status: 403 });
    }
    await press(ann, slug, "members/bob/demote");
    expect((await bob.post(`/rooms/${slug}/invitations`, {}, { as: "form" })).status).toBe(403);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "bob", "carl removed"]);
    expect(await linksOf(ann, slug)).toContain(link);
  });

  test("remove what members say; members remove their own", async () => {
    await letIn(ann, slug, bob, carl);
    await says(bob, slug, "by bob");
    await says(carl, slug, "by carl");
    const socket = await follow(carl, slug);
    const ids = messagesOn(await html(ann, `/rooms/${slug}`)).map(({ id }) => id);
    const remove = async (who: Client, id?: number) =>
      (await who.post(`/rooms/${slug}/messages/${id}/remove`, {}, { as: "form" })).status;
    const button = async (who: Client, id?: number) =>
      tags(await html(who, `/rooms/${slug}/messages/${id}`), `form[action$="/${id}/remove"]`).length;
    expect([await button(carl, ids[0]), await remove(carl, ids[0])]).toEqual([0, 403]);
    expect([await button(bob, ids[0]), await remove(bob, ids[0])]).toEqual([1, 303]);
    const change = { id: ids[0], text: "", deletedAt: expect.any(Number) };
    expect(await socket.nextOf("changes")).toMatchObject({ from: 2, to: 3, changes: [change] });
    expect([await remove(bob, ids[0]), await statusFor(bob, `/rooms/${slug}/messages/${ids[0]}`)]).toEqual([
      404, 404,
    ]);
    await press(ann, slug, "members/bob/promote");
    expect([await button(bob, ids[1]), await remove(bob, ids[1])]).toEqual([1, 303]);
    expect((await textsIn(carl, slug)).join("")).not.toContain("by ");
  });
});

describe("an owner", () => {
  test("names the room and says what it is about, in words that fit", async () => {
    await letIn(ann, slug, bob);
    await press(ann, slug, "settings", { name: "Зал <b>", topic: "О чём мы & зачем" });
    const page = await html(bob, `/rooms/${slug}`);
    expect(tags(page, ".room-head .title").map(({ text }) => text)).toEqual(["Зал <b>О чём мы & зачем"]);
    const answer = await press(ann, slug, "settings", { name: " ", topic: "" });
    expect(answer.status).toBe(422);
    expect(problem(answer.text)).toBe("A name has 1 to 50 characters, a topic at most 200.");
    expect(await html(bob, `/rooms/${slug}`)).toContain("О чём мы &amp; зачем");
  });

  test.each([
    ["the-hall", NAME],
    [` ${NAME} `, NAME],
    ["\ufeffmarked", "\ufeffmarked"],
  ])("deletes a room by typing its name, and by nothing else: %j", async (typed, name) => {
    if (name !== NAME) await press(ann, slug, "settings", { name, topic: "" });
    for (const wrong of ["", " ", name.toUpperCase(), slug, `${name}.`]) {
      const answer = await press(ann, slug, "delete", { confirmation: wrong });
      expect({ wrong, status: answer.status }).toEqual({ wrong, status: 422 });
      expect(problem(answer.text)).toBe("Type the name exactly to confirm.");
    }
    expect(await statusFor(ann, `/rooms/${slug}`)).toBe(200);
    const answer = await press(ann, slug, "delete", { confirmation: typed });
    expect(answer.status).toBe(typed === "the-hall" ? 422 : 303);
    expect(await statusFor(ann, `/rooms/${slug}`)).toBe(typed === "the-hall" ? 200 : 404);
  });

  test("ends everything with the room, for everybody and at once", async () => {
    await letIn(ann, slug, bob);
    const link = await invite(ann, slug);
    await says(bob, slug, "the last words");
    const [page, own, old] = [await follow(bob, slug), await follow(ann, slug), await openChat(bob, slug)];
    await says(ann, slug, "premise");
    expect(await page.nextOf("changes")).toMatchObject({ changes: [{ text: "premise" }] });
    const [message] = messagesOn(await html(ann, `/rooms/${slug}`));

    const deleted = await press(ann, slug, "delete", { confirmation: NAME });
    expect([deleted.status, deleted.headers.get("location")]).toEqual([303, "/rooms"]);
    for (const socket of [page, own])
      expect(await socket.nextOf("removed")).toEqual({ type: "removed", room: slug, reason: "room" });
    expect((await old.closed).code).toBe(4403);
    for (const who of [ann, bob]) {
      for (const path of ["", "/settings", `/messages/${message?.id}`])
        expect(await statusFor(who, `/rooms/${slug}${path}`)).toBe(404);
      expect(await html(who, "/rooms")).not.toContain(slug);
      expect((await post(who, slug, "is anybody there?")).status).toBe(404);
    }
    expect(await page.post("is anybody there?", undefined, slug)).toMatchObject({ code: "not_found" });
    expect(await statusFor(carl, link)).toBe(404);
    expect(
      await inDatabase(world, "SELECT 1 FROM messages WHERE text IN ('the last words', 'premise')"),
    ).toEqual([]);
    // Clients that come back by themselves must not find themselves in a room of somebody else.
    const taken = { error: "Room slug is already taken" };
    for (const who of [ann, carl]) expectJson(await who.get(`/api/chat/rooms/${slug}/`), 409, taken);
    expect(await statusFor(ann, `/rooms/${slug}`)).toBe(404);
  });

  test("may delete it while everybody is writing, and nothing goes wrong", async () => {
    await letIn(ann, slug, bob, carl);
    const writers = [await follow(bob, slug), await follow(carl, slug), await follow(ann, slug)];
    const sent = writers.flatMap((socket) =>
      Array.from({ length: 40 }, (_, i) => socket.post(`${i}`, undefined, slug)),
    );
    const deleting = press(ann, slug, "delete", { confirmation: NAME });
    const answers = await Promise.all(sent);
    expect((await deleting).status).toBe(303);
    const outcomes = new Set(answers.map((answer) => (answer.type === "ack" ? "ack" : answer.code)));
    expect([...outcomes].filter((outcome) => outcome !== "ack" && outcome !== "not_found")).toEqual([]);
  });
});

test("the public room has no settings, and takes none of their forms", async () => {
  for (const path of ["/rooms/public/settings", "/rooms/nowhere-at-all/settings"])
    expect(await statusFor(ann, path)).toBe(404);
  for (const act of ["leave", "delete", "settings", "invitations", "members/bob/remove"])
    expect((await ann.post(`/rooms/public/${act}`, {}, { as: "form" })).status).toBe(404);
});
