import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { expectJson } from "../../src/testing/answers.ts";
import { guest, member, PASSWORD, stranger, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { messagesOn, tags } from "../../src/testing/html.ts";
import { shakeHands } from "../../src/testing/raw.ts";
import { invite, join, linksOf, makeRoom, peopleOf, press } from "../../src/testing/rooms.ts";
import {
  openChat,
  openGateway,
  type ChatFrame,
  type Gateway,
  type Socket,
} from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

/** How long a test listens for a frame that must not come. */
const SILENCE_MS = 60;

const ENGLISH = { headers: { "accept-language": "en" } };
const NAME = "The hall";

let world: World;
let ann: Client;
let bob: Client;
let carl: Client;
beforeAll(async () => {
  world = await startWorld();
  ann = await member(world, "ann", ENGLISH);
  bob = await member(world, "bob", ENGLISH);
  carl = await member(world, "carl", ENGLISH);
});
afterAll(() => world.stop());

let slug: string;
beforeEach(async () => {
  slug = await makeRoom(ann, NAME);
});

const html = async (who: Client, path: string) => (await who.get(path, { accept: "text/html" })).text;
const problem = (page: string) =>
  tags(page, ".problem")
    .map(({ text }) => text.trim())
    .join("");
const textsIn = async (who: Client, room = slug) =>
  messagesOn(await html(who, `/rooms/${room}`)).map(({ text }) => text);
const statusFor = async (who: Client, path = `/rooms/${slug}`) => (await who.get(path)).status;
const post = (who: Client, text: string, room = slug) =>
  who.post(`/rooms/${room}/messages`, { text }, { as: "form", headers: { accept: "text/html" } });
const says = async (who: Client, text: string, room = slug) =>
  expect((await post(who, text, room)).status).toBe(303);

async function letIn(...people: Client[]): Promise<void> {
  const link = await invite(ann, slug);
  for (const who of people) await join(who, link);
}

/** A page's socket that follows the room. */
async function follow(who: Client, rev = 0): Promise<Gateway> {
  const socket = await openGateway(who, []);
  socket.send({ type: "resume", room: slug, epoch: socket.epoch, rev });
  await socket.settled();
  await socket.quiet(0);
  return socket;
}

/** The unread messages that the list of somebody's rooms shows, by room. */
async function unread(who: Client): Promise<Record<string, string>> {
  const rows = tags(await html(who, "/rooms"), ".room-list li");
  const links = tags(await html(who, "/rooms"), ".room-list li a");
  const counts = rows.map(({ text }, i) => [
    links[i]?.attributes.href?.slice("/rooms/".length) ?? "",
    /(\d+\+?)$/.exec(text)?.[1] ?? "",
  ]);
  return Object.fromEntries(counts.filter(([, count]) => count !== ""));
}

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

describe("an invitation", () => {
  test("lets somebody in who presses the button, to read and to write", async () => {
    await says(ann, "before you came");
    const link = await invite(ann, slug);
    const page = await html(bob, link);
    expect(tags(page, "h1").map(({ text }) => text)).toEqual([NAME]);
    expect(page).toContain("ann invites you to this room.");
    const entered = await bob.sendForm(await bob.openForm(link, { action: link }));
    expect([entered.status, entered.headers.get("location")]).toEqual([303, `/rooms/${slug}`]);
    await says(bob, "hello");
    expect(await textsIn(bob)).toEqual(["before you came", "hello"]);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "bob"]);
    expect(await html(ann, `/rooms/${slug}/settings`)).toContain("Came by it: bob");
  });

  test("leads through registration into the room", async () => {
    const link = await invite(ann, slug);
    const visitor = stranger(world, ENGLISH);
    const page = await html(visitor, link);
    expect(tags(page, "main form")).toEqual([]);
    const [join1 = ""] = tags(page, "main a").map(({ attributes }) => attributes.href ?? "");
    expect(join1).toBe(`/register?next=${encodeURIComponent(link)}`);
    const fields = { username: "newcomer", password1: PASSWORD, password2: PASSWORD };
    const refused = await visitor.submit(join1, { ...fields, password2: "another" });
    expect(refused.status).toBe(422);
    expect(tags(refused.text, "main input[name=next]")[0]?.attributes.value).toBe(link);
    const registered = await visitor.submit(join1, fields);
    expect([registered.status, registered.headers.get("location")]).toEqual([303, `/rooms/${slug}`]);
    expect((await visitor.follow(registered)).status).toBe(200);
    await says(visitor, "made it");
  });

  test("leads through the login into the room", async () => {
    const link = await invite(ann, slug);
    await member(world, "returning");
    const visitor = stranger(world, ENGLISH);
    const links = tags(await html(visitor, link), "main a").map(({ attributes }) => attributes.href ?? "");
    expect(links[1]).toBe(`/login?next=${encodeURIComponent(link)}`);
    const entered = await visitor.submit(links[1] ?? "", { username: "returning", password: PASSWORD });
    expect([entered.status, entered.headers.get("location")]).toEqual([303, `/rooms/${slug}`]);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "returning"]);
  });

  test("that is over by then leads to the page that says so", async () => {
    const link = await invite(ann, slug, { uses: "1" });
    const visitor = stranger(world, ENGLISH);
    const [register = ""] = tags(await html(visitor, link), "main a").map(
      ({ attributes }) => attributes.href,
    );
    await join(bob, link);
    const fields = { username: "too-late", password1: PASSWORD, password2: PASSWORD };
    const registered = await visitor.submit(register, fields);
    expect([registered.status, registered.headers.get("location")]).toEqual([303, link]);
    const page = await visitor.follow(registered);
    expect(page.status).toBe(404);
    expect(page.text).toContain("This invitation is over");
    expect(await statusFor(visitor)).toBe(404);
  });

  test("of whoever has logged out meanwhile leads to the login, and not past it", async () => {
    const link = await invite(ann, slug);
    const emil = await member(world, "emil");
    const form = await emil.openForm(link, { action: link });
    await emil.logout();
    const answer = await emil.sendForm(form);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, link]);
    expect(tags((await emil.follow(answer)).text, "main a")).toHaveLength(2);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner"]);
  });

  test("for one lets one of 50 in who press the button at once", async () => {
    const link = await invite(ann, slug, { uses: "1" });
    const crowd = await Promise.all(Array.from({ length: 50 }, (_, i) => member(world, `crowd-${i}`)));
    const forms = await Promise.all(crowd.map((who) => who.openForm(link, { action: link })));
    const answers = await Promise.all(crowd.map((who, i) => who.sendForm(forms[i] as (typeof forms)[0])));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 303)).toHaveLength(1);
    expect(statuses.filter((status) => status === 404)).toHaveLength(49);
    const inside = await Promise.all(crowd.map((who) => statusFor(who)));
    expect(inside.filter((status) => status === 200)).toHaveLength(1);
    expect(inside.indexOf(200)).toBe(statuses.indexOf(303));
    expect(await peopleOf(ann, slug)).toHaveLength(2);
    expect(await linksOf(ann, slug)).toEqual([]);
    expect(await html(ann, `/rooms/${slug}/settings`)).toContain("Used 1 of 1 times.");
  });

  test("is made as it is set, and nothing else is taken for a term", async () => {
    const link = await invite(ann, slug, { days: "30", uses: "10" });
    const id = Number(/(\d+)-/.exec(link)?.[1]);
    const rows = () =>
      inDatabase<{ days: number; uses_max: number }>(
        world,
        "SELECT (expires_at - created_at) / 86400000 AS days, uses_max FROM invitations WHERE id = ?",
        id,
      );
    expect(await rows()).toEqual([{ days: 30, uses_max: 10 }]);
    const before = (await inDatabase(world, "SELECT id FROM invitations")).length;
    const form = await ann.openForm(`/rooms/${slug}/settings`, { action: `/rooms/${slug}/invitations` });
    for (const wrong of ["0", "-1", "1.5", "366", "1e9", "NaN", "x", "Infinity", "0x1g"]) {
      const answer = await ann.sendForm(form, { days: wrong, uses: "" });
      expect({ wrong, status: answer.status }).toEqual({ wrong, status: 400 });
      expect(problem(answer.text)).toBe("The server did not understand this.");
    }
    expect((await ann.sendForm(form, { days: "", uses: "10001" })).status).toBe(400);
    expect(await inDatabase(world, "SELECT id FROM invitations")).toHaveLength(before);
  });

  test("too many times is refused with the time to wait", async () => {
    const strict = await startWorld({ INVITATION_RATE_LIMIT: "2", INVITATION_RATE_WINDOW: "50" });
    const dora = await member(strict, "dora", ENGLISH);
    const room = await makeRoom(dora, "room");
    await invite(dora, room);
    await invite(dora, room);
    const form = await dora.openForm(`/rooms/${room}/settings`, { action: `/rooms/${room}/invitations` });
    const answer = await dora.sendForm(form, { days: "", uses: "" });
    expect([answer.status, Number(answer.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect(problem(answer.text)).toMatch(/Wait \d+ s\./);
    expect(await linksOf(dora, room)).toHaveLength(2);
    await strict.stop();
  });
});

describe("somebody who is put out in mid-conversation", () => {
  let sockets: { page: Gateway; tab: Gateway; old: Socket<ChatFrame> };
  let witness: { page: Gateway; old: Socket<ChatFrame> };

  beforeEach(async () => {
    await letIn(bob, carl);
    sockets = { page: await follow(bob), tab: await follow(bob), old: await openChat(bob, slug) };
    witness = { page: await follow(carl), old: await openChat(carl, slug) };
    await says(ann, "with bob");
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
    await says(ann, "without bob");
    await says(carl, "so it is");
    await witness.page.nextOf("changes", ({ changes }) => changes[0]?.text === "so it is");
    await witness.old.next(({ message }) => message === "so it is");
    for (const socket of [sockets.page, sockets.tab, sockets.old])
      expect(await socket.quiet(SILENCE_MS)).toEqual([]);
  });

  test("cannot resume, write, mark or open it again, by any door", async () => {
    await sockets.page.nextOf("removed");
    await says(ann, "without bob");
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
    expect((await post(bob, "let me in")).status).toBe(404);
    expect(await statusFor(bob)).toBe(404);
    const shake = { cookie: bob.cookieHeader(), origin: world.url };
    expect((await shakeHands(world, `/ws/chat/${slug}/`, shake)).status).toBe(403);
    expectJson(await bob.get(`/api/chat/rooms/${slug}/messages/`), 404, { error: "Not found" });
    expect(await textsIn(ann)).toEqual(["with bob", "I am here", "without bob"]);
    expect(await html(bob, "/rooms")).not.toContain(slug);
  });

  test("stays out with any invitation, until a moderator allows it, and then catches up", async () => {
    await sockets.page.nextOf("removed");
    const link = await invite(ann, slug);
    expect((await bob.post(link, {}, { as: "form" })).status).toBe(404);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "carl", "bob removed"]);
    await says(ann, "meanwhile");
    await press(ann, slug, "members/bob/readmit");
    expect(await statusFor(bob)).toBe(404);
    await join(bob, link);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "carl", "bob"]);
    const { page } = sockets;
    page.send({ type: "resume", room: slug, epoch: page.epoch, rev: 2 });
    const missed = await page.nextOf("changes", ({ from }) => from === 2);
    expect(missed).toMatchObject({ to: 3, changes: [{ text: "meanwhile" }] });
    await says(ann, "welcome back");
    const live = await page.nextOf("changes", ({ from }) => from === 3);
    expect(live).toMatchObject({ changes: [{ text: "welcome back" }] });
    expect(await page.post("thank you", undefined, slug)).toMatchObject({ type: "ack" });
  });
});

describe("while somebody is put out over and over", () => {
  test("nothing that is said without them ever reaches them", async () => {
    await letIn(bob, carl);
    const [hers, page] = [await follow(ann), await follow(bob)];
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
      await letIn(bob);
    }
    expect(heard.join("")).toContain("in ");
    expect(heard.join("")).not.toContain("secret");
  });
});

describe("whoever leaves", () => {
  test("is out on every page, and comes back by an invitation alone", async () => {
    await letIn(bob, carl);
    const [page, old] = [await follow(bob), await openChat(bob, slug)];
    await says(ann, "hello");
    await page.nextOf("changes");
    const left = await press(bob, slug, "leave");
    expect([left.status, left.headers.get("location")]).toEqual([303, "/rooms"]);
    expect(await page.nextOf("removed")).toMatchObject({ room: slug, reason: "membership" });
    expect((await old.closed).code).toBe(4403);
    await says(ann, "without bob");
    expect((await page.quiet(SILENCE_MS)).filter(({ type }) => type === "changes")).toEqual([]);
    expect(await statusFor(bob)).toBe(404);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "carl"]);
    await letIn(bob);
    expect(await textsIn(bob)).toEqual(["hello", "without bob"]);
  });

  test("and owns the room is told to hand it over first", async () => {
    const answer = await ann.post(`/rooms/${slug}/leave`, {}, { as: "form" });
    expect(answer.status).toBe(409);
    expect(problem(answer.text)).toBe("Hand the room over first, or delete it.");
    expect(await statusFor(ann)).toBe(200);
    await letIn(bob);
    await press(ann, slug, "members/bob/hand-over");
    expect(await peopleOf(bob, slug)).toEqual(["bob owner", "ann moderator"]);
    expect((await press(ann, slug, "leave")).status).toBe(303);
    expect(await peopleOf(bob, slug)).toEqual(["bob owner"]);
  });
});

describe("moderators", () => {
  test("are made and unmade by the owner, and look after members and invitations, not after the room", async () => {
    await letIn(bob, carl);
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
    await letIn(bob, carl);
    await says(bob, "by bob");
    await says(carl, "by carl");
    const socket = await follow(carl);
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
    expect((await textsIn(carl)).join("")).not.toContain("by ");
  });
});

describe("an owner", () => {
  test("names the room and says what it is about, in words that fit", async () => {
    await letIn(bob);
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
    expect(await statusFor(ann)).toBe(200);
    const answer = await press(ann, slug, "delete", { confirmation: typed });
    expect(answer.status).toBe(typed === "the-hall" ? 422 : 303);
    expect(await statusFor(ann)).toBe(typed === "the-hall" ? 200 : 404);
  });

  test("ends everything with the room, for everybody and at once", async () => {
    await letIn(bob);
    const link = await invite(ann, slug);
    await says(bob, "the last words");
    const [page, own, old] = [await follow(bob), await follow(ann), await openChat(bob, slug)];
    await says(ann, "premise");
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
      expect((await post(who, "is anybody there?")).status).toBe(404);
    }
    expect(await page.post("is anybody there?", undefined, slug)).toMatchObject({ code: "not_found" });
    expect(await statusFor(carl, link)).toBe(404);
    expect(
      await inDatabase(world, "SELECT 1 FROM messages WHERE text IN ('the last words', 'premise')"),
    ).toEqual([]);
    // Clients that come back by themselves must not find themselves in a room of somebody else.
    const taken = { error: "Room slug is already taken" };
    for (const who of [ann, carl]) expectJson(await who.get(`/api/chat/rooms/${slug}/`), 409, taken);
    expect(await statusFor(ann)).toBe(404);
  });

  test("may delete it while everybody is writing, and nothing goes wrong", async () => {
    await letIn(bob, carl);
    const writers = [await follow(bob), await follow(carl), await follow(ann)];
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

describe("what is unread", () => {
  test("is counted until it has been seen, for each person alone", async () => {
    await letIn(bob, carl);
    for (const text of ["one", "two", "three"]) await says(ann, text);
    const counts = async () =>
      [await unread(bob), await unread(carl), await unread(ann)].map((of) => of[slug]);
    expect(await counts()).toEqual(["3", "3", undefined]);
    const page = await follow(bob);
    page.send({ type: "read", room: slug, seq: 2 });
    await page.settled();
    expect(await counts()).toEqual(["1", "3", undefined]);
    page.send({ type: "read", room: slug, seq: 1 });
    await page.settled();
    expect(await counts()).toEqual(["1", "3", undefined]);
    page.send({ type: "read", room: slug, seq: 999_999 });
    await page.settled();
    expect(await counts()).toEqual([undefined, "3", undefined]);
    await says(ann, "four");
    expect(await counts()).toEqual(["1", "4", undefined]);
  });

  test("is nothing once one has written oneself, or marked all as read", async () => {
    await letIn(bob);
    await says(ann, "one");
    expect((await unread(bob))[slug]).toBe("1");
    await says(bob, "two");
    expect((await unread(bob))[slug]).toBeUndefined();
    await says(ann, "three");
    expect((await unread(bob))[slug]).toBe("1");
    const marked = await bob.sendForm(await bob.openForm("/rooms", { action: "/rooms/read" }));
    expect([marked.status, marked.headers.get("location")]).toEqual([303, "/rooms"]);
    expect(await unread(bob)).toEqual({});
  });

  test("does not change by looking at the page", async () => {
    await letIn(bob);
    await says(ann, "one");
    for (const path of [`/rooms/${slug}`, `/rooms/${slug}/settings`, "/rooms"]) await html(bob, path);
    expect((await unread(bob))[slug]).toBe("1");
  });

  test("of a list left open by somebody who has logged out is not marked, and they may log in again", async () => {
    await letIn(bob);
    const dora = await member(world, `dora-${slug}`, ENGLISH);
    await letIn(dora);
    await says(ann, "one");
    const form = await dora.openForm("/rooms", { action: "/rooms/read" });
    await dora.logout();
    const answer = await dora.sendForm(form);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/login?next=%2Frooms"]);
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
      await letIn(bob);
      const [page, old] = [await follow(bob), await openChat(bob, slug)];
      expect(await page.post("premise", undefined, slug)).toMatchObject({ type: "ack" });
      old.send({ message: "premise too" });
      expect(await old.next(({ message }) => message === "premise too")).toBeDefined();
      await says(bob, "premise by form");
      await page.quiet(SILENCE_MS);
      await old.quiet(0);

      await set(true);
      try {
        expect(await page.post("let me", undefined, slug)).toMatchObject({ code, retryable: false });
        old.send({ message: "let me" });
        expect(await old.next()).toEqual({ error: code });
        const refused = await post(bob, "let me");
        expect(refused.status).toBe(403);
        expect(refused.text).toContain(words);
        expect(refused.text).toContain("premise by form");
        const room = await html(bob, `/rooms/${slug}`);
        expect(room).toContain(words);
        expect(tags(room, ".composer")).toEqual([]);
        expect(await textsIn(bob)).toEqual(["premise", "premise too", "premise by form"]);
        const history = await bob.get(`/api/chat/rooms/${slug}/messages/`);
        expect((history.json() as { messages: [] }).messages).toHaveLength(3);

        if (code === "muted") {
          await says(ann, "still speaking");
          expect(await page.nextOf("changes")).toMatchObject({ changes: [{ text: "still speaking" }] });
          expect(await old.next()).toMatchObject({ message: "still speaking" });
          const open = await post(bob, "in public", "public");
          expect([open.status, open.text.includes(words)]).toEqual([403, true]);
        } else {
          expect((await post(ann, "as the owner")).status).toBe(403);
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

test("the public room has no settings, and takes none of their forms", async () => {
  for (const path of ["/rooms/public/settings", "/rooms/nowhere-at-all/settings"])
    expect(await statusFor(ann, path)).toBe(404);
  for (const act of ["leave", "delete", "settings", "invitations", "members/bob/remove"])
    expect((await ann.post(`/rooms/public/${act}`, {}, { as: "form" })).status).toBe(404);
});
