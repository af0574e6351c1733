import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { createNumbers } from "./numbers.ts";

type Place = [seq: number, rev: number];

/** The first fault, or the head. */
function read(places: readonly Place[]): string | number {
  const numbers = createNumbers();
  for (const place of places) {
    const fault = numbers.next(...place);
    if (fault) return fault;
  }
  return numbers.head();
}

/** A room in which people write, and change what was written: as the program numbers it. */
const lives = fc.array(fc.option(fc.nat(), { nil: null }), { maxLength: 60 }).map((acts) => {
  const places: Place[] = [];
  let head = 0;
  for (const act of acts) {
    const changed = act === null ? undefined : places[act % places.length];
    head += 1;
    if (changed) changed[1] = head;
    else places.push([head, head]);
  }
  return { places, head };
});

test("whatever happens in a room, its numbers are in order up to its head", () => {
  fc.assert(fc.property(lives, ({ places, head }) => expect(read(places)).toBe(head)));
});

test.each<[string, Place[], RegExp]>([
  ["begins late", [[2, 2]], /^number 1 .* is missing/],
  [
    "lacks a message",
    [
      [1, 1],
      [3, 3],
    ],
    /^number 2 .* is missing/,
  ],
  [
    "goes back",
    [
      [1, 1],
      [2, 2],
      [2, 2],
    ],
    /"seq" 2 comes after 2/,
  ],
  [
    "has a change before its message",
    [
      [1, 1],
      [2, 1],
    ],
    /"rev" 1 is before "seq" 2/,
  ],
  [
    "has a change and a message of one number",
    [
      [1, 2],
      [2, 2],
    ],
    /^number 2 .* is there twice/,
  ],
  [
    "has two changes of one number",
    [
      [1, 3],
      [2, 3],
    ],
    /^number 3 .* is there twice/,
  ],
])("a room that %s is refused", (_, places, fault) => {
  expect(read(places)).toMatch(fault);
});
