import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { localPath } from "./local-path.ts";

/** Any sequence of UTF-16 units, halves of surrogate pairs included. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

const OURS = "https://chat.example";

describe("a path of ours", () => {
  test.each([
    "/",
    "/rooms/public",
    "/rooms/public?before=12#m12",
    "/a/b/",
    "/search?q=a%20b&x=//y",
    "/login?next=%2Frooms",
  ])("stays as it is: %s", (path) => {
    expect(localPath(path)).toBe(path);
  });

  test("is written as an address", () => {
    expect(localPath("/rooms/комната")).toBe("/rooms/%D0%BA%D0%BE%D0%BC%D0%BD%D0%B0%D1%82%D0%B0");
    expect(localPath("/a b")).toBe("/a%20b");
    expect(localPath("/a/../b")).toBe("/b");
  });
});

describe("a way out", () => {
  test.each([
    "//evil.example",
    "//evil.example/rooms/public",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "/\\/evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/a/..//evil.example",
    "/%2e//evil.example",
    "/%2e%2e//evil.example",
    "/.\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\r\n/evil.example",
    "/\t\\evil.example",
    "\t//evil.example",
    " //evil.example",
    "/.\t//evil.example",
    "//evil.example@chat.example",
    "//chat.example@evil.example",
    "//here.invalid//evil.example",
    "//[",
    "https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "HTTPS://evil.example",
    "//user:password@evil.example:80/",
    "javascript:alert(1)",
    "data:text/html,x",
    "mailto:a@b.example",
    "evil.example",
    "",
    "?next=//evil.example",
    "#//evil.example",
  ])("leads home instead: %j", (text) => {
    expect(localPath("/rooms/public")).toBe("/rooms/public");
    expect(localPath(text)).toBe("/");
  });

  test("is no text at all", () => {
    expect(localPath(null)).toBe("/");
    expect(localPath(undefined)).toBe("/");
  });

  test("is not to be had with any text, nor a second header line", () => {
    const parts = fc.constantFrom(
      "/",
      "\\",
      ".",
      "..",
      "%2e",
      "%2f",
      "%5c",
      "\t",
      "\n",
      "\r",
      " ",
      "@",
      ":",
      "?",
      "#",
      "evil.example",
    );
    const texts = fc.array(fc.oneof(parts, anyText)).map((all) => `/${all.join("")}`);
    fc.assert(
      fc.property(texts, (text) => {
        const path = localPath(text);
        expect(new URL(path, OURS).origin).toBe(OURS);
        expect(path).toMatch(/^\/[!-~]*$/);
        expect(path).not.toMatch(/^\/[/\\]/);
        expect(localPath(path)).toBe(path);
      }),
      { numRuns: 1000 },
    );
  });
});
