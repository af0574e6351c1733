import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { decode, encode, KINDS, Malformed, type Kind, type Line } from "./format.ts";

const text = fc.string({ unit: "grapheme" }).filter((some) => !some.includes("\0"));
const number = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const time = fc.date({ noInvalidDate: true }).map(Number);
const orNull = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null });
const picture = fc.constantFrom("profile_pics/ann.webp", "profile_pics/0a.64.webp", "profile_pics/Ёж_1.jpg");
const hash = fc.string({
  unit: fc.constantFrom(...Array.from("0123456789abcdef")),
  minLength: 64,
  maxLength: 64,
});

const LINES: { [K in Kind]: fc.Arbitrary<Line<K>> } = {
  people: fc.record({
    username: text,
    email: text,
    bio: text,
    profileImage: orNull(picture),
    registeredAt: time,
    lastSeenAt: orNull(time),
    is_active: fc.boolean(),
    is_muted: fc.boolean(),
    is_staff: fc.boolean(),
    is_superuser: fc.boolean(),
    deletedAt: orNull(time),
  }),
  rooms: fc.record({
    slug: text,
    name: text,
    topic: text,
    createdBy: orNull(text),
    createdAt: time,
    direct: orNull(fc.tuple(text, text)),
    is_closed: fc.boolean(),
    head: number,
  }),
  members: fc.record({
    room: text,
    username: text,
    role: fc.constantFrom("owner", "moderator", "member", "removed"),
    joinedAt: time,
    readSeq: number,
  }),
  messages: fc.record({
    id: number,
    room: text,
    seq: number,
    rev: number,
    username: orNull(text),
    authorName: text,
    content: text,
    createdAt: time,
    editedAt: orNull(time),
    deletedAt: orNull(time),
  }),
  files: fc.record({ path: picture, bytes: number, sha256: hash }),
};
const KIND_NAMES = Object.keys(KINDS) as Kind[];

function testRoundTrip<K extends Kind>(kind: K, lines: fc.Arbitrary<Line<K>>): void {
  test(`whatever a line of ${kind} says is read back the same, and is one line`, () => {
    fc.assert(
      fc.property(lines, (line) => {
        const written = encode(kind, line);
        expect(written.indexOf("\n")).toBe(written.length - 1);
        expect(decode(kind, written)).toEqual(line);
        expect(encode(kind, decode(kind, written))).toBe(written);
      }),
    );
  });
}

testRoundTrip("people", LINES.people);
testRoundTrip("rooms", LINES.rooms);
testRoundTrip("members", LINES.members);
testRoundTrip("messages", LINES.messages);
testRoundTrip("files", LINES.files);

test("whatever else comes is refused in words, or understood", () => {
  fc.assert(
    fc.property(fc.constantFrom(...KIND_NAMES), fc.oneof(fc.string(), fc.json()), (kind, line) => {
      expect(() => decode(kind, line)).toThrow(Malformed);
    }),
  );
});

const FILE = { path: "profile_pics/a.webp", bytes: 1, sha256: "0".repeat(64) };

test("a field that is not known yet is passed over", () => {
  expect(decode("files", JSON.stringify({ ...FILE, colour: "red" }))).toEqual(FILE);
});

test.each([
  "../secret.key",
  "profile_pics/../../secret.key",
  "profile_pics/.hidden",
  "/etc/passwd",
  "profile_pics/a/b",
])("a picture does not lie at %s", (path) => {
  expect(() => decode("files", JSON.stringify({ ...FILE, path }))).toThrow('"path" has to be');
});

test.each(["2026-11-23T12:00:00Z", "2026-11-23T12:00:00.000000Z"])("%s is the same time", (joinedAt) => {
  const member = { room: "public", username: "ann", role: "member", joinedAt, readSeq: 0 };
  expect(decode("members", JSON.stringify(member)).joinedAt).toBe(Date.UTC(2026, 10, 23, 12));
});

test.each(["2026-11-23", "2026-13-23T12:00:00Z", "2026-11-23T12:00:00+01:00", 1790000000000, null])(
  "%p is no time",
  (joinedAt) => {
    const member = { room: "public", username: "ann", role: "member", joinedAt, readSeq: 0 };
    expect(() => decode("members", JSON.stringify(member))).toThrow('"joinedAt" has to be a time');
  },
);
