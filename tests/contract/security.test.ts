import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectJson, expectRefused, expectSecurityHeaders } from "../../src/testing/answers.ts";
import { guest, member, PASSWORD, stranger, type Answer, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { messagesOn } from "../../src/testing/html.ts";
import { ask, shakeHands } from "../../src/testing/raw.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

let world: World;
let ann: Client;
beforeAll(async () => {
  world = await startWorld();
  ann = await member(world, "ann");
});
afterAll(() => world.stop());

const isSignedIn = async (client: Client) =>
  ((await client.get("/api/auth/session/")).json() as { authenticated: boolean }).authenticated;
const textsInRoom = async () => messagesOn((await ann.get("/rooms/public")).text).map(({ text }) => text);
const csrfOf = (client: Client) => client.cookies.get("csrftoken") ?? "";

/** What must not be read in an answer: files, statements, stacks. */
const INSIDE = /\.tsx?\b|node_modules|\bat \w+ \(|SQLITE|SQLite|SELECT |no such table|Error:|stack|echochat-/;

/** Every request that changes something, as the page of whoever is logged in would send it. */
const UNSAFE: [string, Record<string, string>][] = [
  ["/api/auth/login/", { username: "ann", password: PASSWORD }],
  ["/api/auth/register/", { username: "forged", password1: PASSWORD, password2: PASSWORD }],
  ["/api/auth/logout/", {}],
  ["/login", { username: "ann", password: PASSWORD }],
  ["/register", { username: "forged", password1: PASSWORD, password2: PASSWORD }],
  ["/logout", {}],
  ["/rooms/public/messages", { text: "forged" }],
  ["/preferences", { locale: "ru", theme: "dark" }],
  ["/api/auth/profile/", { username: "forged" }],
  ["/profile", { username: "forged" }],
  ["/profile/password", { current: PASSWORD, password1: "forged", password2: "forged" }],
  ["/profile/sessions", { session: "others" }],
  ["/profile/delete", { password: PASSWORD, confirmation: "ann" }],
];

async function sendForged(
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string>,
): Promise<Answer> {
  const body = new URLSearchParams({ ...fields, csrfmiddlewaretoken: csrfOf(ann) });
  return ann.request("POST", path, { headers, body });
}

async function expectNothingHappened(path: string, answer: Answer): Promise<void> {
  expect(answer.status).toBe(403);
  expect(answer.headers.getSetCookie().filter((cookie) => !cookie.startsWith("csrftoken"))).toEqual([]);
  expect(await isSignedIn(ann)).toBe(true);
  expect(await textsInRoom()).not.toContain("forged");
  if (path.includes("register")) expect((await (await guest(world)).login("forged")).status).toBe(400);
}

describe("another site's page", () => {
  test.each(UNSAFE)("cannot send %s by the origin it has", async (path, fields) => {
    const foreign = [
      "http://evil.example",
      "null",
      `${world.url}.evil.example`,
      world.url.replace("http:", "https:"),
    ];
    for (const origin of foreign)
      await expectNothingHappened(path, await sendForged(path, fields, { origin }));
  });

  test.each(UNSAFE)("cannot send %s by what the browser says of it", async (path, fields) => {
    for (const site of ["cross-site", "same-site"]) {
      await expectNothingHappened(path, await sendForged(path, fields, { "sec-fetch-site": site }));
    }
    await expectNothingHappened(
      path,
      await sendForged(path, fields, { "sec-fetch-site": "cross-site", origin: "http://evil.example" }),
    );
  });

  test.each(UNSAFE)("or program without header and token cannot send %s", async (path, fields) => {
    await expectNothingHappened(path, await ann.request("POST", path, { body: new URLSearchParams(fields) }));
  });

  test.each(["/api/auth/login/", "/login"])("cannot log a visitor in at %s", async (path) => {
    const victim = await guest(world);
    const fields = { username: "ann", password: PASSWORD, csrfmiddlewaretoken: csrfOf(victim) };
    const send = (headers: Record<string, string>) =>
      victim.request("POST", path, { headers, body: new URLSearchParams(fields) });
    expect((await send({ origin: "http://evil.example", "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect(await isSignedIn(victim)).toBe(false);
    expect([200, 303]).toContain((await send({ origin: world.url })).status);
    expect(await isSignedIn(victim)).toBe(true);
  });

  test("cannot use the token of another session", async () => {
    const [bob, visitor] = [await member(world, "bob"), await guest(world)];
    for (const token of [csrfOf(bob), csrfOf(visitor)]) {
      const options = { headers: { "x-csrftoken": token } };
      expectRefused(await ann.post("/api/auth/logout/", undefined, options), 403);
      const body = new URLSearchParams({ text: "forged", csrfmiddlewaretoken: token });
      const headers = { origin: world.url, cookie: ann.cookieHeader().replace(csrfOf(ann), token) };
      expect((await ann.request("POST", "/rooms/public/messages", { headers, body })).status).toBe(403);
    }
    expect(await isSignedIn(ann)).toBe(true);
    expect(await textsInRoom()).not.toContain("forged");
  });

  test.each(["/ws/", "/ws/chat/public/"])("cannot open %s", async (path) => {
    const cookie = ann.cookieHeader();
    expect((await shakeHands(world, path, { cookie, origin: world.url })).status).toBe(101);
    expect((await shakeHands(world, path, { cookie, origin: "http://127.0.0.1:5173" })).status).toBe(101);
    expect((await shakeHands(world, path, { cookie })).status).toBe(403);
    const { host } = new URL(world.url);
    const lookAlikes = [
      "",
      "null",
      "http://evil.example",
      "http://localhost.evil.example",
      "http://evil-localhost",
    ];
    lookAlikes.push(
      "http://localhost@evil.example",
      `http://evil.example/${host}`,
      `http://evil.example#${host}`,
      "localhost",
    );
    lookAlikes.push(
      "file://localhost",
      "ftp://localhost",
      "http://localhost.",
      "http://127.0.0.2",
      "http://locаlhost",
    );
    for (const origin of lookAlikes) {
      const answer = await shakeHands(world, path, { cookie, origin });
      expect({ origin, status: answer.status }).toEqual({ origin, status: 403 });
    }
  });
});

describe("a redirect after a form", () => {
  const lures = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "/.//evil.example",
    "javascript:alert(1)",
  ];
  lures.push(
    "/\t/evil.example",
    "//evil.example@localhost",
    "\x00//evil.example",
    "/%0d%0aLocation:%20//evil.example",
    "/\r\nx: y",
  );

  test.each(lures)("stays here, whatever next says: %j", async (next) => {
    const query = `?next=${encodeURIComponent(next)}`;
    const visitor = stranger(world);
    const login = await visitor.submit(`/login${query}`, { username: "ann", password: PASSWORD });
    const revisit = await visitor.get(`/login${query}`);
    const preferences = await visitor.request("POST", "/preferences", {
      headers: { origin: world.url },
      body: new URLSearchParams({ theme: "dark", next }),
    });
    for (const answer of [login, revisit, preferences]) {
      expect(answer.status).toBe(303);
      const location = answer.headers.get("location") ?? "";
      expect(location).toMatch(/^\/(?![/\\])/);
      expect(new URL(location, world.url).origin).toBe(world.url);
      expect(answer.headers.get("x")).toBeNull();
    }
  });

  test("leads to a page of ours", async () => {
    const login = await stranger(world).submit("/login?next=/rooms/public%3Fbefore=3", {
      username: "ann",
      password: PASSWORD,
    });
    expect(login.headers.get("location")).toBe("/rooms/public?before=3");
  });
});

test("an unknown name and a wrong password get the same answer, by form and API", async () => {
  const shape = ({ status, text, headers }: Answer) => ({
    status,
    text: text.replace(/value="[^"]*"/g, ""),
    headers: [...headers].filter(([name]) => !["set-cookie", "date"].includes(name)),
  });
  const visitor = await guest(world, { headers: { "accept-encoding": "identity" } });
  for (const path of ["/api/auth/login/", "/login"]) {
    const login = (username: string, password: string) =>
      path === "/login"
        ? visitor.submit(path, { username, password })
        : visitor.post(path, { username, password });
    const known = shape(await login("ann", "wrong-password"));
    expect([400, 422]).toContain(known.status);
    expect(shape(await login("axl", "wrong-password"))).toEqual(known);
  }
});

test("errors tell nothing of the inside", async () => {
  const visitor = await guest(world);
  const requests = [
    () => visitor.get("/nothing-here"),
    () => visitor.get("/rooms/nothing"),
    () => visitor.get("/rooms/public/messages/999999"),
    () => visitor.get("/rooms/public/messages/1'%20OR%201=1--"),
    () => visitor.get("/rooms/public?before=9'"),
    () => visitor.get("/rooms/%ff"),
    () => visitor.get("/api/chat/rooms/%ff/"),
    () => visitor.get("/api/chat/rooms/x'--/messages/"),
    () => visitor.get("/api/chat/rooms/public/messages/?before=99999999999999999999999"),
    () => visitor.post("/api/auth/login/", "[1]"),
    () => visitor.post("/api/auth/login/", { username: "' OR 1=1 --", password: "x" }),
    () => visitor.request("DELETE", "/"),
    () =>
      ask(world, { path: "/api/auth/session/", headers: { host: "x" } }).then(({ status, body }) => ({
        status,
        text: body,
      })),
  ];
  for (const request of requests) {
    const { status, text } = await request();
    expect(status).toBeLessThan(500);
    expect(text).not.toMatch(INSIDE);
  }
});

test("a failure inside is told as a failure and no more, and is noted in one line each", async () => {
  const broken = await startWorld();
  const bob = await member(broken, "bob");
  const socket = await openGateway(bob);
  expect(await socket.post("premise")).toMatchObject({ type: "ack" });
  await inDatabase(broken, "DROP TABLE messages");

  const api = await bob.get("/api/chat/rooms/public/messages/");
  expectJson(api, 500, { error: expect.any(String) });
  for (const answer of [
    api,
    await bob.get("/"),
    await bob.get("/rooms/public"),
    await bob.get("/rooms/public?before=2"),
  ]) {
    expect(answer.status).toBe(500);
    expect(answer.text).not.toMatch(INSIDE);
    expectSecurityHeaders(answer);
  }
  expect(await socket.post("lost")).toMatchObject({ type: "refusal", code: "unavailable", retryable: true });
  expect(socket.isOpen()).toBe(true);
  expect((await bob.get("/api/auth/session/")).status).toBe(200);

  const noted = broken.takeErrors();
  expect(noted).toHaveLength(5);
  for (const line of noted) expect(line).not.toMatch(/\n/);
  await broken.stop();
});
