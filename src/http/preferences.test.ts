import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { LOCALES } from "../shared/locale/locale.ts";
import { costOf } from "../testing/cost.ts";
import { isTheme, preferencesOf, preferredLocale } from "./preferences.ts";

/** Any sequence of UTF-16 units, halves of surrogate pairs included. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

describe("the browser's languages", () => {
  test.each([
    ["ru", "ru"],
    ["en", "en"],
    ["ru-RU,ru;q=0.9,en;q=0.8", "ru"],
    ["en-GB,en;q=0.9,ru;q=0.8", "en"],
    ["en;q=0.5,ru;q=0.8", "ru"],
    ["en; q=0.5, ru; q=0.8", "ru"],
    ["ru,en", "ru"],
    ["en,ru", "en"],
    ["RU-ru", "ru"],
    ["de-DE,de;q=0.9,ru;q=0.5,en;q=0.3", "ru"],
    ["ru;q=0", "en"],
    ["ru;q=0,en;q=0.1", "en"],
    ["ru;q=0.000", "en"],
    ["en;q=0,ru;q=0.1", "ru"],
    ["ru;q=wrong", "en"],
    ["de", "en"],
    ["*", "en"],
    ["", "en"],
    ["russian", "en"],
    ["__proto__,constructor", "en"],
  ] as const)("%j means %s", (header, locale) => {
    expect(preferredLocale(header)).toBe(locale);
  });

  test("give one of ours, whatever the header", () => {
    fc.assert(fc.property(anyText, (header) => LOCALES.includes(preferredLocale(header))));
  });

  test("of 64 KB are read in less than 50 ms", async () => {
    for (const piece of [",", ";", "ru;", "ru;q=0.1,", "-", " "]) {
      const header = piece.repeat((64 * 1024) / piece.length);
      expect(await costOf(() => preferredLocale(header))).toBeLessThan(50);
    }
  });
});

describe("a reader's preferences", () => {
  test("come from the cookies first", () => {
    const cookie = "locale=ru; theme=dark; tz=Asia%2FTokyo";
    expect(preferencesOf(request({ cookie, "accept-language": "en" }))).toEqual({
      locale: "ru",
      theme: "dark",
      zone: "Asia/Tokyo",
    });
  });

  test("come from the browser's language and the server's zone when there are none", () => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect(preferencesOf(request({ "accept-language": "ru" }))).toEqual({
      locale: "ru",
      theme: "system",
      zone,
    });
    expect(preferencesOf(request({}))).toEqual({ locale: "en", theme: "system", zone });
  });

  test.each([
    "locale=de",
    "locale=__proto__",
    "theme=pink",
    "theme=constructor",
    "tz=Nowhere%2FLand",
    "tz=%",
    "tz=%00",
    "tz=",
    "locale=",
    "=",
    ";;",
  ])("are not taken from a cookie like %j", (cookie) => {
    expect(preferencesOf(request({ cookie: "locale=ru" })).locale).toBe("ru");
    expect(preferencesOf(request({ cookie }))).toEqual(preferencesOf(request({})));
  });
});

test("there are three themes", () => {
  expect(["system", "light", "dark"].filter(isTheme)).toHaveLength(3);
  for (const text of ["", "Dark", "toString", null, undefined]) expect(isTheme(text)).toBe(false);
});

function request(headers: Record<string, string>): Request {
  return new Request("http://localhost/", { headers });
}
