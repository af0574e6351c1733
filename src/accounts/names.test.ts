import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { canonicalName, nameFault, nameKey, nameLook } from "./names.ts";

/** Any sequence of UTF-16 units, halves of surrogate pairs included. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

describe("a name is stored", () => {
  test("without outer spaces and with compatibility forms resolved", () => {
    expect(canonicalName("  ann\t")).toBe("ann");
    expect(canonicalName("ﬁona")).toBe("fiona");
    expect(canonicalName("ＡＮＮ")).toBe("ANN");
    expect(canonicalName("и\u0306ван")).toBe("йван");
    expect(canonicalName("\u00a0ann\u3000")).toBe("ann");
  });

  test("in the letters that its owner chose", () => {
    expect(canonicalName("Ann")).toBe("Ann");
  });

  test("the same way when it is stored again", () => {
    fc.assert(fc.property(anyText, (raw) => canonicalName(canonicalName(raw)) === canonicalName(raw)));
  });
});

describe("two names are one", () => {
  test.each([
    ["ann", "ANN"],
    ["Иван", "иВАН"],
    ["ﬁona", "FIONA"],
    ["ann", "ａｎｎ"],
    ["é", "e\u0301"],
    ["Σωκράτης", "ΣΩΚΡΆΤΗΣ"],
    ["Å", "\u212b"],
    ["k", "\u212a"],
  ])("when they are %s and %s", (one, other) => {
    expect(nameKey(one)).toBe(nameKey(other));
  });

  test.each([
    ["ann", "anne"],
    ["e", "é"],
    ["i", "ı"],
    ["ann.", "ann"],
  ])("but not when they are %s and %s", (one, other) => {
    expect(nameKey(one)).not.toBe(nameKey(other));
  });

  test("when their keys are, and a key is its own key", () => {
    fc.assert(fc.property(anyText, (name) => nameKey(nameKey(name)) === nameKey(name)));
    fc.assert(
      fc.property(
        anyText,
        (name) => nameKey(canonicalName(name)) === nameKey(canonicalName(name).toLowerCase()),
      ),
    );
  });
});

describe("a name looks like another", () => {
  test.each([
    ["admin", "аdmin"],
    ["admin", "аdmіn"],
    ["Bob", "Воb"],
    ["BOB", "ВОВ"],
    ["Nick", "Νick"],
    ["coco", "сосо"],
    ["Olivia", "Οlivia"],
  ])("%s and %s, in letters of other scripts", (one, other) => {
    expect(one).not.toBe(other);
    expect(nameKey(one)).not.toBe(nameKey(other));
    expect(nameLook(one)).toBe(nameLook(other));
  });

  test.each([
    ["вова", "boba"],
    ["Анна", "Anna"],
    ["иван", "uban"],
    ["bob", "bоb1"],
  ])("but not %s and %s", (one, other) => {
    expect(nameLook(one)).not.toBe(nameLook(other));
  });
});

describe("a name is allowed", () => {
  test.each([
    "a",
    "ann",
    "Иван",
    "日本",
    "ann_1",
    "ann@example.org",
    "a.b+c-d",
    "٣",
    "@",
    "x".repeat(150),
    "𝒜".repeat(150),
  ])("that is %s", (name) => {
    expect(nameFault(name)).toBeNull();
  });

  test.each([
    "ann lee",
    "ann!",
    "ann/bob",
    "<b>",
    "ann\n",
    "ann\0",
    "a:b",
    "😀",
    "ann\ud83d",
    "ann&co",
    "%",
    "\u0301",
  ])("but not with characters like those of %j", (name) => {
    expect(nameFault("ann")).toBeNull();
    expect(nameFault(name)).toEqual({ fault: "characters" });
  });

  test("but not without any letter, and not longer than 150 code points", () => {
    expect(nameFault("")).toEqual({ fault: "blank" });
    expect(nameFault("x".repeat(151))).toEqual({ fault: "too_long", length: 151 });
    expect(nameFault("𝒜".repeat(151))).toEqual({ fault: "too_long", length: 151 });
  });

  test.each([
    ["a zero-width space", "\u200b"],
    ["a zero-width non-joiner", "\u200c"],
    ["a zero-width joiner", "\u200d"],
    ["a word joiner", "\u2060"],
    ["a byte order mark", "\ufeff"],
    ["a soft hyphen", "\u00ad"],
    ["a combining grapheme joiner", "\u034f"],
    ["a Mongolian vowel separator", "\u180e"],
    ["a right-to-left override", "\u202e"],
    ["a left-to-right isolate", "\u2066"],
    ["a variation selector", "\ufe0f"],
    ["a tag letter", "\u{e0061}"],
    ["a Hangul filler", "\u3164"],
    ["a half-width Hangul filler", "\uffa0"],
    ["a Hangul choseong filler", "\u115f"],
    ["a Hangul jungseong filler", "\u1160"],
  ])("but not with %s, which nobody sees", (_, invisible) => {
    expect(nameFault(canonicalName("admin"))).toBeNull();
    expect(nameFault(canonicalName(`ad${invisible}min`))).not.toBeNull();
    expect(nameFault(canonicalName(invisible))).not.toBeNull();
  });
});
