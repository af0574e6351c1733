/** I6 to I10, and what a fault looks at by itself: what people may count on besides. */
import type { Entry } from "../log.ts";
import { nameOf, of, sentByKey, sightings, type Found, type Run } from "./findings.ts";

export function headIsReached({ entries, terms }: Run): Found[] {
  const late = of(entries, "waited").filter(({ took }) => took === null || took > terms.patience);
  return [
    ...late.map((evidence) => {
      const { who, head, room, took } = evidence;
      const when = took === null ? "never" : `after ${took} ms`;
      return { sentence: `${who} reached ${head} of ${room} ${when}`, evidence };
    }),
    // No fault of these restores a backup or takes longer than the server remembers.
    ...of(entries, "reset").map((evidence) => ({
      sentence: `${evidence.who} had to load ${evidence.room} anew: ${evidence.reason}`,
      evidence,
    })),
  ];
}

export function memoryIsBounded({ entries, terms }: Run): Found[] {
  const most = Math.max(0, ...of(entries, "memory").map(({ bytes }) => bytes));
  return most > terms.memoryMax ? [{ sentence: `the server took ${most} bytes`, evidence: terms }] : [];
}

export function sendsAreSettled({ entries, stored }: Run): Found[] {
  const answers = new Map<string, number>();
  const acked = new Set<string>();
  for (const entry of entries) {
    if (entry.type !== "acked" && entry.type !== "refused") continue;
    const name = nameOf(entry.who, entry.key);
    answers.set(name, (answers.get(name) ?? 0) + 1);
    if (entry.type === "acked") acked.add(name);
  }
  const rows = new Set(stored.messages.map((row) => nameOf(row.author, row.key)));
  const unsettled = of(entries, "unsettled").map((evidence) => ({
    sentence: `${evidence.who} never learned what became of ${evidence.keys.length} messages`,
    evidence,
  }));
  const lied = [...sentByKey(entries)].filter(
    ([name, attempts]) => !acked.has(name) && rows.has(name) && (answers.get(name) ?? 0) >= attempts.length,
  );
  return [
    ...unsettled,
    ...lied.map(([name, evidence]) => ({
      sentence: `${name} was refused and is stored`,
      evidence,
    })),
  ];
}

export function goneHearNothing({ entries, stored }: Run): Found[] {
  const found: Found[] = [];
  for (const { who, heads, lastLine } of of(entries, "shut")) {
    const reaches = (line: number) => lastLine === null || line <= lastLine;
    for (const [room, head] of heads) {
      for (const evidence of entries) {
        if (!("line" in evidence) || evidence.who !== who || !reaches(evidence.line)) continue;
        const highest =
          evidence.type === "got" ? evidence.to : evidence.type === "shown" ? evidence.message.seq : 0;
        if (highest > head && "room" in evidence && evidence.room === room)
          found.push({
            sentence: `${who} was shown ${highest} of ${room}, closed to them at ${head}`,
            evidence,
          });
      }
      const written = lastLine === null ? stored.messages : [];
      for (const evidence of written)
        if (evidence.room === room && evidence.author === who && evidence.seq > head)
          found.push({ sentence: `${who} wrote in ${room}, closed to them at ${head}`, evidence });
    }
  }
  return [...found, ...afterRemoval(entries)];
}

/** Whoever was told that nothing comes any more gets nothing more, on that socket, unless they ask and are let in. */
function afterRemoval(entries: readonly Entry[]): Found[] {
  const closed = new Set<string>();
  return entries.flatMap((evidence) => {
    if (evidence.type !== "removed" && evidence.type !== "asked" && evidence.type !== "got") return [];
    const name = `${evidence.line} ${evidence.room}`;
    if (evidence.type === "removed") closed.add(name);
    if (evidence.type === "asked") closed.delete(name);
    if (evidence.type !== "got" || !closed.has(name)) return [];
    return [{ sentence: `${evidence.who} was shown ${evidence.room} after its end`, evidence }];
  });
}

export function sendersKeepTheirOrder({ entries, stored }: Run): Found[] {
  const places = new Map(stored.messages.map((row) => [nameOf(row.author, row.key), row]));
  const shown = new Map(
    sightings(entries, stored).map(({ message }) => [nameOf(message.author, message.text), message]),
  );
  const last = new Map<string, number>();
  const known = new Set<string>();
  return of(entries, "sent").flatMap((evidence) => {
    const { who, door, line, room, key, change } = evidence;
    const name = nameOf(who, key ?? "");
    if (change.kind !== "post" || (key !== null && known.has(name))) return [];
    known.add(name);
    const place = (key === null ? shown.get(nameOf(who, change.text)) : places.get(name))?.seq;
    if (place === undefined) return [];
    // Without an answer nobody knows when to send the next, so only one socket has an order.
    const lane = `${who} ${door} ${room} ${key === null ? line : ""}`;
    const before = last.get(lane) ?? 0;
    last.set(lane, Math.max(before, place));
    return place > before ? [] : [{ sentence: `${who} wrote ${place} of ${room} after ${before}`, evidence }];
  });
}

export function claimsHold({ entries }: Run): Found[] {
  return of(entries, "claim")
    .filter(({ holds }) => !holds)
    .map((evidence) => ({ sentence: `it is not so that ${evidence.sentence}`, evidence }));
}
