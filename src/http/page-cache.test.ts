import { beforeEach, describe, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { BusEvent } from "../chat/ports.ts";
import type { RoomId, UserId } from "../shared/ids.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { encodings } from "./compress.ts";
import { createPageCache, type PageCache } from "./page-cache.ts";

const RENAMED: BusEvent = { type: "account.changed", userId: 1 as UserId, name: "bob", avatar: null };
const said = (room: string): BusEvent => {
  return { type: "messages.changed", roomId: 1 as RoomId, room, from: 0, to: 1, changes: [] };
};
const PAGE = encodings("<p>hello</p>", 1);

let bus: ReturnType<typeof createMemoryBus>;
let cache: PageCache;

beforeEach(() => {
  bus = createMemoryBus();
  cache = createPageCache(bus);
});

test("a page drawn before somebody was renamed is not found afterwards", () => {
  const keyAtStart = `${cache.generation()} public`;
  bus.publish(RENAMED);
  cache.set(keyAtStart, "drawn with the old name");
  expect(cache.get(keyAtStart)).not.toBeNull();
  expect(cache.get(`${cache.generation()} public`)).toBeNull();
});

describe("a request in the same words", () => {
  test("gets the same answer, as often as it comes", async () => {
    const first = share(request());
    const answers = [first, cache.answer(request(), false), cache.answer(request(), false)];
    for (const answer of answers) {
      expect(answer?.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(answer?.headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(await answer?.text()).toBe("<p>hello</p>");
    }
  });

  test("is told that nothing has changed when it holds the page", () => {
    const etag = share(request()).headers.get("etag") ?? "";
    const holding = { "if-none-match": etag };
    expect(share(request(holding)).status).toBe(304);
    const again = cache.answer(request(holding), false);
    expect([again?.status, again?.headers.get("etag")]).toEqual([304, etag]);
  });

  test("over TLS has an answer of its own", () => {
    share(request());
    expect(cache.answer(request(), true)).toBeNull();
    share(request(), true);
    expect(cache.answer(request(), true)?.headers.has("strict-transport-security")).toBe(true);
    expect(cache.answer(request(), false)?.headers.has("strict-transport-security")).toBe(false);
  });

  test.each([
    ["a word in the public room", said(PUBLIC_ROOM)],
    ["somebody's new name", RENAMED],
    ["a new name of the room", { type: "room.changed", roomId: 1 as RoomId, room: PUBLIC_ROOM }],
    ["another process that has written", { type: "accounts.reread" }],
  ] satisfies [string, BusEvent][])("is read anew after %s", (_, event) => {
    share(request());
    expect(cache.answer(request(), false)).not.toBeNull();
    bus.publish(event);
    expect(cache.answer(request(), false)).toBeNull();
  });

  test("gets the same answer after a word in a private room", () => {
    share(request());
    bus.publish(said("hall"));
    expect(cache.answer(request(), false)).not.toBeNull();
  });
});

test("a request in other words is read", () => {
  share(request());
  for (const other of [
    request({ cookie: "theme=dark" }),
    request({ cookie: "sessionid=abc" }),
    request({ "accept-language": "ru" }),
    request({ "accept-encoding": "gzip" }),
    request({}, "http://chat.example/rooms/public"),
    request({}, "http://other.example/"),
    request({}, "http://chat.example/", "HEAD"),
  ])
    expect(cache.answer(other, false)).toBeNull();
});

test("an answer that was begun before a change is not kept after it", () => {
  const asOf = cache.generation();
  bus.publish(said(PUBLIC_ROOM));
  expect(cache.share(request(), false, PAGE, asOf).status).toBe(200);
  expect(cache.answer(request(), false)).toBeNull();
});

test("however many ways there are to word it, only so many are kept", () => {
  for (let i = 0; i < 5_000; i++) share(request({ "accept-language": `en, x-${i}` }));
  const kept = Array.from({ length: 5_000 }, (_, i) =>
    cache.answer(request({ "accept-language": `en, x-${i}` }), false),
  );
  const count = kept.filter((answer) => answer !== null).length;
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThanOrEqual(1024);
  share(request({ cookie: "x".repeat(2_000) }));
  expect(cache.answer(request({ cookie: "x".repeat(2_000) }), false)).toBeNull();
});

function share(asked: Request, secure = false): Response {
  return cache.share(asked, secure, PAGE, cache.generation());
}

function request(
  headers: Record<string, string> = {},
  url = "http://chat.example/",
  method = "GET",
): Request {
  return new Request(url, { method, headers });
}
