import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { costOf } from "../testing/cost.ts";
import { withoutMarkup } from "./markup.ts";

test.each([
  ["<b>hi</b> & 1 < 2", "hi & 1 < 2"],
  ["a < b > c", "a < b > c"],
  ["<<b>i>x", "x"],
  ["<3 and >:)", "<3 and >:)"],
  ["&lt;b&gt;", "&lt;b&gt;"],
  ['<a href="x>y">z</a>', "z"],
  ["<!doctype html><!-- <b> -->x<?php ?>", "x"],
  ["<b", "<b"],
])("%j becomes %j", (text, expected) => expect(withoutMarkup(text)).toBe(expected));

test("nothing that looks like a tag is left, however it is put together", () => {
  const pieces = fc.constantFrom(
    "<",
    ">",
    "b",
    "/",
    "!",
    "--",
    "-->",
    "<!--",
    '"',
    "'",
    " ",
    "<b>",
    "</b>",
    "a=",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
      expect(withoutMarkup(parts.join(""))).not.toMatch(/<\/?[a-z][^"'<>]*>/);
    }),
  );
});

test.each([
  ["openings", "<b ".repeat(333)],
  ["quotes", `<a ${'"'.repeat(997)}`],
  ["open quotes", '<a "'.repeat(250)],
  ["comments", "<!--".repeat(250)],
  ["a nest", "<".repeat(500) + "b>".repeat(250)],
])("a thousand characters of %s take no time", async (_, text) => {
  expect(await costOf(() => withoutMarkup(text))).toBeLessThan(50);
});
