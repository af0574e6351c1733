/** What the checks go by, and what they find. */
import type { Entry, Seen } from "../log.ts";
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
  message: Seen;
  evidence: unknown;
}

/** Every message wherever it was seen: in the database, then by everybody. */
export function sightings(entries: readonly Entry[], stored: Stored): Sighting[] {
  const kept = stored.messages.map((row) => ({ room: row.room, message: row, evidence: row }));
  const delivered = entries.flatMap((entry): Sighting[] => {
    if (entry.type === "shown") return [{ room: entry.room, message: entry.message, evidence: entry }];
    if (entry.type !== "got") return [];
    return entry.changes.map((message) => ({ room: entry.room, message, evidence: entry }));
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
