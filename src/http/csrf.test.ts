import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { isSecret, mask, matches, secretText } from "./csrf.ts";

/** Any sequence of UTF-16 units, halves of surrogate pairs included. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

const secrets = fc.stringMatching(/^[A-Za-z0-9]{32}$/);
const SECRET = "abcdefghijklmnopqrstuvwxyzABCDEF";

describe("a token", () => {
  test("is the secret, or any masked form of it, whatever the secret", () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        expect(matches(secret, secret)).toBe(true);
        expect(mask(secret)).toMatch(/^[A-Za-z0-9]{64}$/);
        expect(matches(mask(secret), secret)).toBe(true);
      }),
    );
  });

  test("is masked differently each time, and shows nothing of its secret", () => {
    const masked = Array.from({ length: 100 }, () => mask(SECRET));
    expect(new Set(masked).size).toBe(100);
    expect(masked.filter((token) => token.includes(SECRET.slice(0, 8)))).toEqual([]);
  });

  test("of another secret does not fit", () => {
    fc.assert(
      fc.property(secrets, secrets, (one, other) => {
        fc.pre(one !== other);
        expect(matches(one, other)).toBe(false);
        expect(matches(mask(one), other)).toBe(false);
      }),
    );
  });

  test("with one character changed does not fit", () => {
    const masked = mask(SECRET);
    expect(matches(masked, SECRET)).toBe(true);
    for (const token of [SECRET, masked]) {
      for (let i = 0; i < token.length; i++) {
        const changed = token.slice(0, i) + (token[i] === "a" ? "b" : "a") + token.slice(i + 1);
        expect(matches(changed, SECRET)).toBe(false);
      }
    }
  });

  test.each([
    ["nothing", null],
    ["left out", undefined],
    ["empty", ""],
    ["one short", SECRET.slice(1)],
    ["one long", `${SECRET}a`],
    ["between the two lengths", `${SECRET}${SECRET.slice(16)}`],
    ["twice as long", SECRET.repeat(4)],
    ["in spaces", ` ${SECRET}`],
    ["on two lines", `${SECRET}\n`],
    ["with a sign", `${SECRET.slice(1)}-`],
    ["with a letter of two bytes", `${SECRET.slice(1)}é`],
    ["of letters of two bytes", "é".repeat(16)],
    ["the secret twice", SECRET + SECRET],
  ])("that is %s does not fit, and does not throw", (_, token) => {
    expect(matches(SECRET, SECRET)).toBe(true);
    expect(matches(token, SECRET)).toBe(false);
  });

  test("of any text does not throw, and fits only if it is the secret", () => {
    fc.assert(fc.property(anyText, (text) => matches(text, SECRET) === (text === SECRET)));
  });
});

describe("a secret", () => {
  test("is 32 letters and digits", () => {
    expect(isSecret(SECRET)).toBe(true);
    expect(isSecret(secretText(32))).toBe(true);
    for (const text of [null, "", SECRET.slice(1), `${SECRET}a`, `${SECRET}\n`, `${SECRET.slice(1)}-`]) {
      expect(isSecret(text)).toBe(false);
    }
  });

  test("is drawn anew each time, from all letters and digits alike", () => {
    const text = secretText(620_000);
    expect(text).toHaveLength(620_000);
    const counts = Map.groupBy(text, (letter) => letter);
    expect(counts.size).toBe(62);
    // Ten thousand of each on average, give or take a hundred; a biased draw gives some of them two thousand more.
    const unlikely = [...counts].filter(([, found]) => Math.abs(found.length - 10_000) > 700);
    expect(unlikely.map(([letter]) => letter)).toEqual([]);
    expect(new Set(Array.from({ length: 100 }, () => secretText(32))).size).toBe(100);
  });
});
