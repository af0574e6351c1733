import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectRefused, expectSecurityHeaders } from "../../src/testing/answers.ts";
import { guest, stranger, type Client } from "../../src/testing/client.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

const FRIEND = "http://localhost:5173";
const OTHER = "https://evil.example";

const ORIGIN = "access-control-allow-origin";
const CREDENTIALS = "access-control-allow-credentials";

let world: World;
let visitor: Client;

beforeAll(async () => {
  world = await startWorld();
  visitor = await guest(world);
});
afterAll(() => world.stop());

const corsOf = ({ headers }: { headers: Headers }) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));

const preflight = (client: Client, path: string, origin: string) =>
  client.request("OPTIONS", path, {
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "x-csrftoken",
    },
  });

describe("a page of an origin that is allowed", () => {
  test.each([
    ["an answer", "GET", "/api/auth/session/", 200],
    ["a path that does not exist", "GET", "/api/nothing/", 404],
    ["a wrong method", "DELETE", "/api/auth/session/", 405],
    ["a request without a token", "POST", "/api/auth/login/", 403],
    ["a path without its slash", "GET", "/api/auth/session", 301],
    ["a bad request", "GET", "/api/chat/rooms/public/messages/?limit=0", 400],
    ["what guests may not see", "GET", "/api/admin/users/", 401],
  ])("may read %s", async (_, method, path, status) => {
    const headers = { origin: FRIEND, ...(status === 405 && csrf()) };
    const answer = await visitor.request(method, path, { headers });
    expect(answer.status).toBe(status);
    expect(corsOf(answer)).toEqual({ [ORIGIN]: FRIEND, [CREDENTIALS]: "true" });
    expect(answer.headers.get("vary")).toContain("Origin");
  });

  test("is told before all else what it may send", async () => {
    for (const path of [
      "/api/auth/login/",
      "/api/nothing/",
      "/api/auth/session",
      "/api/admin/users/ann/mute/",
    ]) {
      const answer = await preflight(stranger(world), path, FRIEND);
      expect([path, answer.status, answer.text]).toEqual([path, 200, ""]);
      expectSecurityHeaders(answer);
      expect(corsOf(answer)).toEqual({
        [ORIGIN]: FRIEND,
        [CREDENTIALS]: "true",
        "access-control-allow-headers":
          "accept, accept-encoding, authorization, content-type, dnt, origin, user-agent, x-csrftoken, x-requested-with",
        "access-control-allow-methods": "DELETE, GET, OPTIONS, PATCH, POST, PUT",
        "access-control-max-age": "86400",
      });
    }
  });

  test("is asked for a token like everybody else", async () => {
    const answer = await visitor.post("/api/auth/login/", {}, { headers: { origin: FRIEND } });
    expect(answer.status).toBe(400);
    expect(corsOf(answer)[ORIGIN]).toBe(FRIEND);
    const forged = await visitor.post(
      "/api/auth/login/",
      {},
      { headers: { origin: FRIEND, "x-csrftoken": "" } },
    );
    expectRefused(forged, 403);
  });

  test("gets nothing of this outside the API", async () => {
    for (const path of ["/", "/login", "/nothing", "/icon.svg", "/ws/"])
      expect(corsOf(await visitor.get(path, { origin: FRIEND }))).toEqual({});
    expect((await preflight(visitor, "/login", FRIEND)).status).not.toBe(200);
  });
});

describe("a page of another origin", () => {
  test.each([OTHER, "null", "http://localhost:5174", `${FRIEND}.evil.example`, "https://localhost:5173"])(
    "%s may not read the answer",
    async (origin) => {
      const answer = await visitor.get("/api/auth/session/", { origin });
      expect(answer.status).toBe(200);
      expect(corsOf(answer)).toEqual({ [CREDENTIALS]: "true" });
      const asked = await preflight(visitor, "/api/auth/login/", origin);
      expect([asked.status, asked.text]).toEqual([200, ""]);
      expect(corsOf(asked)).toEqual({ [CREDENTIALS]: "true" });
    },
  );

  test("is refused what changes something", async () => {
    expectRefused(await visitor.post("/api/auth/login/", {}, { headers: { origin: OTHER } }), 403);
  });
});

test("a request that names no origin is told nothing of origins", async () => {
  expect(corsOf(await visitor.get("/api/auth/session/"))).toEqual({});
});

test("an OPTIONS that asks for no method is a wrong method", async () => {
  const answer = await visitor.request("OPTIONS", "/api/auth/session/", { headers: { origin: FRIEND } });
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET"]);
});

test("origins and credentials are those of the configuration, apart from who may send with a token", async () => {
  const other = await startWorld({
    CORS_ALLOWED_ORIGINS: "https://app.example",
    CORS_ALLOW_CREDENTIALS: "0",
  });
  const client = await guest(other);
  const answer = await client.get("/api/auth/session/", { origin: "https://app.example" });
  expect(corsOf(answer)).toEqual({ [ORIGIN]: "https://app.example" });
  expect(corsOf(await client.get("/api/auth/session/", { origin: FRIEND }))).toEqual({});
  const login = (origin: string) => client.post("/api/auth/login/", {}, { headers: { origin } });
  expectRefused(await login("https://app.example"), 403);
  expect((await login(FRIEND)).status).toBe(400);
  await other.stop();
});

function csrf(): Record<string, string> {
  return { "x-csrftoken": visitor.cookies.get("csrftoken") ?? "" };
}
