/** What the checks go by, and what they find. */
import type { Entry, Seen, Unnumbered } from "../log.ts";
import type { Stored } from "./stored.ts";

/** What somebody's client holds of a room in the end, from its first message on. */
export interface View {
  who: string;
  room: string;
  messages: readonly Seen[];
}

export interface Run {
  entries: readonly Entry[];
  stored: Stored;
  views: readonly View[];
  terms: Terms;
}

export interface Terms {
  /** How long it may take to reach the head. Milliseconds. */
  patience: number;
  memoryMax: number;
  /** The fault loses frames between server and client: streams have gaps, which clients have to close. */
  isLossy: boolean;
}

export interface Found {
  sentence: string;
  evidence: unknown;
}

export type Sent = Extract<Entry, { type: "sent" }>;

export interface Sighting {
  room: string;
  message: Unnumbered;
  evidence: unknown;
}

/** Every message wherever it was seen: in the database, then by everybody. */
export function sightings(entries: readonly Entry[], stored: Stored): Sighting[] {
  const shown = of(entries, "shown").map((evidence) => {
    return { room: evidence.room, message: evidence.message, evidence };
  });
  return [...numbered(entries, stored), ...shown];
}

/** Those with the number of their last change: by all but the original clients. */
export function numbered(entries: readonly Entry[], stored: Stored): (Sighting & { message: Seen })[] {
  const kept = stored.messages.map((row) => ({ room: row.room, message: row, evidence: row }));
  const delivered = of(entries, "got").flatMap((evidence) => {
    return evidence.changes.map((message) => ({ room: evidence.room, message, evidence }));
  });
  return [...kept, ...delivered];
}

export function of<Type extends Entry["type"]>(entries: readonly Entry[], type: Type) {
  return entries.filter((entry) => entry.type === type) as Extract<Entry, { type: Type }>[];
}

export function sentByKey(entries: readonly Entry[]): Map<string, Sent[]> {
  const sent = of(entries, "sent").filter(({ key }) => key !== null);
  return Map.groupBy(sent, ({ who, key }) => nameOf(who, key ?? ""));
}

export function nameOf(who: string, what: string | null): string {
  return `${who}/${what}`;
}
