import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { keysOf, nameFault } from "../accounts/names.ts";
import { createNames } from "./names.ts";

/** The names that these people have in the end, in the order of their ids. */
function given(raw: readonly string[], taken: readonly string[] = []) {
  const names = createNames(taken.map(keysOf));
  for (const [id, name] of raw.entries()) names.reserve(String(id), name);
  return raw.map((name, id) => names.give(String(id), name, `user-${id}`));
}

const namesOf = (raw: readonly string[], taken?: readonly string[]) =>
  given(raw, taken).map(({ name }) => name);

describe("a name", () => {
  test("that the rules allow stays as it is", () => {
    const raw = ["ann", "Борис", "a.b+c@d_e-f", "n".repeat(150)];
    expect(given(raw).map(({ name, why }) => [name, why])).toEqual(raw.map((name) => [name, null]));
  });

  test("stays with whoever came first, and the others are numbered", () => {
    expect(namesOf(["ann", "Ann", "ANN", "bob"])).toEqual(["ann", "Ann-2", "ANN-3", "bob"]);
    expect(namesOf(["ann"], ["Ann"])).toEqual(["ann-2"]);
  });

  test("that looks like another one is numbered as well", () => {
    const [, cyrillic] = given(["ann", "аnn"]);
    expect(cyrillic).toMatchObject({ name: "аnn-2", why: "it looks like the name of another account" });
  });

  test("is not taken from its owner by somebody who has to be renamed", () => {
    expect(namesOf(["ann", "ANN", "ann-2"])).toEqual(["ann", "ANN-3", "ann-2"]);
  });

  test.each([
    ["has other characters", "bad name!", "bad_name_"],
    ["is blank", " ", "user-0"],
    ["is too long", "x".repeat(151), "x".repeat(150)],
    ["is written in compatible letters", "ﬁnn", "finn"],
  ])("that %s becomes one that may be", (_, raw, name) => {
    const [only] = given([raw]);
    expect(only?.name).toBe(name);
    expect(only?.why).not.toBeNull();
  });

  test("of the full length is cut to make place for its number", () => {
    expect(namesOf(["n".repeat(150), "N".repeat(150)])[1]).toBe(`${"N".repeat(148)}-2`);
  });
});

test("whatever names there were, all of these are allowed, and no two are the same", () => {
  const name = fc.oneof(
    fc.constantFrom("ann", "Ann", "ANN", "аnn", "ann-2", "ANN-2", "", " "),
    fc.string({ unit: "grapheme", maxLength: 160 }),
  );
  fc.assert(
    fc.property(fc.array(name), (raw) => {
      const names = given(raw.map((text) => text.toWellFormed()));
      for (const one of names) expect(nameFault(one.name)).toBeNull();
      expect(new Set(names.map(({ nameKey }) => nameKey)).size).toBe(raw.length);
      expect(new Set(names.map(({ nameLook }) => nameLook)).size).toBe(raw.length);
    }),
  );
});
