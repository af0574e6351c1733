import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { expectJson, expectRefused } from "../../src/testing/answers.ts";
import { guest, member, PASSWORD, stranger, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { messagesOn, tags } from "../../src/testing/html.ts";
import { shakeHands } from "../../src/testing/raw.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
import { newKey, openChat, openGateway, openPresence } from "../../src/testing/socket.ts";
import { someone, standAs } from "../../src/testing/staff.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

/** How long a test listens for a frame that must not come. */
const SILENCE_MS = 60;

const ENGLISH = { headers: { "accept-language": "en" } };

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

let pairs = 0;
let names: { ann: string; bob: string; carl: string };
let ann: Client;
let bob: Client;
let carl: Client;
beforeEach(async () => {
  const pair = ++pairs;
  names = { ann: `ann${pair}`, bob: `bob${pair}`, carl: `carl${pair}` };
  ann = await member(world, names.ann, ENGLISH);
  bob = await member(world, names.bob, ENGLISH);
  carl = await member(world, names.carl, ENGLISH);
});

const directTo = (name: string) => `/users/${encodeURIComponent(name)}/direct`;
const formTo = (who: Client, name: string) =>
  who.openForm(`/users/${encodeURIComponent(name)}`, { action: directTo(name) });

/** Presses the button on somebody's page; the slug of the room it leads to. */
async function writeTo(who: Client, name: string): Promise<string> {
  const answer = await who.sendForm(await formTo(who, name));
  expect(answer.status).toBe(303);
  const location = answer.headers.get("location") ?? "";
  expect(location).toMatch(/^\/rooms\/[0-9a-f]{12}$/);
  return location.slice("/rooms/".length);
}

/** The same for whoever has no such button. */
const forge = (who: Client, name: string) =>
  who.post(directTo(name), {}, { as: "form", headers: { accept: "text/html" } });

const html = async (who: Client, path: string) => (await who.get(path, { accept: "text/html" })).text;
const statusFor = async (who: Client, path: string) => (await who.get(path)).status;
const send = (who: Client, slug: string, text: string) =>
  who.post(`/rooms/${slug}/messages`, { text }, { as: "form", headers: { accept: "text/html" } });
const says = async (who: Client, slug: string, text: string) =>
  expect((await send(who, slug, text)).status).toBe(303);
const textsIn = async (who: Client, slug: string) =>
  messagesOn(await html(who, `/rooms/${slug}`)).map(({ text }) => text);

/** Somebody's rooms but the public one, with what is unread in them: `ann 2`. */
async function roomsOf(who: Client): Promise<string[]> {
  const rooms: string[] = [];
  const parts = tags(await html(who, "/rooms"), "main .room-list .name, main .room-list .unread");
  for (const { text, attributes } of parts) {
    if (attributes.class === "name") rooms.push(text);
    else rooms.push(`${rooms.pop()} ${text}`);
  }
  return rooms.slice(1);
}

const nameOf = async (who: Client, slug: string) => ({
  page: tags(await html(who, `/rooms/${slug}`), "h1.room-name").map(({ text }) => text),
  list: tags(await html(who, "/rooms"), `main .room-list a[href="/rooms/${slug}"] .name`).map(
    ({ text }) => text,
  ),
  api: ((await who.get(`/api/chat/rooms/${slug}/`)).json() as { name: string }).name,
});
const called = (name: string) => ({ page: [name], list: [name], api: name });

describe("a direct room", () => {
  test("is one for its two people, whichever of them asks and however often", async () => {
    const slug = await writeTo(ann, names.bob);
    expect([
      await writeTo(ann, names.bob),
      await writeTo(bob, names.ann),
      await writeTo(bob, names.ann),
    ]).toEqual([slug, slug, slug]);
    const others = [await writeTo(ann, names.carl), await writeTo(carl, names.bob)];
    expect(new Set([slug, ...others]).size).toBe(3);

    await says(ann, slug, "hello");
    await says(bob, slug, "hello yourself");
    for (const who of [ann, bob]) expect(await textsIn(who, slug)).toEqual(["hello", "hello yourself"]);
  });

  test("is one although both ask 20 times at once", async () => {
    const asking = [
      { who: ann, form: await formTo(ann, names.bob) },
      { who: bob, form: await formTo(bob, names.ann) },
    ];
    const before = (await inDatabase(world, "SELECT id FROM rooms")).length;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => asking.map(({ who, form }) => who.sendForm(form))).flat(),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(40).fill(303));
    expect(new Set(answers.map(({ headers }) => headers.get("location"))).size).toBe(1);
    expect(await inDatabase(world, "SELECT id FROM rooms")).toHaveLength(before + 1);
    expect([await roomsOf(ann), await roomsOf(bob)]).toEqual([[names.bob], [names.ann]]);
  });

  test("is named after the other for each of them, also when they have another name now", async () => {
    const slug = await writeTo(ann, names.bob);
    expect(await nameOf(ann, slug)).toEqual(called(names.bob));
    expect(await nameOf(bob, slug)).toEqual(called(names.ann));
    const renamed = `${names.bob}.Боб`;
    expect((await bob.post("/api/auth/profile/", { username: renamed })).status).toBe(200);
    expect(await nameOf(ann, slug)).toEqual(called(renamed));
    expect(await nameOf(bob, slug)).toEqual(called(names.ann));
    expect(await writeTo(ann, renamed)).toBe(slug);
    expect((await forge(ann, names.bob)).status).toBe(404);
    const title = tags(await html(ann, `/rooms/${slug}`), "title").map(({ text }) => text);
    expect(title).toEqual([expect.stringContaining(renamed)]);
  });

  test("is live for both, on every kind of socket", async () => {
    const slug = await writeTo(ann, names.bob);
    const page = await openGateway(bob, []);
    page.send({ type: "resume", room: slug, epoch: page.epoch, rev: 0 });
    await page.settled();
    const chat = await openChat(bob, slug);
    const hers = await openGateway(ann, []);
    expect(await hers.post("live", newKey(), slug)).toMatchObject({ type: "ack" });
    expect(await page.nextOf("changes", ({ changes }) => changes.length > 0)).toMatchObject({
      room: slug,
      changes: [{ text: "live", author: names.ann }],
    });
    expect(await chat.next()).toMatchObject({ message: "live", username: names.ann, room: slug });
    for (const socket of [page, chat, hers]) socket.close();
  });

  test("counts what each of them has not read", async () => {
    const slug = await writeTo(ann, names.bob);
    expect([await roomsOf(ann), await roomsOf(bob)]).toEqual([[names.bob], [names.ann]]);
    for (const text of ["one", "two"]) await says(ann, slug, text);
    expect([await roomsOf(ann), await roomsOf(bob), await roomsOf(carl)]).toEqual([
      [names.bob],
      [`${names.ann} 2`],
      [],
    ]);
    await says(bob, slug, "three");
    expect([await roomsOf(ann), await roomsOf(bob)]).toEqual([[`${names.bob} 1`], [names.ann]]);
    await ann.sendForm(await ann.openForm("/rooms", { action: "/rooms/read" }));
    expect(await roomsOf(ann)).toEqual([names.bob]);
  });

  test("has no settings, no invitations and no end, and nobody leaves it", async () => {
    const own = await makeRoom(ann, "her own");
    const slug = await writeTo(ann, names.bob);
    const link = (room: string) => `a[href="/rooms/${room}/settings"]`;
    expect(tags(await html(ann, `/rooms/${own}`), link(own))).toHaveLength(1);
    expect(tags(await html(ann, `/rooms/${slug}`), link(slug))).toEqual([]);
    expect(await statusFor(ann, `/rooms/${own}/settings`)).toBe(200);
    for (const who of [ann, bob]) expect(await statusFor(who, `/rooms/${slug}/settings`)).toBe(404);

    await join(bob, await invite(ann, own));
    const acts: [string, Record<string, string>, number][] = [
      ["settings", { name: "ours", topic: "" }, 303],
      ["invitations", { days: "", uses: "" }, 303],
      [`members/${names.bob}/promote`, {}, 303],
      [`members/${names.bob}/demote`, {}, 303],
      [`members/${names.bob}/remove`, {}, 303],
      [`members/${names.bob}/readmit`, {}, 303],
      ["leave", {}, 409],
      ["delete", { confirmation: "ours" }, 303],
    ];
    for (const [act, fields, status] of acts) {
      const press = async (who: Client, room: string) =>
        (await who.post(`/rooms/${room}/${act}`, fields, { as: "form" })).status;
      expect({ act, status: await press(ann, own) }).toEqual({ act, status });
      for (const who of [ann, bob, carl])
        expect({ act, status: await press(who, slug) }).toEqual({ act, status: 404 });
    }
    expect(await statusFor(ann, `/rooms/${own}`)).toBe(404);
    expect(await nameOf(ann, slug)).toEqual(called(names.bob));
    expect(await nameOf(bob, slug)).toEqual(called(names.ann));
    expect(
      await inDatabase(
        world,
        "SELECT 1 FROM invitations i JOIN rooms r ON r.id = i.room_id WHERE r.slug = ?",
        slug,
      ),
    ).toEqual([]);
  });

  test("lets each of them take back only what they have written", async () => {
    const slug = await writeTo(ann, names.bob);
    await says(ann, slug, "by ann");
    await says(bob, slug, "by bob");
    const [hers, his] = messagesOn(await html(ann, `/rooms/${slug}`)).map(({ id }) => id);
    const remove = async (who: Client, id = 0) =>
      (await who.post(`/rooms/${slug}/messages/${id}/remove`, {}, { as: "form" })).status;
    expect(await remove(bob, hers)).toBe(403);
    expect(await remove(ann, his)).toBe(403);
    expect(await remove(ann, hers)).toBe(303);
    // The place of what was removed stays.
    expect(await textsIn(bob, slug)).toEqual(["", "by bob"]);
  });
});

describe("nobody else", () => {
  test("reads a direct room or finds it in a list, staff included", async () => {
    const root = await someone(world, "superuser", `root${pairs}`);
    const watching = await openGateway(carl);
    const slug = await writeTo(ann, names.bob);
    await says(ann, slug, "between us");
    const id = messagesOn(await html(bob, `/rooms/${slug}`))[0]?.id ?? 0;
    const nowhere = "0123456789ab";
    for (const path of [`/rooms/${slug}`, `/rooms/${slug}?before=99`, `/rooms/${slug}/messages/${id}`]) {
      for (const who of [ann, bob]) expect(await statusFor(who, path)).toBe(200);
      for (const who of [carl, root, stranger(world, ENGLISH)]) {
        const [here, there] = [await who.get(path), await who.get(path.replace(slug, nowhere))];
        expect([path, here.status, there.status]).toEqual([path, 404, 404]);
        const page = (text: string, room: string) =>
          text.replaceAll(room, "").replaceAll(/name="csrfmiddlewaretoken" value="\w+"/g, "");
        expect(page(here.text, slug)).toBe(page(there.text, nowhere));
      }
    }
    for (const who of [carl, root]) {
      expectJson(await who.get(`/api/chat/rooms/${slug}/`), 409, { error: "Room slug is already taken" });
      expectRefused(await who.get(`/api/chat/rooms/${slug}/messages/`), 404);
      expect((await send(who, slug, "let me in")).status).toBe(404);
      const headers = { cookie: who.cookieHeader(), origin: who.origin };
      expect((await shakeHands(world, `/ws/chat/${slug}/`, headers)).status).toBe(403);
      expect(await statusFor(who, `/rooms/public/messages/${id}`)).toBe(404);
      expect(await roomsOf(who)).toEqual([]);
    }
    expect((await carl.post(`/rooms/${slug}/messages/${id}/remove`, {}, { as: "form" })).status).toBe(404);
    expectRefused(await (await guest(world)).get(`/api/chat/rooms/${slug}/`), 401);

    for (const path of ["/admin/rooms", `/admin/rooms?q=${slug}`, `/api/admin/rooms/?q=${names.bob}`]) {
      const { status, text } = await root.get(path, { accept: "text/html" });
      expect([path, status]).toEqual([path, 200]);
      expect(text.replaceAll(`q=${slug}`, "").replaceAll(`value="${slug}"`, "")).not.toContain(slug);
    }

    watching.send({ type: "resume", room: slug, epoch: watching.epoch, rev: 0 });
    expect(await watching.nextOf("removed")).toMatchObject({ room: slug });
    expect(await watching.post("let me in", newKey(), slug)).toMatchObject({ code: "not_found" });
    await says(bob, slug, "still between us");
    expect(JSON.stringify(await watching.quiet(SILENCE_MS))).not.toContain("between us");
    watching.close();
    expect(await textsIn(bob, slug)).toEqual(["between us", "still between us"]);
  });

  test("makes one who is not signed in, or whose form is forged", async () => {
    const visitor = await guest(world, ENGLISH);
    expect(tags(await html(visitor, `/users/${names.ann}`), "h1").map(({ text }) => text)).toEqual([
      names.ann,
    ]);
    const answer = await forge(visitor, names.ann);
    expect(answer.status).toBe(401);
    expect(await roomsOf(ann)).toEqual([]);
    const forged = await bob.post(directTo(names.ann), {}, { as: "form", headers: { "x-csrftoken": "" } });
    expect(forged.status).toBe(403);
    expect(await roomsOf(ann)).toEqual([]);
  });
});

describe("a direct message", () => {
  test("to oneself, to nobody and to a name written otherwise is refused in words", async () => {
    expect((await forge(ann, names.bob)).status).toBe(303);
    const before = await roomsOf(ann);
    const oneself = await forge(ann, names.ann);
    expect(oneself.status).toBe(403);
    expect(tags(oneself.text, "h1").map(({ text }) => text)).toEqual(["Not for you"]);
    for (const name of ["nobody", names.bob.toUpperCase(), `${names.bob} `, "__proto__", "public"]) {
      const answer = await forge(ann, name);
      expect([name, answer.status]).toEqual([name, 404]);
      expect(tags(answer.text, "h1").map(({ text }) => text)).toEqual(["Nothing here"]);
    }
    expect(await roomsOf(ann)).toEqual(before);
  });

  test("from somebody muted is not sent, but they read what they are told", async () => {
    const early = await writeTo(ann, names.bob);
    await says(bob, early, "while I may");
    await standAs(world, "muted", names.bob);
    await bob.login(names.bob);
    const late = await writeTo(bob, names.carl);
    for (const slug of [early, late]) {
      const refused = await send(bob, slug, "hear me");
      expect(refused.status).toBe(403);
      expect(refused.text).toContain("You may read, but not write at the moment.");
      expect(tags(await html(bob, `/rooms/${slug}`), ".composer")).toEqual([]);
    }
    await says(ann, early, "we miss you");
    expect(await textsIn(bob, early)).toEqual(["while I may", "we miss you"]);
    await says(carl, late, "and I");
    expect(await textsIn(bob, late)).toEqual(["and I"]);
  });

  test("waits for somebody whose account is disabled", async () => {
    const root = await someone(world, "superuser", `root${pairs}`);
    const early = await writeTo(ann, names.bob);
    expect((await root.post(`/api/admin/users/${names.bob}/disable/`)).status).toBe(200);
    expect(await statusFor(bob, "/profile")).toBe(303);
    expect(await writeTo(ann, names.bob)).toBe(early);
    const late = await writeTo(carl, names.bob);
    await says(ann, early, "come back");
    await says(carl, late, "soon");
    expect((await root.delete(`/api/admin/users/${names.bob}/disable/`)).status).toBe(200);
    expect((await bob.login(names.bob)).status).toBe(200);
    expect((await roomsOf(bob)).toSorted()).toEqual([`${names.ann} 1`, `${names.carl} 1`]);
    expect(await textsIn(bob, early)).toEqual(["come back"]);
    expect(await textsIn(bob, late)).toEqual(["soon"]);
  });
});

describe("who has deleted their account", () => {
  test("is still read by the other, and cannot be written to anew", async () => {
    const slug = await writeTo(ann, names.bob);
    await says(bob, slug, "remember me");
    await says(ann, slug, "I will");
    const page = await openGateway(ann, []);
    page.send({ type: "resume", room: slug, epoch: page.epoch, rev: 0 });
    await page.settled();
    const [chat, presence] = [await openChat(bob, slug), await openPresence(ann)];
    const form = await bob.openForm("/profile", { action: "/profile/delete" });
    const gone = await bob.sendForm(form, { password: PASSWORD, confirmation: names.bob });
    expect(gone.status).toBe(303);
    expect((await chat.closed).code).toBe(4401);

    expect(await textsIn(ann, slug)).toEqual(["remember me", "I will"]);
    expect(await nameOf(ann, slug)).toEqual(called(names.bob));
    const { messages } = (await ann.get(`/api/chat/rooms/${slug}/messages/`)).json() as {
      messages: { username: string; content: string }[];
    };
    expect(messages.map(({ username, content }) => [username, content])).toEqual([
      [names.bob, "remember me"],
      [names.ann, "I will"],
    ]);
    expect([page.isOpen(), presence.isOpen()]).toEqual([true, true]);
    expect(await statusFor(bob, `/rooms/${slug}`)).toBe(404);

    expect(await statusFor(ann, `/users/${names.bob}`)).toBe(404);
    for (const who of [ann, carl]) expect((await forge(who, names.bob)).status).toBe(404);
    expect(await roomsOf(carl)).toEqual([]);
    for (const socket of [page, presence]) socket.close();
  });
});

test("staff neither list a room of two nor close it", async () => {
  const slug = await writeTo(ann, names.bob);
  const keeper = await someone(world, "staff", `keeper${pairs}`);
  const own = await makeRoom(ann, "Зал");
  const close = (room: string) => keeper.post(`/api/admin/rooms/${room}/close/`);
  expect((await close(own)).status).toBe(200);
  expectJson(await close(slug), 404, { error: "Not found" });
  const listed = (await keeper.get("/api/admin/rooms/")).text;
  expect(listed).toContain(own);
  expect(listed).not.toContain(slug);
  await says(bob, slug, "still here");
});
