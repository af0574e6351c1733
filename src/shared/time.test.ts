import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { clock, dayOf, exactTime, isoMicroseconds, longDay, timeZone } from "./time.ts";

const AT = Date.UTC(2026, 10, 22, 21, 5, 9);

describe("times as existing clients read them", () => {
  test("have six digits of a second, or none when they would be zero", () => {
    expect(isoMicroseconds(AT + 247)).toBe("2026-11-22T21:05:09.247000+00:00");
    expect(isoMicroseconds(AT + 7)).toBe("2026-11-22T21:05:09.007000+00:00");
    expect(isoMicroseconds(AT)).toBe("2026-11-22T21:05:09+00:00");
    expect(isoMicroseconds(0)).toBe("1970-01-01T00:00:00+00:00");
  });

  test("name the same moment, whichever it is", () => {
    const moments = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
    fc.assert(fc.property(moments, (at) => Date.parse(isoMicroseconds(at)) === at));
  });
});

describe("times as people read them", () => {
  test("are in their language and zone", () => {
    expect(clock(AT, "ru", "UTC")).toBe("21:05");
    expect(clock(AT, "en", "America/New_York")).toMatch(/^4:05\sPM$/);
    expect(longDay(AT, "en", "UTC")).toBe("Sunday, November 22, 2026");
    expect(longDay(AT, "ru", "Europe/Moscow")).toStartWith("понедельник, 23 ноября 2026");
    expect(exactTime(AT, "en", "UTC")).toContain("9:05:09");
  });

  test("belong to the calendar day of the zone", () => {
    expect(dayOf(AT, "UTC")).toBe("2026-11-22");
    expect(dayOf(AT, "Europe/Moscow")).toBe("2026-11-23");
    expect(dayOf(0, "America/New_York")).toBe("1969-12-31");
  });

  test("stay right when more zones are asked for than are remembered", () => {
    const zones = Intl.supportedValuesOf("timeZone");
    expect(zones.length).toBeGreaterThan(200);
    const days = () => zones.map((zone) => dayOf(AT, zone));
    const first = days();
    expect(new Set(first)).toEqual(new Set(["2026-11-22", "2026-11-23"]));
    expect(days()).toEqual(first);
  });
});

describe("a time zone", () => {
  test.each(["UTC", "Europe/Moscow", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])("is %s", (name) => {
    expect(timeZone(name)).toBe(name);
    expect(() => dayOf(AT, name)).not.toThrow();
  });

  test("has its own name, however it was written", () => {
    expect(timeZone("europe/moscow")).toBe("Europe/Moscow");
  });

  test.each([
    "",
    " ",
    "Nowhere/Land",
    "Europe/Moscow\n",
    "../../etc/passwd",
    "__proto__",
    "constructor",
    "a".repeat(65),
  ])("is not %j", (name) => {
    expect(timeZone("Europe/Moscow")).toBe("Europe/Moscow");
    expect(timeZone(name)).toBeNull();
  });

  test("can be used to format when it is one, and no text throws", () => {
    const names = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[A-Za-z0-9_+/-]{1,10}$/),
      fc.stringMatching(/^[+-]\d{1,4}$/),
    );
    fc.assert(
      fc.property(names, (name) => {
        const zone = timeZone(name);
        if (zone !== null) expect(dayOf(AT, zone)).toMatch(/^2026-11-2[123]$/);
      }),
    );
  });
});
