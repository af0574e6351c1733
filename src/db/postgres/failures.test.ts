import { expect, test } from "bun:test";
import { isTaken, isUnavailable } from "./failures.ts";

const withCode = (code: string) => Object.assign(new Error("failed"), { code });

test.each([
  "ECONNREFUSED",
  "ECONNRESET",
  "CONNECT_TIMEOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "57P01",
  "57P03",
  "57014",
  "53100",
  "53300",
  "55P03",
  "25006",
  "25P03",
  "40001",
  "40P01",
  "08006",
  "58030",
])("%s passes: later the same may succeed, also below the error of a library", (code) => {
  expect(isUnavailable(withCode(code))).toBe(true);
  expect(isUnavailable(new Error("query failed", { cause: withCode(code) }))).toBe(true);
});

test.each(["42P01", "22003", "23505", "ERR_ASSERTION"])(
  "%s is a mistake of ours, and does not pass",
  (code) => {
    for (const error of [withCode(code), new Error("ours"), "text", null, undefined])
      expect(isUnavailable(error)).toBe(false);
  },
);

test("a key that somebody else has is taken, and nothing else is", () => {
  expect(isTaken(new Error("query failed", { cause: withCode("23505") }))).toBe(true);
  expect(isTaken(withCode("23503"))).toBe(false);
});
