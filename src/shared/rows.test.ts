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

describe("the unread line", () => {
  const four = [1, 2, 3, 4].map((id) => ({ ...message(id, NOON + id), author: id === 2 ? "bob" : "ann" }));
  const rowsAfter = (after: number, reader: string | null = null, messages = four) =>
    toRows(messages, "UTC", null, { after, reader });

  test("stands before the first message after the last one read", () => {
    expect(rowsAfter(2).map(nameOf)).toEqual(["2026-11-22", 1, 2, "unread", 3, 4]);
    expect(rowsAfter(0).map(nameOf)).toEqual(["2026-11-22", "unread", 1, 2, 3, 4]);
  });

  test("is not there when everything is read, or nothing is known of it", () => {
    expect(rowsAfter(4).map(nameOf)).not.toContain("unread");
    expect(toRows(four, "UTC", null).map(nameOf)).not.toContain("unread");
  });

  test("leaves out what its reader has written, and what was removed", () => {
    expect(rowsAfter(1, "bob").map(nameOf)).toEqual(["2026-11-22", 1, 2, "unread", 3, 4]);
    expect(rowsAfter(0, "ann").map(nameOf)).toEqual(["2026-11-22", 1, "unread", 2, 3, 4]);
    const removed = four.map((one) => (one.id === 3 ? { ...one, deletedAt: NOON } : one));
    expect(rowsAfter(2, null, removed).map(nameOf)).toEqual(["2026-11-22", 1, 2, 3, "unread", 4]);
    expect(rowsAfter(2, "ann").map(nameOf)).not.toContain("unread");
  });

  test("parts messages of one author", () => {
    const grouped = (rows: ReturnType<typeof toRows>) =>
      rows.flatMap((row) => (row.kind === "message" ? [row.grouped] : []));
    expect(grouped(rowsAfter(9))).toEqual([false, false, false, true]);
    expect(grouped(rowsAfter(3))).toEqual([false, false, false, false]);
  });

  test("stands below the day that begins with it", () => {
    const tomorrow = { ...message(5, NOON + 1440 * MINUTE), author: "bob" };
    expect(
      rowsAfter(4, null, [...four, tomorrow])
        .map(nameOf)
        .slice(-3),
    ).toEqual(["2026-11-23", "unread", 5]);
  });

  test("says whether what is unread began before this stretch of messages", () => {
    const lineOf = (previousAt: number | null, after: number) =>
      toRows(four, "UTC", previousAt, { after, reader: null }).find(({ kind }) => kind === "unread");
    expect(lineOf(NOON, 0)).toMatchObject({ continued: true });
    expect(lineOf(null, 0)).toMatchObject({ continued: false });
    expect(lineOf(NOON, 1)).toMatchObject({ continued: false });
  });

  test("is not drawn by what is only on its way", () => {
    const pending = { ...message(0, NOON + 9), seq: 0 };
    expect(rowsAfter(4, "ann", [...four, pending]).map(nameOf)).not.toContain("unread");
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
  switch (row.kind) {
    case "day":
      return row.day;
    case "unread":
      return "unread";
    case "message":
      return row.message.id;
  }
}

function message(id: number, createdAt: number): MessageView {
  return { id, seq: id, rev: id, author: "ann", avatar: null, text: "hello", createdAt };
}
