import { afterAll, describe, expect, test } from "bun:test";
import { expectJson } from "../../src/testing/answers.ts";
import { guest, member, PASSWORD, stranger, type Answer, type Client } from "../../src/testing/client.ts";
import { messagesOn, tags } from "../../src/testing/html.ts";
import { png } from "../../src/testing/pictures.ts";
import { shakeHands } from "../../src/testing/raw.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
import {
  newKey,
  openChat,
  openGateway,
  openPresence,
  type ChatFrame,
  type Gateway,
  type Socket,
} from "../../src/testing/socket.ts";
import { startWorld, type Environment, type World } from "../../src/testing/world.ts";

/** Long enough that none ends within a test, whatever the machine is doing besides. Seconds. */
const WINDOW = 300;

const ENGLISH = { headers: { "accept-language": "en" } };
const SOCKETS = ["/ws/", "/ws/presence/", "/ws/chat/public/"];

const worlds: World[] = [];
const start = async (env: Environment) => {
  const world = await startWorld(env);
  worlds.push(world);
  return world;
};
afterAll(async () => {
  for (const world of worlds) await world.stop();
});

/** Tries until it is let in after three refusals. Whoever is slow is refused in more than one window. */
async function untilOver(attempt: () => Promise<boolean>): Promise<void> {
  for (let isIn = false, refusals = 0; !isIn || refusals < 3;) {
    isIn = await attempt();
    if (isIn) continue;
    refusals++;
    await Bun.sleep(50);
  }
}

const newSlug = () => `room-${crypto.randomUUID()}`;
const problem = ({ text }: Pick<Answer, "text">) =>
  tags(text, ".problem")
    .map((shown) => shown.text.trim())
    .join("");

/** 429, with how long to wait; answers with the seconds. */
function expectToWait({ status, headers }: Pick<Answer, "status" | "headers">): string {
  expect(status).toBe(429);
  const seconds = headers.get("retry-after") ?? "";
  expect(seconds).toMatch(/^\d+$/);
  expect(Number(seconds)).toBeWithin(1, WINDOW + 1);
  return seconds;
}

/** The page that stands for a form that was refused and has no page of its own. */
function expectNotice(answer: Answer): void {
  expectToWait(answer);
  expect(tags(answer.text, "h1").map(({ text }) => text)).toEqual(["A little slower"]);
  expect(answer.text).toContain("Wait a moment and try again.");
}

const handshake = (who: Client, path: string, headers: Record<string, string> = {}) =>
  shakeHands(who.place, path, { cookie: who.cookieHeader(), origin: who.origin, ...headers });

describe("the limit on messages", () => {
  const textsIn = async (who: Client, slug: string) =>
    messagesOn((await who.get(`/rooms/${slug}`, { accept: "text/html" })).text).map(({ text }) => text);
  const say = async (chat: Socket<ChatFrame>, text: string): Promise<ChatFrame> => {
    chat.send({ message: text });
    return chat.next(({ message, error }) => message === text || error !== undefined);
  };

  test("is one for all doors, sockets and rooms of a person, and hurts nobody else", async () => {
    const world = await start({
      CHAT_MESSAGE_RATE_LIMIT: "4",
      CHAT_MESSAGE_RATE_WINDOW: String(WINDOW),
    });
    const [ann, bob] = [await member(world, "ann", ENGLISH), await member(world, "bob", ENGLISH)];
    const slug = newSlug();
    const hall = await openChat(ann, slug);
    const [page, tab] = [await openGateway(ann), await openGateway(ann)];
    const lobby = await openChat(ann, "public");

    expect(await page.post("one")).toMatchObject({ type: "ack" });
    expect(await say(lobby, "two")).toMatchObject({ message: "two" });
    expect(await say(hall, "three")).toMatchObject({ message: "three" });
    expect((await ann.submit(`/rooms/${slug}`, { text: "four" })).status).toBe(303);

    for (const [socket, room] of [
      [page, "public"],
      [tab, "public"],
      [tab, slug],
    ] as const) {
      const key = newKey();
      expect(await socket.post("too much", key, room)).toEqual({
        type: "refusal",
        key,
        code: "rate_limited",
        retryable: true,
        retryAfter: expect.any(Number),
      });
    }
    for (const chat of [lobby, hall]) {
      const { retry_after: seconds, ...refusal } = await say(chat, "too much");
      expect(refusal).toEqual({ error: "rate_limited" });
      expect(seconds).toBeWithin(1, WINDOW + 1);
    }
    for (const room of ["public", slug]) {
      const refused = await ann.submit(`/rooms/${room}`, { text: "too much" });
      const seconds = expectToWait(refused);
      expect(problem(refused)).toBe(`That was too often. Wait ${seconds} s.`);
      expect(tags(refused.text, "textarea")[0]?.text).toBe("too much");
    }
    const again = await guest(world, ENGLISH);
    await again.login("ann");
    expect((await again.submit("/rooms/public", { text: "too much" })).status).toBe(429);

    const others = await openGateway(bob);
    for (const text of ["five", "six"]) expect(await others.post(text)).toMatchObject({ type: "ack" });
    expect((await bob.submit("/rooms/public", { text: "seven" })).status).toBe(303);
    expect(await textsIn(bob, "public")).toEqual(["one", "two", "five", "six", "seven"]);
    expect(await textsIn(ann, slug)).toEqual(["three", "four"]);
    expect([page, tab, lobby, hall].every((socket) => socket.isOpen())).toBe(true);
  });

  const doors: [string, (ann: Client) => Promise<(text: string) => Promise<boolean>>][] = [
    [
      "page",
      async (ann) => {
        const page: Gateway = await openGateway(ann);
        return async (text) => (await page.post(text)).type === "ack";
      },
    ],
    [
      "original socket",
      async (ann) => {
        const chat = await openChat(ann, "public");
        return async (text) => (await say(chat, text)).message === text;
      },
    ],
    ["form", async (ann) => async (text) => (await ann.submit("/", { text })).status === 303],
  ];
  test.each(doors)("ends with its window, however often refused meanwhile, at the %s", async (_, open) => {
    const world = await start({ CHAT_MESSAGE_RATE_LIMIT: "2", CHAT_MESSAGE_RATE_WINDOW: "2" });
    const ann = await member(world, "ann");
    const write = await open(ann);
    const written: string[] = [];
    const writeOn = async () => {
      const text = `text ${written.length}`;
      return (await write(text)) && written.push(text) > 0;
    };
    for (let i = 0; i < 2; i++) expect(await writeOn()).toBe(true);
    await untilOver(writeOn);
    expect(await textsIn(ann, "public")).toEqual(written);
  });

  test("counts only what could be stored", async () => {
    const world = await start({ CHAT_MESSAGE_RATE_LIMIT: "1", CHAT_MESSAGE_RATE_WINDOW: String(WINDOW) });
    const ann = await member(world, "ann");
    const page = await openGateway(ann);
    for (const [text, room] of [
      [" ", "public"],
      ["x".repeat(1001), "public"],
      ["hello", "nowhere"],
    ] as const) {
      expect(await page.post(text, newKey(), room)).not.toMatchObject({ code: "rate_limited" });
      expect((await ann.submit("/", { text: " " })).status).toBe(422);
    }
    expect(await page.post("hello")).toMatchObject({ type: "ack" });
    expect(await page.post("hello")).toMatchObject({ code: "rate_limited" });
    expect((await ann.submit("/", { text: " " })).status).toBe(422);
  });
});

describe("the limit on signing up", () => {
  const registration = { username: "ann", password1: PASSWORD, password2: "another" };

  test("gives the form back, with what was typed and how long to wait, and lets people log in", async () => {
    const world = await start({ AUTH_RATE_LIMIT: "2", AUTH_RATE_WINDOW: String(WINDOW) });
    const visitor = stranger(world, ENGLISH);
    for (let i = 0; i < 2; i++) expect((await visitor.submit("/register", registration)).status).toBe(422);
    const refused = await visitor.submit("/register", { ...registration, password2: PASSWORD });
    const seconds = expectToWait(refused);
    expect(problem(refused)).toBe(`Too many attempts. Try again in ${seconds} s.`);
    expect(tags(refused.text, "main input[name=username]")[0]?.attributes.value).toBe("ann");
    expect(refused.text).not.toContain(PASSWORD);

    const client = await guest(world);
    const byApi = await client.register("ann");
    expectJson(byApi, 429, { error: "Too many attempts" });
    expectToWait(byApi);
    expect((await client.login("ann")).status).toBe(400);
  });
});

describe("the limit on ways in", () => {
  /** Each is an attempt that fails; the names differ, because an account is counted as well. */
  const doors: [string, (client: Client, name: string) => Promise<Answer>][] = [
    ["login page", (client, username) => client.submit("/login", { username, password: "wrong" })],
    [
      "registration page",
      (client, username) => client.submit("/register", { username, password1: "x", password2: "y" }),
    ],
    ["API's registration", (client) => client.post("/api/auth/register/", {})],
  ];
  const comingBy = async (world: World, knock: (typeof doors)[number][1]) => {
    let attempts = 0;
    return async (address: string) => {
      const client = await guest(world, { headers: { "x-forwarded-for": address } });
      const answer = await knock(client, `nobody${++attempts}`);
      if (answer.status === 429) expectToWait(answer);
      return answer.status === 429 ? "refused" : "heard";
    };
  };

  test.each(doors)("counts networks as a trusted proxy sees them, at the %s", async (_, knock) => {
    const world = await start({ AUTH_RATE_LIMIT: "2", AUTH_RATE_WINDOW: String(WINDOW) });
    const from = await comingBy(world, knock);
    expect(await from("2001:db8:1:2::1")).toBe("heard");
    expect(await from("2001:DB8:1:2:ffff::9")).toBe("heard");
    expect(await from("2001:db8:1:2:1:2:3:4")).toBe("refused");
    expect(await from("192.0.2.1, 2001:db8:1:2::5")).toBe("refused");
    expect(await from("2001:db8:1:3::1")).toBe("heard");
    expect(await from("203.0.113.9")).toBe("heard");
    expect(await from("::ffff:203.0.113.9")).toBe("heard");
    expect(await from("203.0.113.9, 10.0.0.5")).toBe("refused");
    expect(await from("203.0.113.10")).toBe("heard");
  });

  test.each(doors)("believes nobody else about them, at the %s", async (_, knock) => {
    const world = await start({
      AUTH_RATE_LIMIT: "2",
      AUTH_RATE_WINDOW: String(WINDOW),
      TRUSTED_PROXIES: "10.0.0.0/8",
    });
    const from = await comingBy(world, knock);
    expect(await from("203.0.113.1")).toBe("heard");
    expect(await from("2001:db8::1")).toBe("heard");
    expect(await from("203.0.113.2")).toBe("refused");
    expect(await from("10.0.0.7")).toBe("refused");
  });
});

describe("the limit on pictures", () => {
  const picture = () => new File([png(30, 30)], "a.png");
  const byPage = (who: Client, username: string, bio = "") =>
    who.post("/profile", { username, email: "", bio, image: picture() }, { as: "multipart" });
  const byApi = (who: Client, username: string) =>
    who.post("/api/auth/profile/", { username, image: picture() }, { as: "multipart" });

  test("is one for the page and the API, wherever its owner is, and keeps what was typed", async () => {
    const world = await start({ UPLOAD_RATE_LIMIT: "2", UPLOAD_RATE_WINDOW: String(WINDOW) });
    const [ann, bob] = [await member(world, "ann", ENGLISH), await member(world, "bob", ENGLISH)];
    expect((await byPage(ann, "ann")).status).toBe(303);
    expect((await byApi(ann, "ann")).status).toBe(200);
    const refused = await byPage(ann, "ann", "about me");
    const seconds = expectToWait(refused);
    expect(problem(refused)).toBe(`Too many pictures. Try again in ${seconds} s.`);
    expect(tags(refused.text, "textarea[name=bio]")[0]?.text).toBe("about me");
    const away = await guest(world, { headers: { "x-forwarded-for": "203.0.113.7" } });
    await away.login("ann");
    const elsewhere = await byApi(away, "ann");
    expectJson(elsewhere, 429, { error: "Too many attempts" });
    expectToWait(elsewhere);

    expect((await ann.submit("/profile", { username: "ann", bio: "about me" })).status).toBe(303);
    expect((await byPage(bob, "bob")).status).toBe(303);
    expect((await byApi(bob, "bob")).status).toBe(200);
  });
});

describe("the limit on handshakes", () => {
  test("is one for all sockets of an address, and is said before the upgrade", async () => {
    const world = await start({ SOCKET_RATE_LIMIT: "3", SOCKET_RATE_WINDOW: String(WINDOW) });
    const ann = await member(world, "ann");
    const open = await openPresence(ann);
    for (const path of SOCKETS) {
      expect((await handshake(ann, path, { origin: "http://evil.example" })).status).toBe(403);
      expect((await ann.get(path)).status).toBe(426);
    }
    for (const path of SOCKETS.slice(1)) expect((await handshake(ann, path)).status).toBe(101);
    for (const path of SOCKETS) {
      const refused = await handshake(ann, path);
      expectToWait(refused);
      expect(refused.body).toBe("");
      expect((await handshake(stranger(world), path)).status).toBe(429);
    }
    for (const path of SOCKETS) {
      expect((await handshake(ann, path, { "x-forwarded-for": "203.0.113.7" })).status).toBe(101);
    }
    expect((await ann.get("/")).status).toBe(200);
    expect(open.isOpen()).toBe(true);
    open.close();
  });

  test("counts a whole /64 of IPv6 as one, and IPv4 in its dress as IPv4", async () => {
    const world = await start({ SOCKET_RATE_LIMIT: "3", SOCKET_RATE_WINDOW: String(WINDOW) });
    const visitor = stranger(world);
    const from = async (path: string, address: string) =>
      (await handshake(visitor, path, { "x-forwarded-for": address })).status;
    for (const [i, path] of SOCKETS.entries()) expect(await from(path, `2001:db8:1:2:${i}::${i}`)).toBe(101);
    for (const path of SOCKETS) {
      expect(await from(path, "2001:db8:1:2:ffff:ffff:ffff:ffff")).toBe(429);
      expect(await from(path, "2001:db8:1:3::1")).toBe(101);
    }
    for (const address of ["203.0.113.9", "::ffff:203.0.113.9", "::ffff:cb00:7109"])
      expect(await from("/ws/", address)).toBe(101);
    expect(await from("/ws/", "203.0.113.9")).toBe(429);
    expect(await from("/ws/", "203.0.113.10")).toBe(101);
  });

  test("believes no address that a stranger forwards", async () => {
    const world = await start({
      SOCKET_RATE_LIMIT: "2",
      SOCKET_RATE_WINDOW: String(WINDOW),
      TRUSTED_PROXIES: "10.0.0.0/8",
    });
    const statuses: number[] = [];
    for (const address of ["203.0.113.1", "2001:db8::1", "203.0.113.2", "10.0.0.7"])
      statuses.push((await handshake(stranger(world), "/ws/", { "x-forwarded-for": address })).status);
    expect(statuses).toEqual([101, 101, 429, 429]);
  });

  test("ends with its window, however often refused meanwhile", async () => {
    const world = await start({ SOCKET_RATE_LIMIT: "1", SOCKET_RATE_WINDOW: "2" });
    const visitor = stranger(world);
    expect((await handshake(visitor, "/ws/")).status).toBe(101);
    await untilOver(async () => (await handshake(visitor, "/ws/")).status !== 429);
  });
});

describe("the limit on invitations", () => {
  test("counts those that are opened, valid or not, and says so in words", async () => {
    const world = await start({ INVITATION_RATE_LIMIT: "2", INVITATION_RATE_WINDOW: String(WINDOW) });
    const [ann, bob, carl] = [
      await member(world, "ann", ENGLISH),
      await member(world, "bob", ENGLISH),
      await member(world, "carl", ENGLISH),
    ];
    const slugs = [await makeRoom(ann, "one"), await makeRoom(ann, "two")] as const;
    const links = [await invite(ann, slugs[0]), await invite(ann, slugs[1])] as const;

    await join(bob, links[0]);
    const form = await bob.openForm(links[1], { action: links[1] });
    const guessed = await bob.sendForm({ ...form, action: `${links[1].slice(0, -4)}AAAA` });
    expect(guessed.status).toBe(404);
    expectNotice(await bob.sendForm(form));
    expect((await bob.get(`/rooms/${slugs[1]}`)).status).toBe(404);
    expect((await bob.get(`/rooms/${slugs[0]}`)).status).toBe(200);
    // Whoever signs in by an invitation that is not opened yet stands before it.
    const phone = await guest(world);
    const next = `/login?next=${encodeURIComponent(links[1])}`;
    const entered = await phone.submit(next, { username: "bob", password: PASSWORD });
    expect([entered.status, entered.headers.get("location")]).toEqual([303, links[1]]);

    await join(carl, links[1]);
    expect((await carl.get(`/rooms/${slugs[1]}`)).status).toBe(200);
  });

  test("is one for those made and those opened", async () => {
    const world = await start({ INVITATION_RATE_LIMIT: "2", INVITATION_RATE_WINDOW: String(WINDOW) });
    const [ann, bob] = [await member(world, "ann", ENGLISH), await member(world, "bob", ENGLISH)];
    const [hers, his] = [await makeRoom(ann, "hers"), await makeRoom(bob, "his")];
    const link = await invite(bob, his);
    await invite(ann, hers);
    await join(ann, link);
    const form = await ann.openForm(`/rooms/${hers}/settings`, { action: `/rooms/${hers}/invitations` });
    const refused = await ann.sendForm(form, { days: "", uses: "" });
    const seconds = expectToWait(refused);
    expect(problem(refused)).toContain(`Wait ${seconds} s.`);
    expect(await invite(bob, his)).not.toBe(link);
  });
});

describe("the limit on rooms", () => {
  const details = (who: Client, slug: string) => who.get(`/api/chat/rooms/${slug}/`);
  const writeTo = async (who: Client, name: string) =>
    who.sendForm(await who.openForm(`/users/${name}`, { action: `/users/${name}/direct` }));

  test("is one for the page, the API, the socket and direct rooms; what is there costs nothing", async () => {
    const world = await start({ ROOM_RATE_LIMIT: "4", ROOM_RATE_WINDOW: String(WINDOW) });
    const [ann, bob, carl] = [
      await member(world, "ann", ENGLISH),
      await member(world, "bob", ENGLISH),
      await member(world, "carl", ENGLISH),
    ];
    const made = [newSlug(), newSlug(), newSlug()] as const;
    const direct = (await writeTo(ann, "bob")).headers.get("location") ?? "";
    expect(direct).toMatch(/^\/rooms\/\w+$/);
    await makeRoom(ann, "one", made[0]);
    for (let i = 0; i < 5; i++) {
      for (const who of [ann, bob]) {
        const opened = await writeTo(who, who === ann ? "bob" : "ann");
        expect([opened.status, opened.headers.get("location")]).toEqual([303, direct]);
      }
      expect((await details(ann, made[1])).json()).toMatchObject({ created: i === 0 });
      expect((await handshake(ann, `/ws/chat/${made[2]}/`)).status).toBe(101);
    }

    const refused = [newSlug(), newSlug(), newSlug()] as const;
    const byPage = await ann.submit("/rooms", { name: "five", slug: refused[0] });
    expect(problem(byPage)).toContain(`Wait ${expectToWait(byPage)} s.`);
    expect(tags(byPage.text, "main input[name=name]")[0]?.attributes.value).toBe("five");
    const byApi = await details(ann, refused[1]);
    expectJson(byApi, 429, { error: "rate_limited" });
    expectToWait(byApi);
    const bySocket = await handshake(ann, `/ws/chat/${refused[2]}/`);
    expectToWait(bySocket);
    expect(bySocket.body).toBe("");
    expectNotice(await writeTo(ann, "carl"));

    // Nothing of it was made, and all that was made before opens.
    for (const slug of refused) expect((await details(carl, slug)).json()).toMatchObject({ created: true });
    for (const slug of refused) {
      expectJson(await details(ann, slug), 409, { error: "Room slug is already taken" });
      expect((await handshake(ann, `/ws/chat/${slug}/`)).status).toBe(403);
    }
    for (const slug of [...made, direct.slice("/rooms/".length)]) {
      expect((await details(ann, slug)).status).toBe(200);
      expect((await handshake(ann, `/ws/chat/${slug}/`)).status).toBe(101);
      expect((await ann.get(`/rooms/${slug}`)).status).toBe(200);
    }
    expect((await writeTo(ann, "bob")).headers.get("location")).toBe(direct);
    expect((await writeTo(carl, "ann")).status).toBe(303);
    expect((await writeTo(ann, "carl")).status).toBe(303);
  });

  test("ends with its window, however often refused meanwhile", async () => {
    const world = await start({ ROOM_RATE_LIMIT: "1", ROOM_RATE_WINDOW: "2" });
    const ann = await member(world, "ann");
    expect((await details(ann, newSlug())).status).toBe(200);
    let slug = "";
    await untilOver(async () => {
      slug = newSlug();
      return (await handshake(ann, `/ws/chat/${slug}/`)).status !== 429;
    });
    expect((await details(ann, slug)).json()).toMatchObject({ created: false });
  });
});
