import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { guest, member, PASSWORD, stranger, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { ask } from "../../src/testing/raw.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

let world: World;
let ann: Client;
beforeAll(async () => {
  world = await startWorld();
  ann = await member(world, "ann");
});
afterAll(() => world.stop());

interface Page {
  messages: { id: number; content: string }[];
  pagination: { limit: number; hasMore: boolean; nextBefore: number | null };
}

describe("whatever is asked for as a slug", () => {
  const letters = fc.constantFrom(...Array.from("ABCXYZabcxyz0189_-"));
  const slug = fc.string({ unit: letters, minLength: 3, maxLength: 50 });
  const almost = fc
    .tuple(
      fc.string({ unit: letters, maxLength: 60 }),
      fc.constantFrom("", " ", "/", "\n", ".", "é", "％", "\0"),
    )
    .map(([text, odd]) => text + odd);
  const text = fc.oneof(slug, almost, fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }));
  const isSlug = (candidate: string) => /^[A-Za-z0-9_-]{3,50}$/.test(candidate);

  test("is a room or a 400, and what is made is found again under exactly that slug", async () => {
    await fc.assert(
      fc.asyncProperty(text, async (wanted) => {
        fc.pre(wanted !== "" && wanted.isWellFormed() && !/^\.{1,2}$|\/$/.test(wanted));
        const path = `/api/chat/rooms/${encodeURIComponent(wanted)}/`;
        const answer = await ann.get(path);
        if (!isSlug(wanted)) {
          expect({ status: answer.status, body: answer.json() }).toEqual({
            status: 400,
            body: { error: "Invalid room slug" },
          });
          return;
        }
        expect(answer.status).toBe(200);
        const room = answer.json() as { slug: string; created: boolean };
        expect(room.slug).toBe(wanted);
        const rows = await inDatabase(world, "SELECT slug FROM rooms WHERE slug = ?", wanted);
        expect(rows).toEqual([{ slug: wanted }]);
        expect((await ann.get(path)).json()).toEqual({ ...room, created: false });
        const { messages } = (await ann.get(`${path}messages/`)).json() as Page;
        expect(messages).toEqual([]);
        expect((await ann.get(`/rooms/${wanted}`)).status).toBe(200);
      }),
      { numRuns: 150 },
    );
  });

  test("and however it is written into the path, nothing fails", async () => {
    const byte = fc.integer({ min: 0, max: 255 }).map((n) => `%${n.toString(16).padStart(2, "0")}`);
    const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    const piece = fc.oneof(
      { weight: 4, arbitrary: visible },
      { weight: 2, arbitrary: byte },
      fc.constantFrom("%", "%z", "%%", "..", "/", "//", "messages", "/messages/", "%2f", "%25", "?", "#"),
    );
    const raw = fc.array(piece, { minLength: 1, maxLength: 30 }).map((pieces) => pieces.join(""));
    const cookie = ann.cookieHeader();
    await fc.assert(
      fc.asyncProperty(
        raw,
        fc.constantFrom("", "/", "/messages/", "/messages/?limit=1"),
        async (path, end) => {
          const answer = await ask(world, { path: `/api/chat/rooms/${path}${end}`, headers: { cookie } });
          expect([200, 301, 400, 404]).toContain(answer.status);
        },
      ),
      { numRuns: 300 },
    );
    expect(world.errors).toEqual([]);
  });
});

describe("walking back through a room's messages", () => {
  test("gives every one that is left exactly once, ascending, whatever the steps and whatever is gone", async () => {
    const socket = await openGateway(ann);
    const { epoch } = socket;
    let rooms = 0;
    const walk = fc.record({
      count: fc.integer({ min: 0, max: 40 }),
      removed: fc.array(fc.nat(39), { maxLength: 40 }),
      limits: fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1, maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(walk, async ({ count, removed, limits }) => {
        const slug = `walk-${++rooms}`;
        await ann.get(`/api/chat/rooms/${slug}/`);
        const acks = await Promise.all(
          Array.from({ length: count }, (_, i) => socket.post(`${i}`, undefined, slug)),
        );
        const ids = acks.map((ack) => (ack.type === "ack" ? ack.id : 0));
        const gone = new Set(removed.filter((i) => i < count));
        for (const i of gone) {
          const path = `/rooms/${slug}/messages/${ids[i]}/remove`;
          expect((await ann.post(path, {}, { as: "form" })).status).toBe(303);
        }
        const left = ids.filter((_, i) => !gone.has(i));

        const found: number[] = [];
        let before = "";
        for (let step = 0; step <= count; step++) {
          const limit = limits[step % limits.length] ?? 1;
          const answer = await ann.get(`/api/chat/rooms/${slug}/messages/?limit=${limit}${before}`);
          const { messages, pagination } = answer.json() as Page;
          expect(pagination.limit).toBe(limit);
          found.unshift(...messages.map(({ id }) => id));
          expect(pagination.hasMore).toBe(found.length < left.length);
          expect(pagination.nextBefore).toBe(pagination.hasMore ? (messages[0]?.id ?? 0) : null);
          if (!pagination.hasMore) break;
          expect(messages).toHaveLength(limit);
          before = `&before=${pagination.nextBefore}`;
        }
        expect(found).toEqual(left);
      }),
      { numRuns: 25 },
    );
    expect(epoch).not.toBe("");
    socket.close();
  });
});

describe("names", () => {
  /** Letters that look or fold alike: cases, ligatures, full width, a sign that is a letter, marks apart. */
  const alike = fc.constantFrom(...Array.from("aAａＡⅱiIﬁfFIKKkсСcßẞſsSéΣσς１1²2İ"), "e\u0301");
  const name = fc
    .array(alike, { minLength: 1, maxLength: 2 })
    .chain((letters) =>
      fc.constantFrom(letters.join(""), ` ${letters.join("")}`, letters.join("").toUpperCase()),
    );
  const normalised = (text: string) => text.normalize("NFKC").toLowerCase().trim();

  test("with the same normalised form are one name, of whoever came first", async () => {
    const owners = new Map<string, string>();
    let clashes = 0;
    await fc.assert(
      fc.asyncProperty(name, async (username) => {
        const client = stranger(world);
        const answer = await client.register(username, PASSWORD);
        expect([201, 400]).toContain(answer.status);
        const form = normalised(username);
        if (answer.status === 201) {
          expect({ username, first: owners.get(form) }).toEqual({ username, first: undefined });
          owners.set(form, username);
        } else if (owners.has(form)) {
          clashes++;
          expect(answer.json()).toMatchObject({ error: "Имя пользователя уже занято" });
        }
      }),
      { numRuns: 60 },
    );
    expect(owners.size).toBeGreaterThan(5);
    expect(clashes).toBeGreaterThan(0);
    const rows = await inDatabase<{ name: string }>(world, "SELECT name FROM users");
    const names = rows.map((row) => row.name);
    expect(new Set(names.map(normalised)).size).toBe(names.length);
  });

  test("asked for by many at once in many writings are given once", async () => {
    const writings = ["Zoé", "zoé", "ZOÉ", "zoe\u0301", "ＺＯＥ\u0301", " Zoé "];
    const answers = await Promise.all(
      writings.map(async (username) => (await guest(world)).register(username, PASSWORD)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(writings.length - 1);
  });
});
