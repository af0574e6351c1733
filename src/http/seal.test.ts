import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { createSeal } from "./seal.ts";

const SECRET = "a secret of the tests, long enough to be one";
const seal = createSeal(SECRET);

describe("a mark", () => {
  test("is known again, now and by the next process with the same secret", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const mark = seal.mark(text);
        expect(mark).toMatch(/^[\w-]{22}$/);
        expect(createSeal(SECRET).mark(text)).toBe(mark);
        expect([seal.matches(text, mark), createSeal(SECRET).matches(text, mark)]).toEqual([true, true]);
      }),
    );
  });

  test("is for one text only", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        fc.pre(one !== other);
        expect(seal.mark(one)).not.toBe(seal.mark(other));
        expect(seal.matches(other, seal.mark(one))).toBe(false);
      }),
    );
  });

  test("is not made with another secret", () => {
    for (const secret of [`${SECRET}.`, SECRET.toUpperCase(), "", SECRET.slice(1)]) {
      const other = createSeal(secret);
      expect(seal.matches("text", other.mark("text"))).toBe(false);
      expect(other.matches("text", seal.mark("text"))).toBe(false);
    }
  });

  test("does not survive one changed bit", () => {
    const mark = seal.mark("text");
    expect(seal.matches("text", mark)).toBe(true);
    const bytes = Buffer.from(mark, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(seal.matches("text", changed.toString("base64url"))).toBe(false);
    }
  });

  test("is whole: no beginning of it counts, and nothing longer", () => {
    const mark = seal.mark("text");
    for (let length = 0; length < mark.length - 1; length++)
      expect(seal.matches("text", mark.slice(0, length))).toBe(false);
    for (const longer of [`${mark}AA`, mark + mark, `AA${mark}`])
      expect(seal.matches("text", longer)).toBe(false);
  });

  test("is never any other text, and no text makes it throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (mark) => {
        expect(seal.matches("text", mark)).toBe(false);
      }),
    );
  });
});
