/** What the server sent on each socket, frame by frame: whether one stretch of numbers followed the other. */
import type { Entry, Seen } from "../log.ts";
import type { Found } from "./findings.ts";

/** How far the server has come with one room on one socket. */
interface Stream {
  /** What was asked for, and how far the answer has come; null when it is complete. */
  answered: number | null;
  /** How far live changes have come; null before the room is followed. */
  live: number | null;
}

/** The frames of a room have to follow each other from the number that hello or resume has named. */
export function gaps(entries: readonly Entry[]): Found[] {
  const streams = new Map<string, Stream>();
  const found: Found[] = [];

  for (const entry of entries) {
    if (!("line" in entry && "room" in entry)) continue;
    const key = `${entry.line} ${entry.room}`;
    const stream = streams.get(key) ?? { answered: null, live: null };
    streams.set(key, stream);
    const complain = (sentence: string) => found.push({ sentence, evidence: entry });
    switch (entry.type) {
      case "asked":
        stream.answered = entry.rev;
        break;
      case "got":
        if (!receive(stream, entry))
          complain(`${entry.who} was sent numbers after a gap: ${position(stream)}`);
        break;
      case "caught-up":
        if (stream.answered === null || entry.rev > stream.answered)
          complain(`${entry.who} is said to hold ${entry.rev}: ${position(stream)}`);
        stream.live = Math.max(stream.live ?? 0, entry.rev);
        stream.answered = null;
        break;
      case "reset":
      case "removed":
        streams.delete(key);
        break;
      case "sent":
      case "shown":
    }
  }
  return found;
}

/** Stretches may overlap: a client drops what it has. False when something is missing in front. */
function receive(stream: Stream, { from, to }: { from: number; to: number }): boolean {
  const answers = stream.answered !== null && from <= stream.answered;
  const follows = stream.live !== null && from <= stream.live;
  if (answers) stream.answered = Math.max(stream.answered ?? 0, to);
  // After a gap it goes on from here, so that one gap is one fault.
  if (follows || (!answers && stream.live !== null)) stream.live = Math.max(stream.live ?? 0, to);
  return answers || follows;
}

function position({ answered, live }: Stream): string {
  return `live to ${live ?? "nothing"}, answered to ${answered ?? "nothing"}`;
}

/** A frame holds every change of its stretch that no later one has replaced, in order, and no other. */
export function holes(entries: readonly Entry[], rowsOf: (room: string) => readonly Seen[]): Found[] {
  const found: Found[] = [];
  for (const entry of entries) {
    if (entry.type !== "got") continue;
    const { who, room, from, to, changes } = entry;
    const revs = changes.map(({ rev }) => rev);
    const isOrdered = revs.every((rev, i) => rev > (revs[i - 1] ?? from) && rev <= to);
    if (!isOrdered) found.push({ sentence: `${who} was sent changes out of order`, evidence: entry });
    const missing = between(rowsOf(room), from, to).filter(({ rev }) => !revs.includes(rev));
    for (const { rev } of missing)
      found.push({ sentence: `${who} was sent ${from} to ${to} without ${rev}`, evidence: entry });
  }
  return found;
}

/** `rows` ascend by `rev`. */
function between(rows: readonly Seen[], from: number, to: number): readonly Seen[] {
  return rows.slice(firstAfter(rows, from), firstAfter(rows, to));
}

function firstAfter(rows: readonly Seen[], rev: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as Seen).rev > rev) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** On a socket of the original protocol, which has no answers to ask for: from the first message shown on, all and in order. */
export function skips(entries: readonly Entry[], rowsOf: (room: string) => readonly Seen[]): Found[] {
  const found: Found[] = [];
  const last = new Map<number, number>();
  for (const entry of entries) {
    if (entry.type !== "shown") continue;
    const { who, line, room, message } = entry;
    const before = last.get(line);
    last.set(line, message.seq);
    if (before === undefined) continue;
    if (message.seq <= before)
      found.push({ sentence: `${who} was shown ${message.seq} after ${before}`, evidence: entry });
    // What was removed before another node came to tell it is not shown any more.
    const missing = rowsOf(room).filter(({ seq, deleted }) => seq > before && seq < message.seq && !deleted);
    if (missing.length > 0)
      found.push({
        sentence: `${who} was shown ${message.seq} straight after ${before}`,
        evidence: missing,
      });
  }
  return found;
}
