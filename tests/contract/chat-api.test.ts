import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectJson, expectRefused } from "../../src/testing/answers.ts";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/;
const STORED = 257;
const HISTORY = "/api/chat/rooms/public/messages/";

interface Message {
  id: number;
  username: string;
  content: string;
  profilePic: string;
  createdAt: string;
}
interface History {
  messages: Message[];
  pagination: { limit: number; hasMore: boolean; nextBefore: number | null };
}

let world: World;
let ann: Client;
let visitor: Client;
beforeAll(async () => {
  world = await startWorld();
  ann = await member(world, "ann");
  visitor = await guest(world);
});
afterAll(() => world.stop());

const read = async (query = "", reader = visitor) => (await reader.get(HISTORY + query)).json() as History;
const contents = ({ messages }: History) => messages.map(({ content }) => content);
/** The texts from one number to another, as they were sent. */
const texts = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `message ${from + i}`);

describe("the public room", () => {
  test("says its slug and name, and no more", async () => {
    for (const reader of [visitor, ann]) {
      expectJson(await reader.get("/api/chat/public-room/"), 200, { slug: "public", name: "Public Chat" });
    }
  });

  test("was made by nobody in particular, whoever asks", async () => {
    const room = { slug: "public", name: "Public Chat", created: false, createdBy: null };
    for (const reader of [visitor, ann]) expectJson(await reader.get("/api/chat/rooms/public/"), 200, room);
  });

  test("starts empty", async () => {
    const pagination = { limit: 50, hasMore: false, nextBefore: null };
    expectJson(await visitor.get(HISTORY), 200, { messages: [], pagination });
  });
});

describe("its history, once much was said", () => {
  beforeAll(async () => {
    const socket = await openGateway(ann);
    await Promise.all(texts(1, STORED).map((text) => socket.post(text)));
    socket.close();
  });

  test("gives the newest fifty, the oldest of them first, each whole", async () => {
    const page = await read();
    expect(contents(page)).toEqual(texts(STORED - 49, STORED));
    expect(page.pagination).toEqual({ limit: 50, hasMore: true, nextBefore: page.messages[0]?.id ?? 0 });
    for (const message of page.messages) {
      const { seq, ...known } = message as Message & { seq: unknown };
      expect(known).toEqual({
        id: expect.any(Number),
        username: "ann",
        content: message.content,
        profilePic: `${world.url}/media/default.jpg`,
        createdAt: expect.stringMatching(ISO),
      });
      expect(seq).toBeNumber();
    }
    const ids = page.messages.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(Math.abs(Date.parse(page.messages[49]?.createdAt ?? "") - Date.now())).toBeLessThan(60_000);
  });

  test("is the same for members", async () => expect(await read("", ann)).toEqual(await read()));

  test("leads back to the very beginning, without a gap and without a double", async () => {
    for (const limit of [50, 7, 200, 257, 1]) {
      const collected: string[] = [];
      let before = "";
      for (let pages = 0; pages <= STORED; pages++) {
        const page = await read(`?limit=${limit}${before}`);
        collected.unshift(...contents(page));
        expect(page.pagination.hasMore).toBe(page.pagination.nextBefore !== null);
        if (!page.pagination.hasMore) break;
        expect(page.messages).toHaveLength(Math.min(limit, 200));
        expect(page.pagination.nextBefore).toBe(page.messages[0]?.id ?? 0);
        before = `&before=${page.pagination.nextBefore}`;
      }
      expect(collected).toEqual(texts(1, STORED));
    }
  });

  test.each([
    ["?limit=4", 4],
    ["?limit=%201", 1],
    ["?limit=1%20", 1],
    ["?limit=%2B3", 3],
    ["?limit=1_0", 10],
    ["?limit=007", 7],
    ["?limit=200", 200],
    ["?limit=201", 200],
    ["?limit=999999999999999999999999999", 200],
    ["?limit=abc&limit=3", 3],
    ["?limit=5&limit=2", 2],
    ["?other=1", 50],
  ])("reads %s as %d", async (query, limit) => {
    const page = await read(query);
    expect(contents(page)).toEqual(texts(STORED - limit + 1, STORED));
    expect(page.pagination.limit).toBe(limit);
  });

  const integers = [
    "abc",
    "",
    "1.5",
    "1e3",
    "0x10",
    "--1",
    "+",
    "1 0",
    "_1",
    "1_",
    "1__0",
    "1,0",
    "NaN",
    "Infinity",
    "null",
    "1;",
    "1\0",
  ];
  test.each(["limit", "before"])("refuses a %s that is no integer, or less than one", async (name) => {
    for (const value of integers) {
      const answer = await visitor.get(`${HISTORY}?${name}=${encodeURIComponent(value)}`);
      expectJson(answer, 400, { error: `Invalid '${name}': must be an integer` });
    }
    for (const value of ["0", "-1", "-0", "-99999999999999999999", "%2B0"]) {
      expectJson(await visitor.get(`${HISTORY}?${name}=${value}`), 400, {
        error: `Invalid '${name}': must be >= 1`,
      });
    }
    expectJson(await visitor.get(`${HISTORY}?${name}=3&${name}=abc`), 400, {
      error: `Invalid '${name}': must be an integer`,
    });
  });

  test("checks the limit first", async () => {
    const error = "Invalid 'limit': must be an integer";
    expectJson(await visitor.get(`${HISTORY}?before=abc&limit=abc`), 400, { error });
  });

  test("before 1 is empty, and before what is to come is all there is", async () => {
    const nothing = { limit: 50, hasMore: false, nextBefore: null };
    expectJson(await visitor.get(`${HISTORY}?before=1`), 200, { messages: [], pagination: nothing });
    expect(await read("?before=999999999")).toEqual(await read());
  });

  test.each(["9223372036854775808", "99999999999999999999999", "1".repeat(400)])(
    "refuses a cursor of %s",
    async (before) => {
      expectRefused(await visitor.get(`${HISTORY}?before=${before}`), 400);
    },
  );

  test("shows a text as it was written", async () => {
    const socket = await openGateway(ann);
    const odd = '<b>&amp;</b> "quotes" \\ \u2028 עברית 👩‍👩‍👧 \u0001 %s {0} ${1}';
    await socket.post(odd);
    expect(contents(await read("?limit=1"))).toEqual([odd]);
  });
});

describe("a room that is not the public one", () => {
  const invalid = [
    "ab",
    "x".repeat(51),
    "a b c",
    "a.b.c",
    "комната",
    "a%2Fb",
    "abc/def",
    "abc%0A",
    "public%0A",
    "%00abc",
    "%zz",
    "a'b--",
    "%20public",
    "publi%D1%81",
  ];

  test("with an invalid slug is refused as that to anybody, slashes and all", async () => {
    for (const slug of invalid) {
      for (const reader of [visitor, ann]) {
        for (const path of [`/api/chat/rooms/${slug}/`, `/api/chat/rooms/${slug}/messages/?limit=abc`]) {
          expectJson(await reader.get(path), 400, { error: "Invalid room slug" });
        }
      }
    }
  });

  test.each(["abc", "PUBLIC", "messages", "---", "x".repeat(50), "0123456789ab"])(
    "is for members: %s asks a guest to log in, before anything else",
    async (slug) => {
      for (const path of [`/api/chat/rooms/${slug}/`, `/api/chat/rooms/${slug}/messages/?limit=abc`]) {
        expectJson(await visitor.get(path), 401, { error: "Требуется авторизация" });
      }
    },
  );

  test("may be any slug that the operator allows", async () => {
    const other = await startWorld({ CHAT_ROOM_SLUG_REGEX: "^r[0-9]+$" });
    const reader = await guest(other);
    expectRefused(await reader.get("/api/chat/rooms/abc/"), 400);
    expectRefused(await reader.get("/api/chat/rooms/r1/"), 401);
    expect((await reader.get("/api/chat/rooms/public/")).status).toBe(200);
    await other.stop();
  });
});
