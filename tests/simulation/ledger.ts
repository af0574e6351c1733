/** What was said, answered and delivered in a run; and whether that is what is promised. */
import type { MessageView } from "../../src/shared/protocol.ts";
import type { Hall, Tables } from "./database.ts";
import type { Page, Place } from "./page.ts";

export const PROMISES = {
  I1: "every message that was acknowledged is at its number",
  I2: "nothing is delivered that nobody has sent",
  I3: "what was said once is stored at most once",
  I4: "the numbers of a room are 1 to its head, and nobody's stream of them has a gap",
  I5: "everybody sees the same at a number",
  I6: "everybody reaches the head when the trouble is over",
  I7: "what the server remembers of its sockets is gone with them",
  I8: "every message that was sent is settled",
  I9: "nothing comes to whoever has lost the room or the session",
  I10: "what somebody says keeps its order",
  I11: "no acknowledgement comes before its message",
  I12: "nobody asks or connects again when nothing is wrong",
  I13: "nothing fails that was not made to fail",
} as const;

export type Promised = keyof typeof PROMISES;

export interface Ledger {
  trace(line: () => string): void;
  broke(promise: Promised, how: string): void;
  /** Each promise that was broken, with how; no more than a few of each. */
  broken(): readonly string[];
  said(page: Page, room: string, key: string, text: string): void;
  reworded(text: string): void;
  refused(page: Page, key: string, code: string): void;
  acknowledged(page: Page | string, epoch: string, room: string, at: Placed): void;
  edited(epoch: string, room: string, rev: number, left: { id: number; text: string | null }): void;
  drawn(page: Page, room: string, epoch: string, messages: readonly MessageView[]): void;
  delivered(page: Page, room: string, epoch: string, message: MessageView): void;
  /** Numbers were missing in front of what came; where no frame is lost, that cannot be. */
  gap(page: Page, room: string, held: number, from: number): void;
  overtaken(page: Page, room: string, key: string): void;
  /** Compares everything with what is stored, by the name of each history. */
  audit(histories: ReadonlyMap<string, Tables>): void;
  /** Compares what a page shows with what is stored. */
  compare(page: Page, room: string, place: Place, tables: Tables): void;
}

interface Placed {
  key: string;
  id: number;
  seq: number;
}

const SHOWN_OF_EACH = 3;

export function createLedger(
  isLossy: boolean,
  trace: ((line: string) => void) | null,
  now: () => number,
): Ledger {
  const broken = new Map<Promised, string[]>();
  /** Of each page and room: the keys in the order of saying. */
  const order = new Map<string, string[]>();
  const texts = new Set<string>();
  const unsettled = new Set<string>();
  const acks: (Placed & { epoch: string; room: string; whose: string })[] = [];
  const edits: { epoch: string; room: string; rev: number; id: number; text: string | null }[] = [];
  const seen: { epoch: string; room: string; whose: string; message: MessageView }[] = [];

  function broke(promise: Promised, how: string): void {
    const known = broken.get(promise) ?? [];
    if (known.length < SHOWN_OF_EACH) broken.set(promise, [...known, how]);
    line(() => `BROKEN ${promise} (${PROMISES[promise]}): ${how}`);
  }

  function line(text: () => string): void {
    trace?.(`${(now() / 1000).toFixed(3).padStart(8)} ${text()}`);
  }

  /** One history by itself: its numbers, what was said in it, and in which order. */
  function auditHall(hall: Hall): void {
    const places = new Map<string, number>();
    const first = new Set<string>();
    for (const [i, { rev, seq, id, key = "", text }] of hall.journal.entries()) {
      if (rev !== i + 1 || seq > rev) broke("I4", `change ${i + 1} of ${hall.slug} has the number ${rev}`);
      if (text !== "" && !texts.has(text)) broke("I2", `"${text}" is stored, and nobody has said it`);
      if (seq !== rev) continue;
      if (places.has(key)) broke("I3", `${key} is stored twice, at ${places.get(key)} and ${seq}`);
      if (first.has(text)) broke("I3", `"${text}" is stored twice, the second time as ${id} at ${seq}`);
      places.set(key, seq);
      first.add(text);
    }
    for (const [whose, keys] of order) {
      const given = keys.flatMap((key) => (unsettled.has(key) ? [] : (places.get(key) ?? [])));
      const wrong = given.findIndex((seq, i) => seq < (given[i - 1] ?? 0));
      if (wrong >= 0)
        broke("I10", `${whose} said the message at ${given[wrong]} after that at ${given[wrong - 1]}`);
    }
  }

  return {
    trace: line,
    broke,
    broken: () => [...broken].flatMap(([promise, all]) => all.map((how) => `${promise}: ${how}`)),

    said(page, room, key, text) {
      line(() => `${page.name} says "${text}" in ${room} as ${key}`);
      const whose = `${page.name} in ${room}`;
      order.set(whose, [...(order.get(whose) ?? []), key]);
      texts.add(text);
    },

    reworded: (text) => void texts.add(text),

    // Out of the order of the others: it may be tried again, or arrive by another way, when they have long gone.
    refused(page, key, code) {
      line(() => `${page.name} is refused ${key}: ${code}`);
      unsettled.add(key);
    },

    acknowledged(page, epoch, room, { key, id, seq }) {
      acks.push({ epoch, room, key, id, seq, whose: typeof page === "string" ? page : page.name });
    },

    edited: (epoch, room, rev, { id, text }) => void edits.push({ epoch, room, rev, id, text }),

    drawn(page, room, epoch, messages) {
      line(() => `${page.name} is drawn with ${messages.length} messages of ${room}`);
      for (const message of messages) seen.push({ epoch, room, whose: page.name, message });
    },

    delivered: (page, room, epoch, message) => void seen.push({ epoch, room, whose: page.name, message }),

    gap(page, room, held, from) {
      line(() => `${page.name} misses what is between ${held} and ${from} of ${room}`);
      if (!isLossy) broke("I4", `${page.name} held ${held} of ${room}, and what came began after ${from}`);
    },

    overtaken(page, room, key) {
      if (!isLossy)
        broke("I11", `${page.name} had the acknowledgement of ${key} in ${room}, not the message`);
    },

    audit(histories) {
      for (const { rooms } of histories.values()) for (const hall of rooms.values()) auditHall(hall);
      for (const { epoch, room, key, id, seq, whose } of acks) {
        const stored = hallOf(histories.get(epoch), room)?.journal[seq - 1];
        if (stored?.id !== id || stored.key !== key)
          broke("I1", `${key} of ${whose} was acknowledged at ${seq}, where there is ${stored?.key}`);
      }
      for (const { epoch, room, rev, id, text } of edits) {
        const stored = hallOf(histories.get(epoch), room)?.journal[rev - 1];
        if (stored?.id !== id || stored.text !== (text ?? ""))
          broke("I1", `the change of ${id} was acknowledged at ${rev}, where there is "${stored?.text}"`);
      }
      for (const { epoch, room, whose, message } of seen) {
        const stored = hallOf(histories.get(epoch), room)?.journal[message.rev - 1];
        if (!stored || !isSame(stored, message))
          broke(
            "I5",
            `${whose} was given "${message.text}" at ${message.rev}, where there is "${stored?.text}"`,
          );
      }
    },

    compare(page, room, { follower: { timeline }, outbox }, tables) {
      const hall = hallOf(tables, room);
      const head = hall?.journal.length ?? 0;
      if (timeline.rev !== head)
        broke("I6", `${page.name} stays at ${timeline.rev} of ${room}, whose head is ${head}`);
      const waiting = outbox.find(({ refusal }) => refusal === null);
      if (waiting) broke("I8", `${waiting.key} of ${page.name} is neither stored nor refused`);
      if (timeline.rev !== head) return;
      const [first] = timeline.messages;
      const stored = [...tables.rows.values()].filter((row) => row.room === hall?.id).map(({ view }) => view);
      const wanted = stored.filter(({ seq }) => first && seq >= first.seq);
      const at = wanted.findIndex((view, i) => {
        const shown = timeline.messages[i];
        return !shown || !isSame(view, shown);
      });
      if (at >= 0 || wanted.length !== timeline.messages.length)
        broke("I5", `${page.name} shows another ${room} than there is, from place ${wanted[at]?.seq} on`);
    },
  };
}

function hallOf(tables: Tables | undefined, slug: string): Hall | undefined {
  for (const hall of tables?.rooms.values() ?? []) if (hall.slug === slug) return hall;
  return undefined;
}

function isSame(one: MessageView, other: MessageView): boolean {
  return (
    one.id === other.id &&
    one.seq === other.seq &&
    one.rev === other.rev &&
    one.text === other.text &&
    (one.deletedAt ?? null) === (other.deletedAt ?? null)
  );
}
