/** I1 to I5: what is stored, what was acknowledged and what was delivered are the same. */
import type { Seen } from "../log.ts";
import { nameOf, numbered, of, sentByKey, sightings, type Found, type Run } from "./findings.ts";
import type { Row, Stored } from "./stored.ts";
import { gaps, holes, skips } from "./streams.ts";

export function acknowledgedAreStored({ entries, stored }: Run): Found[] {
  const byId = new Map(stored.messages.map((row) => [row.id, row]));
  const byKey = new Map(stored.messages.map((row) => [nameOf(row.author, row.key), row]));
  const sent = sentByKey(entries);
  return of(entries, "acked").flatMap((evidence) => {
    const { who, key, place } = evidence;
    const change = sent.get(nameOf(who, key))?.at(-1)?.change;
    const row = place ? byId.get(place.id) : byKey.get(nameOf(who, key));
    if (!row) return [{ sentence: `${who} was told that ${key} is stored, and it is not`, evidence }];
    if (!place || !change) return [];
    const isThere = row.seq === place.seq && row.rev >= place.rev;
    if (!isThere) return [{ sentence: `${who} was told another place of ${key} than it has`, evidence }];
    if (change.kind === "remove" && !row.deleted)
      return [{ sentence: `${who} was told that ${row.id} is removed, and it is not`, evidence }];
    const isAsSent =
      row.rev !== place.rev || row.deleted || change.kind === "remove" || row.text === change.text;
    return isAsSent ? [] : [{ sentence: `${who} was told that another text is stored`, evidence }];
  });
}

export function deliveredWereSent({ entries, stored }: Run): Found[] {
  const texts = new Set(
    of(entries, "sent").flatMap(({ who, room, change }) =>
      change.kind === "remove" ? [] : [`${room} ${nameOf(who, change.text)}`],
    ),
  );
  return sightings(entries, stored)
    .filter(
      ({ room, message }) =>
        !message.deleted && !texts.has(`${room} ${nameOf(message.author, message.text)}`),
    )
    .map(({ message, evidence }) => ({ sentence: `nobody has sent "${message.text}"`, evidence }));
}

export function keysAreOneMessage({ entries, stored }: Run): Found[] {
  const found: Found[] = [];
  const ids = new Map<string, number>();
  const same = (name: string, id: number, evidence: unknown) => {
    if ((ids.get(name) ?? id) !== id)
      found.push({ sentence: `${name} is both ${ids.get(name)} and ${id}`, evidence });
    ids.set(name, id);
  };
  // Each text of a run is another.
  for (const { message, evidence } of sightings(entries, stored))
    if (!message.deleted) same(`"${message.text}" of ${message.author}`, message.id, evidence);
  const first = new Set<string>();
  for (const evidence of of(entries, "acked")) {
    const name = `the key ${nameOf(evidence.who, evidence.key)}`;
    if (evidence.place) same(name, evidence.place.id, evidence);
    if (evidence.repeat === false && first.has(name))
      found.push({ sentence: `${name} was new twice`, evidence });
    if (evidence.repeat === false) first.add(name);
  }
  return found;
}

export function numbersAreContiguous(run: Run): Found[] {
  const { entries, stored, terms } = run;
  const rows = byRev(stored);
  return [
    ...[...stored.heads].flatMap(([room, head]) => numbersOf(run, room, head)),
    ...(terms.isLossy ? [] : [...gaps(entries), ...skips(entries, (room) => rows.get(room) ?? [])]),
    ...holes(entries, (room) => rows.get(room) ?? []),
  ];
}

/** A change that a later one has replaced is nowhere in the database; somebody was told of it, or nobody had an answer. */
function numbersOf({ entries, stored }: Run, room: string, head: number): Found[] {
  const known = new Set<number>();
  for (const { seq, rev } of stored.messages.filter((row) => row.room === room)) known.add(seq).add(rev);
  for (const entry of of(entries, "got"))
    if (entry.room === room) for (const { rev } of entry.changes) known.add(rev);
  const acked = new Set(of(entries, "acked").map(({ who, key }) => nameOf(who, key)));
  const rooms = new Map(of(entries, "sent").map(({ who, key, room: to }) => [nameOf(who, key), to]));
  for (const { who, key, place } of of(entries, "acked"))
    if (place && rooms.get(nameOf(who, key)) === room) known.add(place.rev);

  const unanswered = of(entries, "sent").filter(
    ({ who, key, change, room: to }) => to === room && change.kind !== "post" && !acked.has(nameOf(who, key)),
  );
  const missing = range(head).filter((number) => !known.has(number));
  const beyond = [...known].filter((number) => number > head);
  return [
    ...(missing.length > unanswered.length
      ? [
          {
            sentence: `${room} has no change with the numbers ${missing.join(", ")}`,
            evidence: { head },
          },
        ]
      : []),
    ...(beyond.length > 0
      ? [
          {
            sentence: `${room} ends at ${head}, but has had ${beyond.join(", ")}`,
            evidence: { head },
          },
        ]
      : []),
  ];
}

export function contentIsTheSame(run: Run): Found[] {
  const { entries, stored, views } = run;
  const found: Found[] = [];
  const contents = new Map<string, string>();
  const rows = new Map(stored.messages.map((row) => [row.id, row]));
  // The database comes first: what it says is what counts.
  for (const { room, message, evidence } of numbered(entries, stored)) {
    const name = `${message.rev} of ${room}`;
    const content = contentOf(message);
    const known = contents.get(name) ?? content;
    if (known !== content) found.push({ sentence: `${name} is ${content} here, ${known} there`, evidence });
    else if (rows.get(message.id)?.seq !== message.seq)
      found.push({ sentence: `${name} was delivered and is not stored`, evidence });
    contents.set(name, known);
  }
  found.push(...othersShown(run));
  for (const { who, room, messages } of views) {
    const held = messages.map(contentOf);
    const kept = stored.messages.filter((row) => row.room === room).map(contentOf);
    const wrong = differences(held, kept);
    if (wrong.length > 0)
      found.push({
        sentence: `${who} and the database differ on ${room}`,
        evidence: wrong.slice(0, 4),
      });
  }
  return found;
}

/** Without a number it may be the text of any of its changes: whoever is told late is told the last one. */
function othersShown({ entries, stored }: Run): Found[] {
  const rows = new Map(stored.messages.map((row) => [row.id, row]));
  const texts = new Set(numbered(entries, stored).map(({ message: { id, text } }) => `${id} ${text}`));
  // Changes, too, that the next had replaced before anybody else was told of them.
  const ids = new Map(stored.messages.map(({ author, key, id }) => [nameOf(author, key), id]));
  for (const { who, key, change } of of(entries, "sent")) {
    if (change.kind === "post") texts.add(`${ids.get(nameOf(who, key))} ${change.text}`);
    if (change.kind === "edit") texts.add(`${change.id} ${change.text}`);
  }
  return of(entries, "shown").flatMap((evidence) => {
    const { id, seq, author, text } = evidence.message;
    const row = rows.get(id);
    const isIts = row?.room === evidence.room && row.seq === seq && row.author === author;
    if (isIts && texts.has(`${id} ${text}`)) return [];
    return [{ sentence: `${evidence.who} was shown "${text}", which ${id} never was`, evidence }];
  });
}

function byRev({ messages }: Stored): Map<string, Row[]> {
  return Map.groupBy(
    messages.toSorted((a, b) => a.rev - b.rev),
    ({ room }) => room,
  );
}

function contentOf({ id, seq, rev, author, text, deleted }: Seen): string {
  return JSON.stringify([id, seq, rev, author, text, deleted]);
}

function differences(some: readonly string[], others: readonly string[]): string[] {
  const [a, b] = [new Set(some), new Set(others)];
  return [...a.symmetricDifference(b), ...(some.length === a.size ? [] : ["somebody holds one twice"])];
}

function range(to: number): number[] {
  return Array.from({ length: to }, (_, i) => i + 1);
}
