import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { expectRefused, expectSecurityHeaders } from "../../src/testing/answers.ts";
import { guest, member, PASSWORD, stranger, type Client } from "../../src/testing/client.ts";
import { messagesOn } from "../../src/testing/html.ts";
import { ask } from "../../src/testing/raw.ts";
import { someone } from "../../src/testing/staff.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

const MEGABYTE = 1024 * 1024;

let world: World;
let ann: Client;
let visitor: Client;
beforeAll(async () => {
  world = await startWorld();
  ann = await member(world, "ann");
});
beforeEach(async () => {
  visitor = await guest(world);
});
afterAll(() => world.stop());

/** The server goes on, and nobody got in who should not. */
async function expectUnhurt(): Promise<void> {
  expect(world.errors).toEqual([]);
  expect((await stranger(world).get("/api/auth/session/")).status).toBe(200);
  expect((await ann.get("/")).status).toBe(200);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
}

const isRefusal = (status: number) => status >= 400 && status < 500;

describe("a JSON body", () => {
  const FIELDS = {
    "/api/auth/login/": ["username", "password"],
    "/api/auth/register/": ["username", "password1", "password2"],
  };
  let names = 0;
  const filled = (path: string) =>
    path.includes("login")
      ? { username: "ann", password: PASSWORD }
      : { username: `name${++names}`, password1: PASSWORD, password2: PASSWORD };

  const notText = [["a", "list"], [], {}, { $ne: null }, { toString: "x" }, 123456, 0, -1, 1.5, true, false];
  test.each(Object.entries(FIELDS))(
    "to %s may not hold lists, objects, numbers or booleans for texts",
    async (path, fields) => {
      const taken: unknown[] = [];
      for (const value of notText) {
        for (const field of fields) {
          const sender = await guest(world);
          const { status } = await sender.post(path, { ...filled(path), [field]: value });
          if (status !== 400) taken.push({ field, value, status });
        }
      }
      expect(taken).toEqual([]);
      await expectUnhurt();
    },
  );

  test.each([
    [
      "half a surrogate pair in the name",
      '{"username":"a\\ud800","password1":"correct horse","password2":"correct horse"}',
    ],
    ["NUL in the name", '{"username":"a\\u0000","password1":"correct horse","password2":"correct horse"}'],
  ])("with %s makes no account", async (_, body) => {
    expect((await visitor.post("/api/auth/register/", body)).status).toBe(400);
    await expectUnhurt();
  });

  test("that is not UTF-8 is refused", async () => {
    const body = new Uint8Array([...new TextEncoder().encode('{"username":"'), 0xff, 0xc0, 0x22, 0x7d]);
    const headers = {
      "x-csrftoken": visitor.cookies.get("csrftoken") ?? "",
      "content-type": "application/json",
    };
    expectRefused(await visitor.request("POST", "/api/auth/login/", { headers, body }), 400);
    expect(world.errors).toEqual([]);
  });

  const more = {
    is_staff: true,
    isStaff: true,
    is_superuser: true,
    id: 1,
    userId: 1,
    is_active: false,
    createdAt: 0,
  };
  const inWords = Object.fromEntries(Object.entries(more).map(([name, value]) => [name, String(value)]));
  const register = (username: string, wishes: object) =>
    visitor.post("/api/auth/register/", {
      username,
      password1: PASSWORD,
      password2: PASSWORD,
      bio: "b",
      ...wishes,
    });

  test("cannot make its sender more than a new user", async () => {
    const answer = await register("climber", inWords);
    expect(answer.status).toBe(201);
    const { user } = answer.json() as { user: { registeredAt: string } };
    expect(user).toMatchObject({ username: "climber", is_staff: false, is_superuser: false, bio: "" });
    expect(user.registeredAt).not.toStartWith("1970");
  });

  test("with wishes that are no texts is ignored or refused", async () => {
    const answer = await register("dreamer", more);
    if (answer.status === 201)
      expect(answer.json()).toMatchObject({ user: { is_staff: false, is_superuser: false } });
    else expect(isRefusal(answer.status)).toBe(true);
  });
});

describe("__proto__ and constructor", () => {
  const keys = [
    "__proto__",
    "constructor",
    "prototype",
    "__proto__.polluted",
    "constructor[prototype][polluted]",
    "__proto__[polluted]",
  ];

  test("pollute nothing in JSON, forms, multipart, queries and cookies", async () => {
    for (const key of keys) {
      const json = `{"${key}":{"polluted":true},"username":"x","password":"y"}`;
      expect(isRefusal((await visitor.post("/api/auth/login/", json)).status)).toBe(true);
      for (const as of ["form", "multipart"] as const) {
        const fields = { [key]: "polluted", username: "x", password: "y" };
        expect((await visitor.post("/api/auth/login/", fields, { as })).status).toBe(400);
      }
      const query = `?${encodeURIComponent(key)}=polluted&limit=1`;
      expect((await visitor.get(`/api/chat/rooms/public/messages/${query}`)).status).toBe(200);
      expect((await visitor.get(`/${query}`)).status).toBe(200);
      const cookie = `${key}=polluted; locale=__proto__; theme=constructor; sessionid=__proto__; tz=constructor`;
      expect((await visitor.get("/", { cookie })).status).toBe(200);
      await expectUnhurt();
    }
  });

  test("are names of people and rooms like any other, or refused", async () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect((await (await guest(world)).login(name)).status).toBe(400);
      expect((await (await guest(world)).register(name)).status).toBe(201);
      expect((await visitor.get(`/rooms/${name}`)).status).toBe(404);
      expect((await visitor.submit("/", { locale: name })).cookie("locale")).toBeUndefined();
    }
    await expectUnhurt();
  });
});

describe("NUL, which no name has,", () => {
  test("finds nothing and hurts nobody in a path, in a search and at the door", async () => {
    const paths = ["/rooms/public%00", "/users/ann%00", "/rooms/%00/messages/1", "/api/chat/rooms/a%00b/"];
    for (const path of paths) {
      const { status } = await ann.get(path);
      expect({ path, isRefusal: isRefusal(status) }).toEqual({ path, isRefusal: true });
    }
    const staff = await someone(world, "staff", "searcher");
    for (const list of ["users", "rooms", "audit"]) {
      expect((await staff.get(`/admin/${list}?q=searcher%00`)).status).toBe(200);
      expect((await staff.get(`/api/admin/${list}/?q=%00`)).status).toBe(200);
    }
    expect((await staff.get("/admin/users/ann%00")).status).toBe(404);
    expect((await (await guest(world)).login("ann\0")).status).toBe(400);
    await expectUnhurt();
  });
});

describe("a body of ten megabytes", () => {
  const filler = "a".repeat(10 * MEGABYTE);
  const parts = Array.from({ length: 160 }, () => "a".repeat(MEGABYTE / 16));
  // As browsers have it: a connection that is to be closed may be gone before its answer has been read.
  const connection = "keep-alive";
  const kinds = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
  ];

  test.each(["/api/auth/login/", "/api/auth/register/"])(
    "to %s is 413 in JSON, with its length or in chunks",
    async (path) => {
      const token = { cookie: visitor.cookieHeader(), "x-csrftoken": visitor.cookies.get("csrftoken") ?? "" };
      for (const type of kinds) {
        for (const body of [filler, parts]) {
          const answer = await ask(world, {
            method: "POST",
            path,
            headers: { ...token, connection, "content-type": type },
            body,
          });
          expect({ type, status: answer.status }).toEqual({ type, status: 413 });
          expect(answer.headers.get("content-type")).toBe("application/json");
          expect(JSON.parse(answer.body)).toEqual({ error: expect.any(String) });
          expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
        }
      }
      await expectUnhurt();
    },
  );

  test("or of forty is refused as soon as it is announced", async () => {
    for (const path of ["/api/auth/login/", "/api/auth/register/", "/login"]) {
      const headers = { "content-length": String(40 * MEGABYTE) };
      const answer = await ask(world, { method: "POST", path, headers, body: "{" });
      expect({ path, status: answer.status }).toEqual({ path, status: 413 });
      const type = path.startsWith("/api/") ? "application/json" : "text/html; charset=utf-8";
      expect(answer.headers.get("content-type")).toBe(type);
      expectSecurityHeaders(answer);
    }
    await expectUnhurt();
  });

  test.each(["/login", "/register", "/rooms/public/messages", "/preferences"])(
    "to %s is 413 as a page",
    async (path) => {
      for (const body of [filler, parts]) {
        const headers = {
          cookie: ann.cookieHeader(),
          origin: world.url,
          connection,
          "content-type": "application/x-www-form-urlencoded",
        };
        const answer = await ask(world, { method: "POST", path, headers, body });
        expect(answer.status).toBe(413);
        expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      }
      await expectUnhurt();
    },
  );
});

describe("a form of a page", () => {
  const send = (
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    type = "application/x-www-form-urlencoded",
  ) =>
    ann.request("POST", path, {
      headers: { "content-type": type, origin: world.url, "x-csrftoken": ann.cookies.get("csrftoken") ?? "" },
      body,
    });
  const paths = ["/login", "/register", "/rooms/public/messages", "/preferences"];

  test.each(paths)("to %s may be broken in any way", async (path) => {
    const bodies: [string | Uint8Array<ArrayBuffer>, string?][] = [
      [""],
      ["&&&=&=&%&%zz=%zz"],
      ["text=%ff%fe&username=%ff"],
      [new Uint8Array([0x74, 0x65, 0x78, 0x74, 0x3d, 0xff])],
      ["text=%00&username=%00&password=%00"],
      ["text[]=a&text[b]=c&key[]=d&username[]=e&password[x]=y"],
      ["[1]", "application/json"],
      ['{"text":["a"],"username":{"a":1},"password":[],"locale":{},"next":[]}', "application/json"],
      ["not multipart", "multipart/form-data; boundary=x"],
      ["--x\r\n\r\n--x--", "multipart/form-data"],
    ];
    for (const [body, type] of bodies) {
      const { status } = await send(path, body, type);
      expect({ body, type, ok: status === 303 || isRefusal(status), status }).toEqual({
        body,
        type,
        ok: true,
        status,
      });
    }
    await expectUnhurt();
  });

  test.each([
    ["blank", "%20%0A%E2%80%83"],
    ["too long", "a".repeat(1001)],
    ["with NUL", "a%00b"],
  ])("with a message that is %s stores nothing", async (_, text) => {
    const before = messagesOn((await ann.get("/rooms/public")).text).length;
    expect((await send("/rooms/public/messages", `text=${text}`)).status).toBe(422);
    expect(messagesOn((await ann.get("/rooms/public")).text)).toHaveLength(before);
  });

  test("does not choose its author, number, room or time", async () => {
    const wish = "author=bob&username=bob&id=1&seq=1&rev=1&createdAt=0&room=other&room_id=2";
    expect((await send("/rooms/public/messages", `text=mine&key=12345678&${wish}`)).status).toBe(303);
    expect(messagesOn((await ann.get("/rooms/public")).text).at(-1)).toMatchObject({
      author: "ann",
      text: "mine",
    });
  });
});
