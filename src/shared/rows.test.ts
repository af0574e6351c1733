import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { MessageView } from "./protocol.ts";
import { toRows } from "./rows.ts";

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 22, 12);

describe("day separators", () => {
  test("stand before the first message of each day", () => {
    const rows = toRows(
      [message(1, NOON), message(2, NOON + MINUTE), message(3, NOON + 1440 * MINUTE)],
      "UTC",
      null,
    );
    expect(rows.map(nameOf)).toEqual(["2026-11-22", 1, 2, "2026-11-23", 3]);
  });

  test("follow the reader's zone, not the server's", () => {
    const evening = Date.UTC(2026, 10, 22, 22);
    const messages = [message(1, evening), message(2, evening + 180 * MINUTE)];
    expect(daysOf(messages, "UTC")).toEqual(["2026-11-22", "2026-11-23"]);
    expect(daysOf(messages, "Asia/Tokyo")).toEqual(["2026-11-23"]);
    expect(daysOf(messages, "America/New_York")).toEqual(["2026-11-22"]);
    expect(daysOf(messages, "Pacific/Kiritimati")).toEqual(["2026-11-23"]);
  });

  test("stand first, and say whether the day began before", () => {
    const first = (previousAt: number | null) => toRows([message(1, NOON)], "UTC", previousAt)[0];
    expect(first(null)).toMatchObject({ day: "2026-11-22", continued: false });
    expect(first(NOON - 1440 * MINUTE)).toMatchObject({ day: "2026-11-22", continued: false });
    expect(first(NOON - MINUTE)).toMatchObject({ day: "2026-11-22", continued: true });
  });

  test("carry the time of the message that they stand before", () => {
    expect(toRows([message(1, NOON)], "UTC", null)[0]).toMatchObject({ kind: "day", at: NOON });
  });
});

describe("messages of one author", () => {
  test("are grouped when less than five minutes lie between them", () => {
    expect(groupedAfter(5 * MINUTE - 1)).toBe(true);
    expect(groupedAfter(0)).toBe(true);
  });

  test("are not grouped at exactly five minutes", () => {
    expect(groupedAfter(5 * MINUTE)).toBe(false);
  });

  test("stay one group for as long as no pause is too long", () => {
    const messages = [0, 4, 8, 12].map((minutes, i) => message(i + 1, NOON + minutes * MINUTE));
    expect(groupedOf(messages)).toEqual([false, true, true, true]);
  });

  test("are parted by what another author says", () => {
    const [ann, again] = [message(1, NOON), message(3, NOON + 2)];
    expect(groupedOf([ann, again])).toEqual([false, true]);
    expect(groupedOf([ann, { ...message(2, NOON + 1), author: "bob" }, again])).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("are parted by a message that was removed, whose row bears no name", () => {
    const [first, second, third] = [message(1, NOON), message(2, NOON + 1), message(3, NOON + 2)];
    expect(groupedOf([first, second, third])).toEqual([false, true, true]);
    expect(groupedOf([first, { ...second, deletedAt: NOON }, third])).toEqual([false, false, false]);
    expect(groupedOf([{ ...first, deletedAt: NOON }, second, third])).toEqual([false, false, true]);
    expect(groupedOf([first, second, { ...third, deletedAt: null }])).toEqual([false, true, true]);
  });

  test("are parted by midnight", () => {
    const beforeMidnight = Date.UTC(2026, 10, 22, 23, 59);
    const messages = [message(1, beforeMidnight), message(2, beforeMidnight + 2 * MINUTE)];
    expect(groupedOf(messages, "Asia/Tokyo")).toEqual([false, true]);
    expect(groupedOf(messages, "UTC")).toEqual([false, false]);
  });
});

test("every message has its row, in the order given, whatever the clocks said", () => {
  const times = fc.array(fc.integer({ min: 0, max: NOON * 2 }));
  fc.assert(
    fc.property(times, fc.constantFrom("UTC", "Asia/Kathmandu", "America/St_Johns"), (all, zone) => {
      const messages = all.map((at, i) => message(i + 1, at));
      const rows = toRows(messages, zone, null);
      expect(rows.flatMap((row) => (row.kind === "message" ? [row.message] : []))).toEqual(messages);
      expect(rows[0]?.kind).toBe(messages.length > 0 ? "day" : undefined);
    }),
  );
});

function groupedAfter(pause: number): boolean | undefined {
  return groupedOf([message(1, NOON), message(2, NOON + pause)])[1];
}

function groupedOf(messages: MessageView[], zone = "UTC"): boolean[] {
  return toRows(messages, zone, null).flatMap((row) => (row.kind === "message" ? [row.grouped] : []));
}

function daysOf(messages: MessageView[], zone: string): string[] {
  return toRows(messages, zone, null).flatMap((row) => (row.kind === "day" ? [row.day] : []));
}

function nameOf(row: ReturnType<typeof toRows>[number]): string | number {
  return row.kind === "day" ? row.day : row.message.id;
}

function message(id: number, createdAt: number): MessageView {
  return { id, seq: id, rev: id, author: "ann", avatar: null, text: "hello", createdAt };
}
