import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectJson, expectRefused } from "../../src/testing/answers.ts";
import { guest, member, type Answer, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { shakeHands } from "../../src/testing/raw.ts";
import { invite, join, press } from "../../src/testing/rooms.ts";
import { openChat } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

const TAKEN = { error: "Room slug is already taken" };
const NOT_FOUND = { error: "Not found" };
const INVALID = { error: "Invalid room slug" };
const LOGIN = { error: "Требуется авторизация" };
const EMPTY = { messages: [], pagination: { limit: 50, hasMore: false, nextBefore: null } };

let world: World;
let ann: Client;
let bob: Client;
let visitor: Client;
beforeAll(async () => {
  world = await startWorld();
  [ann, bob, visitor] = [await member(world, "ann"), await member(world, "bob"), await guest(world)];
});
afterAll(() => world.stop());

let made = 0;
/** As existing clients make them: 12 hexadecimal digits. */
const newSlug = () => (++made).toString(16).padStart(12, "0");
const details = (who: Client, slug: string) => who.get(`/api/chat/rooms/${slug}/`);
const history = (who: Client, slug: string, query = "") =>
  who.get(`/api/chat/rooms/${slug}/messages/${query}`);
const contents = (answer: Answer) =>
  (answer.json() as { messages: { content: string }[] }).messages.map(({ content }) => content);
const shake = (who: Client, slug: string) =>
  shakeHands(world, `/ws/chat/${slug}/`, { cookie: who.cookieHeader(), origin: world.url });

/** Somebody comes into a room by an invitation. */
async function letIn(owner: Client, slug: string, who: Client): Promise<void> {
  await join(who, await invite(owner, slug));
}

async function says(who: Client, slug: string, text: string): Promise<void> {
  const posted = await who.post(`/rooms/${slug}/messages`, { text }, { as: "form" });
  expect(posted.status).toBe(303);
}

describe("the details of a room", () => {
  test("make it, if nobody has it: named after whoever asked first", async () => {
    const slug = newSlug();
    const room = { slug, name: "ann", createdBy: "ann" };
    const first = await details(ann, slug);
    expectJson(first, 200, { ...room, created: true });
    expect(first.headers.get("vary")).toBe("Cookie, Origin");
    for (let i = 0; i < 2; i++) expectJson(await details(ann, slug), 200, { ...room, created: false });
  });

  test("are the same for a member, and refused to everybody else", async () => {
    const slug = newSlug();
    await details(ann, slug);
    expectJson(await details(bob, slug), 409, TAKEN);
    await letIn(ann, slug, bob);
    expectJson(await details(bob, slug), 200, { slug, name: "ann", created: false, createdBy: "ann" });
    expectJson(await details(visitor, slug), 401, LOGIN);
    await press(ann, slug, "members/bob/remove");
    expectJson(await details(bob, slug), 409, TAKEN);
  });

  test("of the public room are everybody's", async () => {
    const room = { slug: "public", name: "Public Chat", created: false, createdBy: null };
    for (const who of [ann, bob, visitor]) expectJson(await details(who, "public"), 200, room);
  });

  test.each([
    "Abc",
    "abc",
    "aBC",
    "PUBLIC",
    "Public",
    "messages",
    "---",
    "___",
    "x".repeat(50),
    "read",
    "new",
  ])("know a slug by every letter of it: %s", async (slug) => {
    expectJson(await details(ann, slug), 200, { slug, name: "ann", created: true, createdBy: "ann" });
    expectJson(await details(bob, slug), 409, TAKEN);
    expectJson(await history(ann, slug), 200, EMPTY);
  });

  test.each(["ab", "x".repeat(51), "a%20b%20c", "a.b.c", "%D1%8F%D1%8F%D1%8F", "a/b", "a%2Fb/messages/c"])(
    "and the messages of what is no slug are refused, to guests as well: %s",
    async (slug) => {
      for (const who of [ann, visitor]) {
        expectJson(await details(who, slug), 400, INVALID);
        expectJson(await history(who, slug, "?limit=abc"), 400, INVALID);
      }
    },
  );

  test("look at the slug first, then at the login, then at the room", async () => {
    const slug = newSlug();
    await details(ann, slug);
    expectJson(await details(visitor, "ab"), 400, INVALID);
    for (const room of [slug, newSlug()]) {
      expectJson(await details(visitor, room), 401, LOGIN);
      expectJson(await history(visitor, room, "?limit=abc"), 401, LOGIN);
    }
    expectJson(await history(bob, slug, "?limit=abc"), 400, {
      error: "Invalid 'limit': must be an integer",
    });
  });

  test("follow the creator's name, while the room keeps its own", async () => {
    const dora = await member(world, "dora");
    const slug = newSlug();
    await details(dora, slug);
    await inDatabase(world, "UPDATE users SET name = 'Theodora', name_key = 'theodora' WHERE name = 'dora'");
    expectJson(await details(dora, slug), 200, {
      slug,
      name: "dora",
      created: false,
      createdBy: "Theodora",
    });
  });

  test("say nobody for a creator who is gone, and are still only for members", async () => {
    const emil = await member(world, "emil");
    const slug = newSlug();
    await details(emil, slug);
    await letIn(emil, slug, ann);
    await inDatabase(world, "DELETE FROM users WHERE name = 'emil'");
    expectJson(await details(ann, slug), 200, { slug, name: "emil", created: false, createdBy: null });
    expectJson(await details(bob, slug), 409, TAKEN);
  });

  test("bear the name that the owner has given, and its creator after it was handed over", async () => {
    const slug = newSlug();
    await details(ann, slug);
    await letIn(ann, slug, bob);
    await press(ann, slug, "settings", { name: "Зал", topic: "" });
    await press(ann, slug, "members/bob/hand-over");
    for (const who of [ann, bob])
      expectJson(await details(who, slug), 200, { slug, name: "Зал", created: false, createdBy: "ann" });
  });

  test("answer only those who read, with a slash at the end", async () => {
    const slug = newSlug();
    const short = await ann.get(`/api/chat/rooms/${slug}?x=1`);
    expect([short.status, short.headers.get("location")]).toEqual([301, `/api/chat/rooms/${slug}/?x=1`]);
    const written = await ann.post(`/api/chat/rooms/${slug}/`);
    expect([written.status, written.headers.get("allow")]).toEqual([405, "GET"]);
    const forged = await ann.post(`/api/chat/rooms/${slug}/`, undefined, { headers: { "x-csrftoken": "" } });
    expectRefused(forged, 403);
    expectJson(await details(bob, slug), 200, { slug, name: "bob", created: true, createdBy: "bob" });
  });

  test("make only so many rooms for one person", async () => {
    const strict = await startWorld({ ROOM_RATE_LIMIT: "2", ROOM_RATE_WINDOW: "100" });
    const [fay, gil] = [await member(strict, "fay"), await member(strict, "gil")];
    const own = newSlug();
    for (const slug of [own, newSlug()]) expect((await details(fay, slug)).status).toBe(200);
    const third = newSlug();
    const refused = await details(fay, third);
    expectJson(refused, 429, { error: "rate_limited" });
    expect(Number(refused.headers.get("retry-after"))).toBeWithin(1, 101);
    const chat = { cookie: fay.cookieHeader(), origin: strict.url };
    const handshake = await shakeHands(strict, `/ws/chat/${third}/`, chat);
    expect(handshake.status).toBe(429);
    expect(Number(handshake.headers.get("retry-after"))).toBeWithin(1, 101);
    expect((await details(fay, own)).status).toBe(200);
    expectJson(await details(gil, third), 200, { slug: third, name: "gil", created: true, createdBy: "gil" });
    await strict.stop();
  });
});

describe("two who want the same slug at the same moment", () => {
  test("are one who gets it and one who is told, 30 times over", async () => {
    for (let round = 0; round < 30; round++) {
      const slug = newSlug();
      const asking = round % 2 === 0 ? [ann, bob] : [bob, ann];
      const answers = await Promise.all(asking.map((who) => details(who, slug)));
      const won = answers.findIndex(({ status }) => status === 200);
      const name = asking[won] === ann ? "ann" : "bob";
      expectJson(answers[won] as Answer, 200, { slug, name, created: true, createdBy: name });
      expectJson(answers[1 - won] as Answer, 409, TAKEN);
    }
  });

  test("are one, however many times each asks", async () => {
    for (let round = 0; round < 10; round++) {
      const slug = newSlug();
      const asking = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? ann : bob));
      const answers = await Promise.all(asking.map((who) => details(who, slug)));
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(5);
      expect(statuses.filter((status) => status === 409)).toHaveLength(5);
      const rooms = answers.map((answer) => answer.json() as { created?: boolean });
      expect(rooms.filter(({ created }) => created)).toHaveLength(1);
    }
  });
});

describe("a page of an existing client, which starts everything at once,", () => {
  test("works for a slug that nobody has: details, messages and socket, in whatever order they come", async () => {
    for (let round = 0; round < 20; round++) {
      const slug = newSlug();
      const starts: (() => Promise<unknown>)[] = [
        async () => {
          const answer = await details(ann, slug);
          const room = { slug, name: "ann", createdBy: "ann", created: expect.any(Boolean) };
          expect({ status: answer.status, room: answer.json() }).toEqual({ status: 200, room });
        },
        async () => {
          const answer = await history(ann, slug, "?limit=50");
          expect(answer.status).toBe(200);
          // The socket may have been quicker.
          expect([[], ["first"]]).toContainEqual(contents(answer) as never[]);
        },
        async () => {
          const socket = await openChat(ann, slug);
          socket.send({ message: "first", username: "ann", profile_pic: null, room: slug });
          expect(await socket.next()).toMatchObject({ message: "first", username: "ann", room: slug });
          socket.close();
        },
      ];
      const at = round % 3;
      await Promise.all([...starts.slice(at), ...starts.slice(0, at)].map((start) => start()));
      expectJson(await details(ann, slug), 200, { slug, name: "ann", created: false, createdBy: "ann" });
      expect(contents(await history(ann, slug))).toEqual(["first"]);
      expect((await shake(bob, slug)).status).toBe(403);
    }
  });

  test("may come by its socket alone, which makes the room its own", async () => {
    const slug = newSlug();
    const socket = await openChat(ann, slug);
    expectJson(await details(bob, slug), 409, TAKEN);
    expectJson(await details(ann, slug), 200, { slug, name: "ann", created: false, createdBy: "ann" });
    socket.close();
  });

  test("hears in its room what its members say, by whichever door, and nobody else does", async () => {
    const slug = newSlug();
    await details(ann, slug);
    await letIn(ann, slug, bob);
    const twin = slug.replace("0", "A");
    await details(ann, twin);
    const [hers, his, other] = [
      await openChat(ann, slug),
      await openChat(bob, slug),
      await openChat(ann, twin),
    ];
    const heardByBoth = async (message: string, username: string) => {
      for (const socket of [hers, his])
        expect(await socket.next()).toMatchObject({ message, username, room: slug });
    };
    hers.send({ message: "hello" });
    await heardByBoth("hello", "ann");
    await says(bob, slug, "by form");
    await heardByBoth("by form", "bob");
    expect(await other.quiet(60)).toEqual([]);
  });

  test("is refused the socket of others' rooms, and of all rooms without a login", async () => {
    const slug = newSlug();
    await details(ann, slug);
    expect((await shake(ann, slug)).status).toBe(101);
    for (const who of [bob, visitor]) expect((await shake(who, slug)).status).toBe(403);
    expect((await shake(visitor, newSlug())).status).toBe(403);
  });
});

describe("the messages of a room", () => {
  test("that nobody has are none, and asking does not make it", async () => {
    const slug = newSlug();
    expectJson(await history(ann, slug), 200, EMPTY);
    expectJson(await history(ann, slug, "?limit=3&before=9"), 200, {
      messages: [],
      pagination: { limit: 3, hasMore: false, nextBefore: null },
    });
    expectJson(await details(bob, slug), 200, { slug, name: "bob", created: true, createdBy: "bob" });
  });

  test("are its members', and not found by others", async () => {
    const slug = newSlug();
    await details(ann, slug);
    await says(ann, slug, "for members");
    expectJson(await history(bob, slug), 404, NOT_FOUND);
    expectJson(await history(visitor, slug), 401, LOGIN);
    await letIn(ann, slug, bob);
    const answer = await history(bob, slug);
    expect(contents(answer)).toEqual(["for members"]);
    expect(answer.json()).toMatchObject({
      messages: [{ username: "ann", profilePic: `${world.url}/media/default.jpg`, seq: 1 }],
      pagination: { limit: 50, hasMore: false, nextBefore: null },
    });
  });

  test("are those of this room, however its slug is like another's", async () => {
    const slug = `Room${newSlug()}`;
    for (const room of [slug, slug.toLowerCase()]) {
      await details(ann, room);
      await says(ann, room, `in ${room}`);
    }
    for (const room of [slug, slug.toLowerCase()])
      expect(contents(await history(ann, room))).toEqual([`in ${room}`]);
  });

  test("are without those that were removed", async () => {
    const slug = newSlug();
    await details(ann, slug);
    for (const text of ["one", "two", "three"]) await says(ann, slug, text);
    const { messages } = (await history(ann, slug)).json() as { messages: { id: number }[] };
    const path = `/rooms/${slug}/messages/${messages[1]?.id}/remove`;
    expect((await ann.post(path, {}, { as: "form" })).status).toBe(303);
    const answer = await history(ann, slug, "?limit=2");
    expect(contents(answer)).toEqual(["one", "three"]);
    expect(answer.text).not.toContain("two");
    expect(answer.json()).toMatchObject({ pagination: { limit: 2, hasMore: false, nextBefore: null } });
  });

  test("of somebody whose account is gone keep the name", async () => {
    const slug = newSlug();
    await details(ann, slug);
    const hans = await member(world, "hans");
    await letIn(ann, slug, hans);
    await says(hans, slug, "farewell");
    await inDatabase(world, "DELETE FROM users WHERE name = 'hans'");
    expect((await history(ann, slug)).json()).toMatchObject({
      messages: [{ username: "hans", content: "farewell" }],
    });
  });
});

test("the public room is called as its row says", async () => {
  const other = await startWorld();
  const reader = await guest(other);
  await inDatabase(other, "UPDATE rooms SET name = 'Площадь' WHERE slug = 'public'");
  expectJson(await reader.get("/api/chat/public-room/"), 200, { slug: "public", name: "Площадь" });
  expect((await reader.get("/api/chat/rooms/public/")).json()).toMatchObject({ name: "Площадь" });
  await other.stop();
});
