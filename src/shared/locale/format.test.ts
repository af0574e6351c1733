import { describe, expect, test } from "bun:test";
import { fill, plural } from "./format.ts";
import { catalogs } from "./locale.ts";

describe("filling a text", () => {
  test("puts each value in its places", () => {
    expect(fill("{a}, {b}: {a}", { a: "x", b: 0 })).toBe("x, 0: x");
  });

  test("leaves a place without a value as it is", () => {
    expect(fill("{known} {unknown}", { known: "x" })).toBe("x {unknown}");
  });

  test("takes values as they are, whatever they look like", () => {
    expect(fill("{a}", { a: "{b}", b: "no" })).toBe("{b}");
    expect(fill("<{a}>", { a: "$& $1 $` $'" })).toBe("<$& $1 $` $'>");
  });
});

describe("counted words", () => {
  const russian = catalogs.ru.live.newMessages;

  test.each([
    [1, "1 новое сообщение"],
    [2, "2 новых сообщения"],
    [4, "4 новых сообщения"],
    [5, "5 новых сообщений"],
    [11, "11 новых сообщений"],
    [12, "12 новых сообщений"],
    [21, "21 новое сообщение"],
    [22, "22 новых сообщения"],
    [25, "25 новых сообщений"],
    [111, "111 новых сообщений"],
  ])("decline in Russian: %d", (n, words) => {
    expect(plural("ru", russian, n)).toBe(words);
  });

  test.each([
    [1, "1 new message"],
    [2, "2 new messages"],
    [21, "21 new messages"],
    [1234, "1,234 new messages"],
  ])("decline in English: %d", (n, words) => {
    expect(plural("en", catalogs.en.live.newMessages, n)).toBe(words);
  });

  test("write large numbers as the language does", () => {
    expect(plural("ru", russian, 12_345)).toMatch(/^12\s345 новых сообщений$/);
  });
});
