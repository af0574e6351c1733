/** What happened in a run, as everybody who took part wrote it down: all that the checker goes by, besides the database. */
import type { MessageView, RefusalCode, RemovedReason, ResetReason } from "../../src/shared/protocol.ts";

/** The ways into a room. */
export type Door = "socket" | "original" | "rest" | "form";

export type Change =
  | { kind: "post"; text: string }
  | { kind: "edit"; id: number; text: string }
  | { kind: "remove"; id: number };

/** What somebody was shown of a message. */
export interface Seen {
  id: number;
  seq: number;
  rev: number;
  author: string;
  text: string;
  deleted: boolean;
}

export type Unnumbered = Omit<Seen, "rev">;

/** `who` is the name of the account; `line` the number of the socket, each of which is another. */
export type Entry =
  /** Each attempt. Without a key nobody answers. */
  | { type: "sent"; who: string; line: number; door: Door; room: string; key: string | null; change: Change }
  /** A form answers without numbers. */
  | { type: "acked"; who: string; key: string; place: Place | null; repeat: boolean | null }
  | { type: "refused"; who: string; key: string; code: RefusalCode; retryable: boolean }
  /** By hello or resume: what follows this number. */
  | { type: "asked"; who: string; line: number; room: string; rev: number }
  | { type: "got"; who: string; line: number; room: string; from: number; to: number; changes: Seen[] }
  | { type: "caught-up"; who: string; line: number; room: string; rev: number }
  /** On a socket of the original protocol, which has no numbers of changes. */
  | { type: "shown"; who: string; line: number; room: string; message: Unnumbered }
  | { type: "reset"; who: string; line: number; room: string; reason: ResetReason }
  | { type: "removed"; who: string; line: number; room: string; reason: RemovedReason }
  | { type: "bye"; who: string; line: number; after: number }
  | { type: "closed"; who: string; line: number; code: number }
  /** From here on nothing above these numbers may reach them: on the lines up to `lastLine`, or on any. */
  | { type: "shut"; who: string; heads: ReadonlyMap<string, number>; lastLine: number | null }
  /** How long somebody took to hold what there was in a room; null when they never did. Milliseconds. */
  | { type: "waited"; who: string; room: string; head: number; took: number | null }
  /** Somebody's messages were still without an answer when all had been waited for. */
  | { type: "unsettled"; who: string; keys: string[] }
  | { type: "memory"; bytes: number }
  /** What a fault looks at by itself. */
  | { type: "claim"; holds: boolean; sentence: string };

export interface Place {
  id: number;
  seq: number;
  rev: number;
}

export interface Log {
  entries: readonly Entry[];
  write(entry: Entry): void;
  /** A number for a new socket. */
  nextLine(): number;
  lastLine(): number;
}

export function createLog(): Log {
  const entries: Entry[] = [];
  let line = 0;
  return {
    entries,
    write: (entry) => void entries.push(entry),
    nextLine: () => ++line,
    lastLine: () => line,
  };
}

/** Beyond this a text is kept by its beginning and a fingerprint. Characters. */
const TEXT_KEPT = 80;

/** The same for the same text, wherever it was seen. */
export function brief(text: string): string {
  return text.length <= TEXT_KEPT ? text : `${text.slice(0, 32)}~${text.length}~${Bun.hash(text)}`;
}

export function seen({ id, seq, rev, author, text, deletedAt }: MessageView): Seen {
  return { id, seq, rev, author, text: brief(text), deleted: Boolean(deletedAt) };
}
