import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { costOf } from "../testing/cost.ts";
import type { ClientKey } from "./ids.ts";
import { parseClientFrame, parseObject, type ClientFrame } from "./protocol.ts";

/** Any sequence of UTF-16 units, halves of surrogate pairs included. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

const KEY = "abcdefgh" as ClientKey;
const SEND: ClientFrame = { type: "send", room: "public", key: KEY, text: "hello" };
const RESUME: ClientFrame = { type: "resume", room: "public", epoch: "e", rev: 41 };
const EDIT: ClientFrame = { type: "edit", room: "public", key: KEY, id: 7, text: "better" };
const REMOVE: ClientFrame = { type: "remove", room: "public", key: KEY, id: 7 };
const TYPING: ClientFrame = { type: "typing", room: "public" };
const UNREAD: ClientFrame = { type: "unread" };
const READ: ClientFrame = { type: "read", room: "hall", seq: 7 };
const PRESENCE: ClientFrame = { type: "presence" };
const HELLO: ClientFrame = { type: "hello", rooms: [{ room: "public", epoch: "e", rev: 0 }] };

describe("a frame", () => {
  const all = [SEND, EDIT, REMOVE, TYPING, RESUME, READ, PRESENCE, UNREAD, HELLO];
  test.each([...all, { type: "hello", rooms: [] }] satisfies ClientFrame[])(
    "is read as it was written: %j",
    (frame) => {
      expect(parse(frame)).toEqual(frame);
    },
  );

  test("loses whatever nobody asked for", () => {
    expect(parse({ ...SEND, author: "admin", id: 1, seq: 1 })).toEqual(SEND);
    expect(parse({ ...EDIT, author: "admin", rev: 1, editedAt: 0 })).toEqual(EDIT);
    expect(parse({ ...REMOVE, text: "x", by: "admin" })).toEqual(REMOVE);
    expect(parse({ ...TYPING, name: "admin" })).toEqual(TYPING);
    expect(parse({ ...RESUME, changes: [] })).toEqual(RESUME);
    expect(parse({ ...PRESENCE, online: [{ name: "admin", avatar: null }], guests: -1 })).toEqual(PRESENCE);
    expect(parse({ ...READ, user: "admin", key: KEY })).toEqual(READ);
    expect(
      parse({ type: "hello", rooms: [{ room: "public", epoch: "e", rev: 0, role: "admin" }], user: "x" }),
    ).toEqual(HELLO);
  });

  test.each([
    { room: 1 },
    { room: null },
    { room: ["public"] },
    { text: 1 },
    { text: ["hello"] },
    { text: { toString: "x" } },
    { text: null },
    { key: "short" },
    { key: "a".repeat(65) },
    { key: 12_345_678 },
    { key: undefined },
    { type: "Send" },
    { type: ["send"] },
    { type: undefined },
  ])("to send is nothing with %j", (wrong) => {
    expect(parse(SEND)).not.toBeNull();
    expect(parse({ ...SEND, ...wrong })).toBeNull();
  });

  test.each([
    { room: 1 },
    { room: undefined },
    { key: "short" },
    { key: undefined },
    { id: "7" },
    { id: -1 },
    { id: 1.5 },
    { id: null },
    { id: 2 ** 53 },
    { id: undefined },
  ])("to edit or remove is nothing with %j", (wrong) => {
    for (const frame of [EDIT, REMOVE]) {
      expect(parse(frame)).not.toBeNull();
      expect(parse({ ...frame, ...wrong })).toBeNull();
    }
  });

  test("to edit needs a text, and to type a room", () => {
    for (const text of [1, null, ["x"], undefined]) expect(parse({ ...EDIT, text })).toBeNull();
    for (const room of [1, null, ["x"], undefined]) expect(parse({ ...TYPING, room })).toBeNull();
  });

  test.each([[-1], [1.5], ["1"], [null], [[1]], [2 ** 53], [true], [undefined]])(
    "to resume names no number like %j",
    (rev) => {
      expect(parse(RESUME)).not.toBeNull();
      expect(parse({ ...RESUME, rev })).toBeNull();
    },
  );

  test.each([[-1], [0.5], ["7"], [null], [[7]], [{}], [2 ** 53], [true], [undefined]])(
    "to mark as read names no place like %j",
    (seq) => {
      for (const place of [0, Number.MAX_SAFE_INTEGER])
        expect(parse({ ...READ, seq: place })).toEqual({ ...READ, seq: place } as ClientFrame);
      expect(parse({ ...READ, seq })).toBeNull();
    },
  );

  test.each([[1], [null], [["hall"]], [{}], [undefined]])("to mark as read names no room like %j", (room) => {
    expect(parse(READ)).not.toBeNull();
    expect(parse({ ...READ, room })).toBeNull();
  });

  test.each([
    "[1]",
    "1",
    '"hello"',
    "null",
    "true",
    "",
    " ",
    "{",
    "{'type':'hello'}",
    '{"type":"hello"}',
    "NaN",
  ])("is not %s", (text) => {
    expect(parseClientFrame(text)).toBeNull();
  });

  test("of greeting names a hundred rooms at most, and each of them properly", () => {
    const held = { room: "public", epoch: "e", rev: 0 };
    expect(parse({ type: "hello", rooms: Array.from({ length: 100 }, () => held) })).not.toBeNull();
    expect(parse({ type: "hello", rooms: Array.from({ length: 101 }, () => held) })).toBeNull();
    expect(parse({ type: "hello", rooms: [held, null] })).toBeNull();
    expect(parse({ type: "hello", rooms: [held, { ...held, rev: -1 }] })).toBeNull();
    expect(parse({ type: "hello", rooms: { length: 0 } })).toBeNull();
  });
});

describe("keys of an object's prototype", () => {
  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"])(
    "name no frame: %s",
    (type) => {
      expect(parse({ ...SEND, type })).toBeNull();
    },
  );

  test("carry nothing into a frame, and leave every other object alone", () => {
    const fields = JSON.stringify({ ...SEND, polluted: true });
    expect(parseClientFrame(fields)).toEqual(SEND);
    expect(parseClientFrame(`{"__proto__":${fields}}`)).toBeNull();
    expect(parseClientFrame(`{"constructor":{"prototype":${fields}}}`)).toBeNull();
    expect(
      parseClientFrame(`{"type":"hello","rooms":[{"__proto__":{"room":"public","epoch":"e","rev":0}}]}`),
    ).toBeNull();
    expect(parseObject(`{"__proto__":${fields}}`)?.["polluted"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

test("no text makes the parser throw", () => {
  const almost = fc
    .record(
      {
        type: fc.oneof(fc.constantFrom("hello", "resume", "send", "read"), fc.jsonValue()),
        room: fc.oneof(fc.string(), fc.jsonValue()),
        rooms: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
        epoch: fc.oneof(fc.string(), fc.jsonValue()),
        rev: fc.oneof(fc.nat(), fc.double(), fc.jsonValue()),
        seq: fc.oneof(fc.nat(), fc.double(), fc.jsonValue()),
        key: fc.oneof(fc.constant(KEY), fc.jsonValue()),
        text: fc.oneof(anyText, fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    .map((frame) => JSON.stringify(frame));
  fc.assert(
    fc.property(fc.oneof(almost, fc.json(), anyText), (text) => {
      const frame = parseClientFrame(text);
      if (frame) expect(parse(frame)).toEqual(frame);
    }),
    { numRuns: 1000 },
  );
});

test("text nested 100,000 deep is refused in less than 50 ms", async () => {
  const deep = "[".repeat(100_000);
  for (const text of [deep, deep + "]".repeat(100_000), `{"type":`.repeat(100_000), `{"rooms":${deep}`])
    expect(await costOf(() => expect(parseClientFrame(text)).toBeNull())).toBeLessThan(50);
});

function parse(frame: unknown): ClientFrame | null {
  return parseClientFrame(JSON.stringify(frame));
}
