import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Changes, MessageView } from "./protocol.ts";
import { apply, type Timeline } from "./timeline.ts";

type Stretch = Omit<Changes, "room">;

/** What happened in a room, change by change: a new message, or an edit or the removal of one that was there. */
type Happening = { kind: "new" } | { kind: "edit" | "remove"; which: number };

const happenings = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.constant<Happening>({ kind: "new" }) },
    { weight: 1, arbitrary: fc.nat(1000).map((which): Happening => ({ kind: "edit", which })) },
    { weight: 1, arbitrary: fc.nat(1000).map((which): Happening => ({ kind: "remove", which })) },
  ),
  { minLength: 1, maxLength: 60 },
);

describe("a contiguous history", () => {
  test("comes to the same in one piece or in any pieces, repeated and overlapping at will", () => {
    const pieces = fc.array(
      fc.record({ step: fc.nat(5), back: fc.nat(8), jump: fc.integer({ min: 1, max: 9 }) }),
    );
    fc.assert(
      fc.property(happenings, fc.nat(60), fc.nat(10), pieces, (happened, start, window, cuts) => {
        const room = roomOf(happened);
        const opened = page(room, Math.min(start, room.head), window);
        const whole = apply(opened, stretch(room, opened.rev, room.head));
        expect(whole.gap).toBe(false);

        let timeline = opened;
        for (const { step, back, jump } of cuts) {
          const held = timeline.rev;
          const to = Math.min(held + step, room.head);
          timeline = applied(timeline, stretch(room, Math.max(0, held - back), to));
          expect(timeline.rev).toBe(to);
          // Whatever was delivered before may come again, and what comes too early changes nothing.
          timeline = applied(timeline, stretch(room, Math.max(0, to - back - step), to));
          const early = apply(timeline, { from: to + jump, to: to + jump + 1, changes: [] });
          expect(early).toEqual({ timeline, gap: true });
        }
        timeline = applied(timeline, stretch(room, timeline.rev, room.head));

        expect(timeline).toEqual(whole.timeline);
        const first = opened.messages[0]?.seq ?? opened.rev + 1;
        expect(timeline).toEqual({
          rev: room.head,
          messages: stateAt(room, room.head).filter(({ seq }) => seq >= first),
        });
      }),
      { numRuns: 300 },
    );
  });

  test("comes to the same page by page, however the pages are cut", () => {
    fc.assert(
      fc.property(
        happenings,
        fc.nat(60),
        fc.nat(10),
        fc.integer({ min: 1, max: 7 }),
        (happened, start, window, size) => {
          const room = roomOf(happened);
          const opened = page(room, Math.min(start, room.head), window);
          const whole = applied(opened, stretch(room, opened.rev, room.head));

          const missed = stretch(room, opened.rev, room.head).changes;
          let timeline = opened;
          for (let at = 0; timeline.rev < room.head; at += size) {
            const changes = missed.slice(at, at + size);
            const to = at + size < missed.length ? (changes.at(-1)?.rev ?? 0) : room.head;
            timeline = apply(timeline, { from: timeline.rev, to, changes }, opened.rev).timeline;
          }
          expect(timeline).toEqual(whole);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("is kept in order, each message once", () => {
    fc.assert(
      fc.property(happenings, (happened) => {
        const room = roomOf(happened);
        const { messages } = applied({ rev: 0, messages: [] }, stretch(room, 0, room.head));
        const places = messages.map(({ seq }) => seq);
        expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b));
      }),
    );
  });
});

describe("one stretch of changes", () => {
  const held: Timeline = { rev: 3, messages: [message(1, 1), message(2, 2), message(3, 3)] };

  test("with a gap in front is reported and not applied", () => {
    const next = { from: 3, to: 4, changes: [message(4, 4)] };
    expect(apply(held, next).gap).toBe(false);
    const { timeline, gap } = apply(held, { from: 4, to: 5, changes: [message(5, 5)] });
    expect(gap).toBe(true);
    expect(timeline).toBe(held);
  });

  test("that is already held changes nothing, and says so by giving back the same timeline", () => {
    expect(apply(held, { from: 2, to: 3, changes: [message(3, 3)] })).toEqual({ timeline: held, gap: false });
    expect(apply(held, { from: 2, to: 3, changes: [message(3, 3)] }).timeline).toBe(held);
  });

  test("with an edit replaces the message in its place", () => {
    const edited = message(2, 4, "edited");
    const { messages } = applied(held, { from: 3, to: 4, changes: [edited] });
    expect(messages).toEqual([message(1, 1), edited, message(3, 3)]);
  });

  test("with an edit of a message older than the first leaves that to history", () => {
    const short: Timeline = { rev: 3, messages: [message(3, 3)] };
    expect(applied(short, { from: 3, to: 4, changes: [message(1, 4, "edited")] })).toEqual({
      ...short,
      rev: 4,
    });
  });

  test("with new messages in the order of their edits puts them in the order of their places", () => {
    const changes = [message(5, 5), message(4, 6, "edited")];
    expect(applied(held, { from: 3, to: 6, changes }).messages.map(({ seq }) => seq)).toEqual([
      1, 2, 3, 4, 5,
    ]);
  });

  test("does not bring back the older state of a message that it repeats", () => {
    const edited = applied(held, { from: 3, to: 4, changes: [message(3, 4, "edited")] });
    const after = applied(edited, { from: 2, to: 5, changes: [message(3, 3), message(5, 5)] });
    expect(after.messages.map(({ text }) => text)).toEqual(["text 1", "text 2", "edited", "text 5"]);
  });

  test("that left no message behind brings the number forward all the same", () => {
    expect(applied(held, { from: 3, to: 5, changes: [] })).toEqual({ ...held, rev: 5 });
  });

  test("with a removal puts an empty place where the message was", () => {
    const { messages } = applied(held, { from: 3, to: 4, changes: [tombstone(2, 4)] });
    expect(messages).toEqual([message(1, 1), tombstone(2, 4), message(3, 3)]);
  });

  test("with the removal of a message older than the first leaves that to history", () => {
    const short: Timeline = { rev: 3, messages: [message(3, 3)] };
    const after = applied(short, { from: 3, to: 5, changes: [tombstone(1, 4), tombstone(2, 5)] });
    expect(after).toEqual({ ...short, rev: 5 });
  });

  test("with a message that was written and removed while one was away holds its place", () => {
    const { messages } = applied(held, { from: 3, to: 6, changes: [message(5, 5), tombstone(4, 6)] });
    expect(messages.slice(3)).toEqual([tombstone(4, 6), message(5, 5)]);
  });

  test("does not bring back a message that was removed", () => {
    const gone = applied(held, { from: 3, to: 4, changes: [tombstone(3, 4)] });
    for (const late of [
      { from: 2, to: 3, changes: [message(3, 3)] },
      { from: 2, to: 5, changes: [message(3, 3), message(5, 5)] },
    ]) {
      const { messages } = applied(gone, late);
      expect(messages[2]).toEqual(tombstone(3, 4));
    }
  });

  test("leaves the timeline that it was applied to as it was", () => {
    const before = structuredClone(held);
    applied(held, { from: 3, to: 5, changes: [message(1, 4, "edited"), message(5, 5)] });
    expect(held).toEqual(before);
  });
});

function applied(timeline: Timeline, changes: Stretch): Timeline {
  const result = apply(timeline, changes);
  expect(result.gap).toBe(false);
  return result.timeline;
}

interface Room {
  head: number;
  /** The message that each change left behind, by the number of the change. */
  changes: MessageView[];
}

function roomOf(happened: Happening[]): Room {
  const changes: MessageView[] = [];
  const places: number[] = [];
  for (const [i, happening] of happened.entries()) {
    const rev = i + 1;
    const changed = happening.kind === "new" ? undefined : places[happening.which % places.length];
    if (changed === undefined) places.push(rev);
    const isRemoved = changed !== undefined && happening.kind === "remove";
    changes.push(isRemoved ? tombstone(changed, rev) : message(changed ?? rev, rev, `text ${rev}`));
  }
  return { head: happened.length, changes };
}

/** The room's messages after a number of changes. */
function stateAt({ changes }: Room, rev: number): MessageView[] {
  const bySeq = new Map(changes.slice(0, rev).map((change) => [change.seq, change]));
  return [...bySeq.values()].toSorted((a, b) => a.seq - b.seq);
}

function page(room: Room, rev: number, limit: number): Timeline {
  const messages = stateAt(room, rev);
  return { rev, messages: messages.slice(Math.max(0, messages.length - Math.max(1, limit))) };
}

/** What the server sends for the numbers after `from` up to `to`: the state of the rows, in the order of their change. */
function stretch(room: Room, from: number, to: number): Stretch {
  const changes = stateAt(room, to).filter(({ rev }) => rev > from);
  return { from, to, changes: changes.toSorted((a, b) => a.rev - b.rev) };
}

function tombstone(seq: number, rev: number): MessageView {
  return { ...message(seq, rev, ""), deletedAt: rev };
}

function message(seq: number, rev: number, text = `text ${seq}`): MessageView {
  return { id: seq, seq, rev, author: "ann", avatar: null, text, createdAt: seq };
}
