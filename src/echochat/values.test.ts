import { expect, test } from "bun:test";
import { createNumbers } from "./numbers.ts";
import { createSlugs, roomNameOf } from "./rooms.ts";
import { textOf, timeOf, whole } from "./values.ts";

test.each([
  ["2022-11-22 11:29:30.247835", "2022-11-22T11:29:30.247Z"],
  ["2022-11-22 11:29:30", "2022-11-22T11:29:30.000Z"],
  ["2022-11-22 11:29:30.2", "2022-11-22T11:29:30.200Z"],
  ["2022-11-22T11:29:30+03:00", "2022-11-22T08:29:30.000Z"],
  ["2022-11-22 11:29:30.5-0130", "2022-11-22T12:59:30.500Z"],
  ["2022-11-22 11:29:30+02", "2022-11-22T09:29:30.000Z"],
  ["2022-11-22 11:29", "2022-11-22T11:29:00.000Z"],
  ["2022-11-22", "2022-11-22T00:00:00.000Z"],
  ["1969-12-31 23:59:59.999999", "1969-12-31T23:59:59.999Z"],
  ["0001-01-01 00:00:00", "0001-01-01T00:00:00.000Z"],
])("the time %s is read", (text, iso) => {
  expect(timeOf(text)).toBe(Date.parse(iso));
});

test.each([
  "",
  "yesterday",
  "2022-13-01 00:00:00",
  "2022-11-22 25:00:00",
  null,
  12,
  "2022-11-22 11:29:30 CET",
])("%p is no time", (value) => expect(timeOf(value)).toBeNull());

test("milliseconds are whole, and never beyond what a date can show", () => {
  expect(whole(1_600_000_000_247.835)).toBe(1_600_000_000_247);
  for (const odd of [Infinity, -Infinity, Number.NaN, 9e15, null, "1"]) expect(whole(odd)).toBeNull();
});

test("a text is one that can be stored, whatever stood in its place", () => {
  expect(["plain", "a\0b", "half \ud83d", new TextEncoder().encode("bytes"), 7, null].map(textOf)).toEqual([
    "plain",
    "a\ufffdb",
    "half \ufffd",
    "bytes",
    "7",
    "",
  ]);
});

test("a slug stays where it may, and is the same other one each time where it may not", () => {
  const give = (...slugs: string[]) => {
    const all = createSlugs(["taken"], (text) => /^[a-z0-9_-]{3,50}$/.test(text));
    return slugs.map((slug) => all.give(slug).slug);
  };
  expect(give("team", "taken")).toEqual(["team", "taken-2"]);
  const [odd] = give("a b");
  expect(odd).toMatch(/^room-[0-9a-f]{12}$/);
  expect(give("other", "a b")[1]).toBe(String(odd));
  expect(give("x".repeat(50), "x".repeat(50))[1]).toBe(`${"x".repeat(48)}-2`);
});

test("a room is called something that can be seen, on one line", () => {
  expect(["Team", " a\nb ", "", "\u200b"].map((name) => roomNameOf(name, "slug"))).toEqual([
    "Team",
    "a b",
    "slug",
    "slug",
  ]);
});

test("numbers are remembered one by one", () => {
  const numbers = createNumbers();
  const some = [1, 2, 65_535, 65_536, 1_000_000, 2 ** 40];
  for (const number of some) numbers.add(number);
  for (const number of some)
    expect([number - 1, number, number + 1].map(numbers.has)).toEqual(
      [number - 1, number, number + 1].map((one) => some.includes(one)),
    );
});
