import { describe, expect, test } from "bun:test";
import { check, type Invariant } from "./checker.ts";
import type { Run, View } from "./findings.ts";
import type { Change, Entry, Seen } from "../log.ts";
import type { Row } from "./stored.ts";

/** Two messages of ann's, the first edited, as bob was sent them on line 2. */
const first: Row = row({ id: 10, seq: 1, rev: 3, text: "better", key: "key-1" });
const second: Row = row({ id: 11, seq: 2, rev: 2, text: "two", key: "key-2" });
const good: Entry[] = [
  asked("bob", 0),
  { type: "caught-up", who: "bob", line: 2, room: "public", rev: 0 },
  sent("key-1", { kind: "post", text: "one" }),
  acked("key-1", 10, 1, 1),
  sent("key-2", { kind: "post", text: "two" }),
  acked("key-2", 11, 2, 2),
  sent("key-3", { kind: "edit", id: 10, text: "better" }),
  acked("key-3", 10, 1, 3),
  got("bob", 0, 1, [{ ...first, rev: 1, text: "one" }]),
  got("bob", 1, 2, [second]),
  got("bob", 2, 3, [first]),
  { type: "waited", who: "bob", room: "public", head: 3, took: 5 },
  { type: "memory", bytes: 1_000 },
  { type: "claim", holds: true, sentence: "all is well" },
];
const bobsView: View = { who: "bob", room: "public", messages: [first, second].map(withoutKey) };

/** What is found when the log, the database or somebody's view is another. */
function found(
  change: {
    entries?: Entry[];
    rows?: Row[];
    head?: number;
    views?: View[];
    terms?: Partial<Run["terms"]>;
  } = {},
): Invariant[] {
  const { entries = good, rows = [first, second], head = 3, views = [bobsView], terms = {} } = change;
  const stored = { heads: new Map([["public", head]]), messages: rows };
  const all = { patience: 1_000, memoryMax: 10_000, isLossy: false, ...terms };
  return [...new Set(check({ entries, stored, views, terms: all }).map(({ invariant }) => invariant))];
}

const plus = (...more: Entry[]) => [...good, ...more];
const without = (unwanted: Entry | undefined) => good.filter((entry) => entry !== unwanted);

test("a run in which all went well has no violations", () => {
  expect(found()).toEqual([]);
});

describe("it is noticed when", () => {
  const lost = sent("key-9", { kind: "post", text: "lost" });

  test("what was acknowledged is not stored (I1)", () => {
    expect(found({ entries: plus(lost) })).toEqual([]);
    expect(found({ entries: plus(lost, acked("key-9", 12, 4, 4)) })).toContain("I1");
  });

  test("what was acknowledged is stored in another place, or with another text (I1)", () => {
    expect(found({ entries: plus(acked("key-2", 11, 3, 3)) })).toContain("I1");
    const other = sent("key-3", { kind: "edit", id: 10, text: "best" });
    expect(found({ entries: plus(other, acked("key-3", 10, 1, 3)) })).toContain("I1");
  });

  test("a removal that was acknowledged has not happened (I1)", () => {
    const removal = sent("key-4", { kind: "remove", id: 11 });
    expect(found({ entries: plus(removal) })).toEqual([]);
    expect(found({ entries: plus(removal, acked("key-4", 11, 2, 2)) })).toContain("I1");
  });

  test("somebody is shown what nobody has sent (I2)", () => {
    const invented = { ...second, text: "invented" };
    expect(found({ entries: plus(got("bob", 1, 2, [invented])) })).toContain("I2");
    expect(found({ entries: plus(got("bob", 1, 2, [{ ...second, author: "bob" }])) })).toContain("I2");
  });

  test("one message is stored twice (I3)", () => {
    const twin = row({ id: 12, seq: 4, rev: 4, text: "two", key: "key-7" });
    const views = [{ ...bobsView, messages: [...bobsView.messages, withoutKey(twin)] }];
    expect(found({ rows: [first, second, twin], head: 4, views })).toEqual(["I3"]);
  });

  test("one key is new twice (I3)", () => {
    const again = acked("key-2", 11, 2, 2);
    expect(found({ entries: plus({ ...again, repeat: true }) })).toEqual([]);
    expect(found({ entries: plus(again) })).toEqual(["I3"]);
  });

  test("a room has a number without a change, or changes above its head (I4)", () => {
    expect(found({ head: 4 })).toEqual(["I4"]);
    expect(found({ head: 2 })).toEqual(["I4"]);
    // The answer to a change may have been lost, and the next one has replaced it.
    expect(found({ head: 4, entries: plus(sent("key-8", { kind: "edit", id: 10, text: "best" })) })).toEqual(
      [],
    );
  });

  test("a socket is sent what comes after a gap (I4)", () => {
    const gap = without(good[9]);
    expect(found({ entries: gap })).toEqual(["I4"]);
    expect(found({ entries: gap, terms: { isLossy: true } })).toEqual([]);
  });

  test("the answer to a resume leaves numbers out, at its beginning or at its end (I4)", () => {
    const resumed = [asked("bob", 1, 3), got("bob", 1, 2, [second], 3), caughtUp("bob", 2, 3)];
    expect(found({ entries: plus(...resumed) })).toEqual([]);
    expect(found({ entries: plus(asked("bob", 1, 3), got("bob", 2, 3, [first], 3)) })).toEqual(["I4"]);
    expect(found({ entries: plus(asked("bob", 1, 3), caughtUp("bob", 3, 3)) })).toEqual(["I4"]);
  });

  test("somebody with an original client is not shown all, or not in order (I4)", () => {
    const third = row({ id: 12, seq: 4, rev: 4, text: "four", key: "key-4" });
    const all = plus(sent("key-4", { kind: "post", text: "four" }), got("bob", 3, 4, [third]));
    const rest = { rows: [first, second, third], head: 4, views: [] };
    expect(found({ ...rest, entries: [...all, ...shown(first, second, third)] })).toEqual([]);
    expect(found({ ...rest, entries: [...all, ...shown(second, third)] })).toEqual([]);
    expect(found({ ...rest, entries: [...all, ...shown(first, third)] })).toEqual(["I4"]);
    expect(found({ ...rest, entries: [...all, ...shown(second, first)] })).toEqual(["I4"]);
  });

  test("a frame lacks a change of its stretch (I4)", () => {
    expect(found({ entries: plus(got("bob", 1, 3, [second])) })).toEqual(["I4"]);
    expect(found({ entries: plus(got("bob", 1, 3, [first, second])) })).toEqual(["I4"]);
  });

  test("two people are shown different things at a number (I5)", () => {
    const one = { ...second, id: 12 };
    expect(found({ entries: plus(got("bob", 1, 2, [one])) })).toContain("I5");
  });

  test("somebody was shown a message that is not stored (I5)", () => {
    const ghost = row({ id: 12, seq: 4, rev: 4, text: "lost", key: "key-9" });
    expect(found({ entries: plus(lost, got("bob", 3, 4, [ghost])) })).toContain("I5");
  });

  test("somebody with an original client is shown what this message never was (I5)", () => {
    expect(found({ entries: plus(...shown({ ...first, text: "one" })) })).toEqual([]);
    expect(found({ entries: plus(...shown({ ...first, text: "better" })) })).toEqual([]);
    for (const other of [{ text: "two" }, { id: 11 }, { seq: 2 }, { author: "bob" }])
      expect(found({ entries: plus(...shown({ ...first, ...other })) })).toContain("I5");
  });

  test("somebody's page lacks a message, has one more, or an older text (I5)", () => {
    for (const messages of [
      [second],
      [first, second, row({ id: 12, seq: 3, rev: 3, text: "two", key: "" })],
      [{ ...first, rev: 1, text: "one" }, second],
      [first, first, second],
    ])
      expect(found({ views: [{ ...bobsView, messages: messages.map(withoutKey) }] })).toEqual(["I5"]);
  });

  test("somebody never reaches the head, too late, or has to load the room anew (I6)", () => {
    for (const took of [null, 1_001])
      expect(found({ entries: plus({ type: "waited", who: "bob", room: "public", head: 3, took }) })).toEqual(
        ["I6"],
      );
    expect(
      found({
        entries: plus({ type: "reset", who: "bob", line: 2, room: "public", reason: "ahead" }),
      }),
    ).toEqual(["I6"]);
  });

  test("the server takes too much memory (I7)", () => {
    expect(found({ entries: plus({ type: "memory", bytes: 10_001 }) })).toEqual(["I7"]);
  });

  test("a message is never settled, or refused and stored all the same (I8)", () => {
    expect(found({ entries: plus({ type: "unsettled", who: "ann", keys: ["key-9"] }) })).toEqual(["I8"]);
    const refused: Entry = {
      type: "refused",
      who: "ann",
      key: "key-2",
      code: "muted",
      retryable: false,
    };
    expect(found({ entries: plus(refused) })).toEqual([]);
    expect(found({ entries: [...without(good[5]), refused] })).toEqual(["I8"]);
  });

  test("somebody is shown more of a room than there was when it was closed to them (I9)", () => {
    const shut = (head: number, lastLine: number | null): Entry => {
      return { type: "shut", who: "bob", heads: new Map([["public", head]]), lastLine };
    };
    expect(found({ entries: plus(shut(3, null)) })).toEqual([]);
    expect(found({ entries: plus(shut(2, null)) })).toEqual(["I9"]);
    expect(found({ entries: plus(shut(2, 2)) })).toEqual(["I9"]);
    expect(found({ entries: plus(shut(2, 1)) })).toEqual([]);
  });

  test("somebody writes in a room that is closed to them (I9)", () => {
    const shut = (head: number): Entry => {
      return { type: "shut", who: "ann", heads: new Map([["public", head]]), lastLine: null };
    };
    expect(found({ entries: plus(shut(2)) })).toEqual([]);
    expect(found({ entries: plus(shut(1)) })).toEqual(["I9"]);
  });

  test("a socket is sent a room after the word that it ends there (I9)", () => {
    const removed: Entry = {
      type: "removed",
      who: "bob",
      line: 2,
      room: "public",
      reason: "membership",
    };
    expect(found({ entries: plus(removed) })).toEqual([]);
    expect(found({ entries: plus(removed, got("bob", 2, 3, [first])) })).toContain("I9");
  });

  test("one sender's messages are stored in another order (I10)", () => {
    const [one, two] = [
      sent("key-2", { kind: "post", text: "two" }),
      sent("key-1", { kind: "post", text: "one" }),
    ];
    const swapped = good.map((entry) => (entry === good[2] ? one : entry === good[4] ? two : entry));
    expect(found({ entries: swapped })).toEqual(["I10"]);
    // A retry is no second message.
    expect(found({ entries: plus(sent("key-1", { kind: "post", text: "one" })) })).toEqual([]);
  });

  test("what a fault looked at by itself was not so", () => {
    expect(found({ entries: plus({ type: "claim", holds: false, sentence: "it stops in time" }) })).toEqual([
      "claim",
    ]);
  });
});

function row({ id, seq, rev, text, key }: Pick<Row, "id" | "seq" | "rev" | "text" | "key">): Row {
  return { room: "public", author: "ann", deleted: false, id, seq, rev, text, key };
}

function withoutKey({ id, seq, rev, author, text, deleted }: Row): Seen {
  return { id, seq, rev, author, text, deleted };
}

function shown(...rows: Row[]): Entry[] {
  return rows.map(({ id, seq, author, text, deleted }) => {
    const message = { id, seq, author, text, deleted };
    return { type: "shown", who: "otto", line: 5, room: "public", message };
  });
}

function sent(key: string, change: Change): Entry {
  return { type: "sent", who: "ann", line: 1, door: "socket", room: "public", key, change };
}

function acked(key: string, id: number, seq: number, rev: number): Entry & { type: "acked" } {
  return { type: "acked", who: "ann", key, place: { id, seq, rev }, repeat: false };
}

function asked(who: string, rev: number, line = 2): Entry {
  return { type: "asked", who, line, room: "public", rev };
}

function caughtUp(who: string, rev: number, line = 2): Entry {
  return { type: "caught-up", who, line, room: "public", rev };
}

function got(who: string, from: number, to: number, changes: Row[], line = 2): Entry {
  return { type: "got", who, line, room: "public", from, to, changes: changes.map(withoutKey) };
}
