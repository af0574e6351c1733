import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectJson, expectRefused } from "../../src/testing/answers.ts";
import { guest, member, stranger, type Client } from "../../src/testing/client.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { CREDENTIALS_WRONG, EMPTY_BODY } from "./texts.ts";

const GUEST = { authenticated: false, user: null };

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await member(world, "ann");
});
afterAll(() => world.stop());

const session = (client: Client) => client.get("/api/auth/session/");
const csrfOf = (client: Client) => client.cookies.get("csrftoken") ?? "";

describe("a visitor of csrf/ and session/", () => {
  test("gets a token in two forms, and keeps the secret they have", async () => {
    const visitor = stranger(world);
    const first = await visitor.get("/api/auth/csrf/");
    expectJson(first, 200, { csrfToken: expect.stringMatching(/^[A-Za-z0-9]{64}$/) });
    expect(first.cookie("csrftoken")).toEqual({
      value: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
      attributes: { path: "/", "max-age": "31449600", samesite: "Lax" },
    });
    const second = await visitor.get("/api/auth/csrf/");
    expect(second.json()).not.toEqual(first.json());
    expect(second.cookie("csrftoken")).toEqual(first.cookie("csrftoken"));
    const third = await session(visitor);
    expectJson(third, 200, GUEST);
    expect(third.cookie("csrftoken")).toEqual(first.cookie("csrftoken"));
  });

  test("gets that cookie nowhere else on the API", async () => {
    const paths = [
      "/api/auth/password-rules/",
      "/api/auth/register/",
      "/api/chat/public-room/",
      "/api/nothing/",
    ];
    for (const path of paths) expect((await stranger(world).get(path)).cookie("csrftoken")).toBeUndefined();
    const ann = await guest(world);
    await ann.login("ann");
    expect((await ann.logout()).cookie("csrftoken")).toBeUndefined();
  });

  test("loses a dead session cookie and is a guest", async () => {
    const ann = await guest(world);
    await ann.login("ann");
    const dead = ann.cookies.get("sessionid") ?? "";
    expect((await session(ann)).json()).toMatchObject({ authenticated: true });
    await ann.logout();
    for (const cookie of [dead, "a".repeat(32)]) {
      const answer = await stranger(world).get("/api/auth/session/", { cookie: `sessionid=${cookie}` });
      expectJson(answer, 200, GUEST);
      expect(answer.cookie("sessionid")?.value).toBe('""');
      expect(answer.cookie("sessionid")?.attributes).toMatchObject({ "max-age": "0", path: "/" });
    }
    expect((await session(stranger(world))).cookie("sessionid")).toBeUndefined();
  });
});

describe("the CSRF check", () => {
  const login = (
    client: Client,
    headers: Record<string, string>,
    body: unknown = {},
    as: "json" | "form" | "multipart" = "json",
  ) => client.post("/api/auth/login/", body, { as, headers });

  test("accepts the cookie's value and the masked token, in a header or in a form's field", async () => {
    const ann = await guest(world);
    const { csrfToken } = (await ann.get("/api/auth/csrf/")).json() as { csrfToken: string };
    const credentials = { username: "ann", password: "wrong" };
    for (const token of [csrfOf(ann), csrfToken]) {
      expectJson(await login(ann, { "x-csrftoken": token }, credentials), 400, CREDENTIALS_WRONG);
      for (const as of ["form", "multipart"] as const) {
        const fields = { ...credentials, csrfmiddlewaretoken: token };
        expectJson(await login(ann, { "x-csrftoken": "" }, fields, as), 400, CREDENTIALS_WRONG);
      }
    }
    expectRefused(
      await login(ann, { "x-csrftoken": "" }, { ...credentials, csrfmiddlewaretoken: csrfToken }),
      403,
    );
  });

  test("accepts a form's field for logging out too", async () => {
    const ann = await guest(world);
    await ann.login("ann");
    const options = { as: "form", headers: { "x-csrftoken": "" } } as const;
    expectRefused(await ann.post("/api/auth/logout/", { csrfmiddlewaretoken: "" }, options), 403);
    expectJson(await ann.post("/api/auth/logout/", { csrfmiddlewaretoken: csrfOf(ann) }, options), 200, {
      ok: true,
    });
  });

  test.each(["login", "register", "logout"])(
    "is there for a guest's %s, before anything else",
    async (path) => {
      const visitor = await guest(world);
      const refused = await visitor.post(`/api/auth/${path}/`, "{broken", { headers: { "x-csrftoken": "" } });
      expectRefused(refused, 403);
      expect((await visitor.post(`/api/auth/${path}/`, "{broken")).status).not.toBe(403);
    },
  );

  test("refuses tokens that are missing, wrong, cut, too long, or of other characters", async () => {
    const visitor = await guest(world);
    const token = csrfOf(visitor);
    expectJson(await login(visitor, { "x-csrftoken": token }), 400, EMPTY_BODY);
    const wrong = [
      "",
      "a".repeat(32),
      "a".repeat(64),
      token.slice(1),
      `${token}a`,
      token + token,
      `${token.slice(1)}-`,
      "*",
    ];
    for (const value of wrong) expectRefused(await login(visitor, { "x-csrftoken": value }), 403);
  });

  test("refuses a token without its cookie", async () => {
    const token = csrfOf(await guest(world));
    expectRefused(await login(stranger(world), { "x-csrftoken": token }), 403);
    expectRefused(await login(stranger(world), { "x-csrftoken": token, cookie: "csrftoken=x" }), 403);
  });

  test("knows the page's origin, trusted origins, and nobody else", async () => {
    const visitor = await guest(world);
    const { port } = new URL(world.url);
    for (const origin of [world.url, "http://localhost:5173", "http://127.0.0.1:5173", ""]) {
      expectJson(await login(visitor, { origin, "sec-fetch-site": "" }), 400, EMPTY_BODY);
    }
    const foreign = [
      "null",
      "http://evil.example",
      `https://localhost:${port}`,
      "http://localhost:1",
      `${world.url}.evil.example`,
    ];
    for (const origin of foreign) expectRefused(await login(visitor, { origin, "sec-fetch-site": "" }), 403);
  });
});
