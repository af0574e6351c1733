import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { clientKey, messageId } from "./ids.ts";

describe("a client key", () => {
  test.each(["abcdefgh", "A-Z_0-9x", "a".repeat(64), "0198b7a2-6f43-7c1e-9d55-3c0f6f1f8a11"])(
    "is %s",
    (text) => {
      expect(clientKey(text)).toBe(text as never);
    },
  );

  test.each([
    "",
    "abcdefg",
    "a".repeat(65),
    "abcdefg\n",
    "abcdefgh\n",
    "abcdefg=",
    "абвгдежз",
    "abc defg",
    "abcdefg\0",
  ])("is not %j", (text) => {
    expect(clientKey("abcdefgh")).not.toBeNull();
    expect(clientKey(text)).toBeNull();
  });

  test.each([[undefined], [null], [12_345_678], [true], [["abcdefgh"]], [{ length: 8 }]])(
    "is a text and not %j",
    (value) => {
      expect(clientKey(value)).toBeNull();
    },
  );
});

describe("a message id", () => {
  test("is a positive whole number that a number holds exactly", () => {
    expect(messageId("1")).toBe(1 as never);
    expect(messageId(String(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER as never);
  });

  test.each([
    "",
    "0",
    "01",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "0x10",
    " 1",
    "1 ",
    "1\n",
    "٣",
    "9007199254740992",
    "9".repeat(20),
  ])("is not %j", (text) => {
    expect(messageId("1")).not.toBeNull();
    expect(messageId(text)).toBeNull();
  });

  test("reads back what it was written as, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat().map((n) => n + 1),
        (n) => messageId(String(n)) === (n <= Number.MAX_SAFE_INTEGER ? n : null),
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => [null, text].includes(messageId(text)?.toString() ?? null)));
  });
});
