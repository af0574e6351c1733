import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expectRefused, expectSecurityHeaders } from "../../src/testing/answers.ts";
import { guest, member, stranger, type Client } from "../../src/testing/client.ts";
import { tags } from "../../src/testing/html.ts";
import { ask, shakeHands } from "../../src/testing/raw.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

let world: World;
let ann: Client;
let visitor: Client;
let messageId: number;

/** The addresses of what a page loads. */
let page: { style: string; script: string; icon: string; manifest: string };

beforeAll(async () => {
  world = await startWorld();
  ann = await member(world, "ann");
  visitor = await guest(world);
  const socket = await openGateway(ann);
  const ack = await socket.post("hello <script>alert(1)</script> https://example.org/ javascript:alert(1)");
  messageId = ack.type === "ack" ? ack.id : 0;
  const { text } = await visitor.get("/");
  const href = (selector: string) => tags(text, selector)[0]?.attributes.href ?? "";
  page = {
    style: href('link[rel="stylesheet"]'),
    script: tags(text, "script[src]")[0]?.attributes.src ?? "",
    icon: href('link[rel="icon"]'),
    manifest: href('link[rel="manifest"]'),
  };
});
afterAll(() => world.stop());

const ROOM_PAGES = () => [
  "/",
  "/rooms/public",
  `/rooms/public?before=${messageId + 1}`,
  `/rooms/public/messages/${messageId}`,
  "/nothing-here",
];
const FORM_PAGES = ["/login", "/register"];

describe("every answer has the security headers and no Server header", () => {
  const answers: [string, () => Promise<{ status: number; headers: Headers }>, number][] = [
    ["a page", () => visitor.get("/"), 200],
    ["a page for a member", () => ann.get("/"), 200],
    ["a page that does not exist", () => visitor.get("/nothing-here"), 404],
    ["a page with another method", () => visitor.request("DELETE", "/login"), 403],
    ["an answer of the API", () => visitor.get("/api/auth/session/"), 200],
    ["an API path that does not exist", () => visitor.get("/api/nothing/"), 404],
    ["an API path without its slash", () => visitor.get("/api/auth/session"), 301],
    ["an API path with another method", () => visitor.request("OPTIONS", "/api/auth/csrf/"), 405],
    ["an API path asked for with HEAD", () => ask(world, { method: "HEAD", path: "/api/auth/csrf/" }), 405],
    ["a refused API request", () => visitor.request("POST", "/api/auth/login/"), 403],
    ["an invalid API request", () => visitor.get("/api/chat/rooms/public/messages/?limit=0"), 400],
    ["a redirect after a form", () => visitor.submit("/", { locale: "en" }), 303],
    ["the stylesheet", () => visitor.get(page.style), 200],
    ["an asset that does not exist", () => visitor.get("/assets/app-0.js"), 404],
    ["a file as it is", () => visitor.get(page.icon), 200],
    ["a refused handshake", () => shakeHands(world, "/ws/", { origin: "http://evil.example" }), 403],
    ["a socket's address without a handshake", () => visitor.get("/ws/"), 426],
  ];
  test.each(answers)("%s", async (_, request, status) => {
    const answer = await request();
    expect(answer.status).toBe(status);
    expectSecurityHeaders(answer);
  });

  test("an asset that the browser still has", async () => {
    const etag = (await visitor.get(page.style)).headers.get("etag") ?? "";
    const answer = await visitor.get(page.style, { "if-none-match": etag });
    expect(answer.status).toBe(304);
    expectSecurityHeaders(answer);
  });
});

describe("a client of the API", () => {
  test("gets JSON with exactly its type, its length, and nothing that a cache could keep", async () => {
    const { status, headers, text } = await visitor.get("/api/chat/public-room/");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    expect(Number(headers.get("content-length"))).toBe(Buffer.byteLength(text));
    expect(headers.get("cache-control")).toBeNull();
    expect(headers.get("etag")).toBeNull();
  });

  test.each([
    ["an answer", "GET", "/api/auth/session/", 200],
    ["an unknown path", "GET", "/api/nothing/", 404],
    ["a redirect to the slash", "GET", "/api/auth/session", 301],
    ["a wrong method", "OPTIONS", "/api/auth/session/", 405],
    ["a failed CSRF check", "POST", "/api/auth/login/", 403],
    ["an invalid request", "GET", "/api/chat/rooms/public/messages/?limit=0", 400],
  ])("is told that %s depends on cookies and origin", async (_, method, path, status) => {
    const answer = await stranger(world).request(method, path);
    expect(answer.status).toBe(status);
    const vary = (answer.headers.get("vary") ?? "").toLowerCase().split(/\s*,\s*/);
    expect(vary).toContain("cookie");
    expect(vary).toContain("origin");
  });

  test("is led to the slash with the query kept, where the path exists", async () => {
    const answer = await visitor.get("/api/chat/rooms/public/messages?limit=2&before=9%20");
    expect(answer.status).toBe(301);
    expect(answer.headers.get("location")).toBe("/api/chat/rooms/public/messages/?limit=2&before=9%20");
    expectRefused(await visitor.get("/api/nothing"), 404);
  });

  test.each(["/api/", "/api/nothing/", "/api/auth/", "/api/auth/nothing/", "/api/chat/rooms/"])(
    "gets a JSON 404 for %s",
    async (path) => expectRefused(await visitor.get(path), 404),
  );

  test.each([
    ["PUT", "/api/auth/csrf/", "GET"],
    ["POST", "/api/auth/session/", "GET"],
    ["DELETE", "/api/auth/login/", "POST"],
    ["PATCH", "/api/auth/logout/", "POST"],
    ["PUT", "/api/auth/register/", "GET, POST"],
    ["GET", "/api/auth/login/", "POST"],
    ["GET", "/api/auth/logout/", "POST"],
    ["POST", "/api/chat/public-room/", "GET"],
    ["POST", "/api/chat/rooms/public/", "GET"],
    ["PUT", "/api/chat/rooms/public/messages/", "GET, POST"],
    ["POST", "/api/chat/rooms/public/messages/1/", "DELETE, GET, PATCH"],
    ["OPTIONS", "/api/auth/login/", "POST"],
    ["OPTIONS", "/api/auth/register/", "GET, POST"],
  ])("is told by an empty 405 that %s %s is not declared", async (method, path, allow) => {
    const answer = await visitor.request(method, path, {
      headers: { "x-csrftoken": visitor.cookies.get("csrftoken") ?? "" },
    });
    expect({ status: answer.status, allow: answer.headers.get("allow"), body: answer.text }).toEqual({
      status: 405,
      allow,
      body: "",
    });
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
  });

  test.each([
    ["/api/auth/csrf/", "GET"],
    ["/api/auth/register/", "GET, POST"],
    ["/api/chat/rooms/public/messages/", "GET, POST"],
  ])("is told by 405 that HEAD %s is not declared", async (path, allow) => {
    const answer = await ask(world, { method: "HEAD", path });
    expect({ status: answer.status, allow: answer.headers.get("allow"), body: answer.body }).toEqual({
      status: 405,
      allow,
      body: "",
    });
  });

  test("gets the same 404 for HEAD as for GET where there is nothing", async () => {
    expect((await visitor.get("/api/nothing/")).status).toBe(404);
    expect((await ask(world, { method: "HEAD", path: "/api/nothing/" })).status).toBe(404);
  });

  test.each(["POST", "PUT", "PATCH", "DELETE"])(
    "meets the CSRF check before the method check with %s",
    async (method) => {
      expectRefused(await visitor.request(method, "/api/auth/csrf/"), 403);
      const token = visitor.cookies.get("csrftoken") ?? "";
      expect(
        (await visitor.request(method, "/api/auth/csrf/", { headers: { "x-csrftoken": token } })).status,
      ).toBe(405);
    },
  );
});

describe("a reader's pages", () => {
  test("of a member are never stored", async () => {
    for (const path of [...ROOM_PAGES(), ...FORM_PAGES]) {
      const answer = await ann.get(path);
      expect({ path, cache: answer.headers.get("cache-control") }).toEqual({ path, cache: "no-store" });
    }
  });

  test("come in parts as well, never stored either", async () => {
    const answer = await ann.get(`/rooms/public?before=${messageId + 1}`, { "hx-request-type": "partial" });
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(answer.text).toContain("hello");
    expect(answer.text).not.toMatch(/<html|<body/);
  });

  test("can be asked for by HEAD, and say which methods they have", async () => {
    for (const path of ["/", "/login"]) {
      const answer = await ask(world, { method: "HEAD", path });
      expect({ path, status: answer.status, body: answer.body }).toEqual({ path, status: 200, body: "" });
    }
    for (const path of ["/logout", "/preferences", "/rooms/public/messages"]) {
      const answer = await visitor.get(path);
      expect({ path, status: answer.status, allow: answer.headers.get("allow") }).toEqual({
        path,
        status: 405,
        allow: "POST",
      });
    }
  });

  test("with a token in their form are never stored, for guests either", async () => {
    for (const path of FORM_PAGES) {
      expect((await visitor.get(path)).headers.get("cache-control")).toBe("no-store");
    }
  });

  test("of guests are asked for again each time, and a 304 saves the rest", async () => {
    const first = await visitor.get("/");
    expect(first.headers.get("cache-control")).toMatch(/no-cache|no-store/);
    const again = await visitor.get("/", { "if-none-match": first.headers.get("etag") ?? "" });
    expect({ status: again.status, body: again.text }).toEqual({ status: 304, body: "" });
    const english = (await stranger(world).get("/")).headers.get("etag") ?? "";
    const russian = await stranger(world).get("/", { "if-none-match": english, "accept-language": "ru" });
    expect(russian.status).toBe(200);
  });

  test.each(["guest", "member"])(
    "hold no inline script, style or handler, and no script link, for a %s",
    async (who) => {
      for (const path of who === "guest" ? [...ROOM_PAGES(), ...FORM_PAGES] : ROOM_PAGES()) {
        const { text } = await (who === "guest" ? visitor : ann).get(path);
        expect(text).toStartWith("<!doctype html>");
        const inline = tags(text, "script:not([src])").filter(
          ({ attributes }) => attributes.type !== "application/json",
        );
        expect({ path, inline, styles: tags(text, "style") }).toEqual({ path, inline: [], styles: [] });
        for (const { attributes } of tags(text, "*")) {
          const live = Object.keys(attributes).filter(
            (name) => name === "style" || name.startsWith("on") || name.startsWith("hx-on"),
          );
          expect({ path, live }).toEqual({ path, live: [] });
          expect(attributes.href ?? "").not.toMatch(/^\s*(javascript|data|vbscript):/i);
        }
      }
    },
  );

  test("load nothing from another host", async () => {
    const { text } = await ann.get("/rooms/public");
    const loads = [...tags(text, "script[src]"), ...tags(text, "link[href]"), ...tags(text, "img[src]")];
    expect(loads.length).toBeGreaterThan(2);
    // A path here, or a place on the page itself.
    for (const { attributes } of loads) expect(attributes.src ?? attributes.href).toMatch(/^(\/[^/]|#)/);
  });

  test("load files that exist", async () => {
    const statuses = await Promise.all(
      Object.values(page).map(async (path) => [path, (await visitor.get(path)).status]),
    );
    expect(statuses).toEqual(Object.values(page).map((path) => [path, 200]));
  });
});

describe("an asset named by its content", () => {
  const fetchAs = (path: string, encoding: string) =>
    fetch(world.url + path, { headers: { "accept-encoding": encoding }, decompress: false });

  test.each(["style", "script"] as const)(
    "is kept for ever and comes in both compressions: the %s",
    async (kind) => {
      const plain = await fetchAs(page[kind], "identity");
      expect(plain.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(plain.headers.get("content-encoding")).toBeNull();
      expect(plain.headers.get("etag")).toMatch(/^"[^"]+"$/);
      expect(plain.headers.get("vary")).toMatch(/accept-encoding/i);
      const bytes = Buffer.from(await plain.arrayBuffer());
      expect(bytes.byteLength).toBeGreaterThan(0);

      const br = await fetchAs(page[kind], "gzip, deflate, br, zstd");
      expect(br.headers.get("content-encoding")).toBe("br");
      expect(brotliDecompressSync(await br.arrayBuffer()).equals(bytes)).toBe(true);
      const gzip = await fetchAs(page[kind], "gzip, br;q=0");
      expect(gzip.headers.get("content-encoding")).toBe("gzip");
      expect(gunzipSync(await gzip.arrayBuffer()).equals(bytes)).toBe(true);
    },
  );

  test("is not sent again to a browser that has it", async () => {
    const etag = (await visitor.get(page.style)).headers.get("etag") ?? "";
    const again = await visitor.get(page.style, { "if-none-match": etag });
    expect({ status: again.status, body: again.text, etag: again.headers.get("etag") }).toEqual({
      status: 304,
      body: "",
      etag,
    });
    expect((await visitor.get(page.style, { "if-none-match": '"other"' })).status).toBe(200);
  });
});

describe("a prober finds nothing", () => {
  test.each([
    "/.env",
    "/.git/config",
    "/.git/HEAD",
    "/styles/main.css",
    "/package.json",
    "/src/main.ts",
    "/data/echochat.sqlite",
    "/secret.key",
    "/../package.json",
    "/assets/../../package.json",
    "/assets/..%2f..%2fpackage.json",
    "/%2e%2e/package.json",
    "/..%5cpackage.json",
    "/styles/..%2fstyles/main.css",
    "//etc/passwd",
    "/%00",
  ])("at %s", async (path) => {
    const answer = await ask(world, { path });
    expect([400, 404]).toContain(answer.status);
    expect(answer.body).not.toMatch(/SQLite format|"dependencies"|\[core\]|root:/);
    expectSecurityHeaders(answer);
  });

  test("by TRACE, and nothing is echoed", async () => {
    for (const path of ["/", "/api/auth/session/"]) {
      const answer = await ask(world, {
        method: "TRACE",
        path,
        headers: { "x-probe": "echo-me", cookie: "sessionid=echo-me" },
      });
      expect(answer.status).toBe(405);
      expect(answer.body).not.toContain("echo-me");
    }
  });

  test.each([3_000, 7_000])("by a path of %d characters but that it is too long", async (length) => {
    const answer = await ask(world, { path: `/${"a".repeat(length)}` });
    expect([414, 431]).toContain(answer.status);
  });

  test("by headers of 100 kB, and the server goes on", async () => {
    const answer = await ask(world, { path: "/", headers: { "x-huge": "a".repeat(100_000) } });
    expect(answer.status).toBe(431);
    expect((await visitor.get("/")).status).toBe(200);
  });
});
