/**
 * The wire of `/ws/`: two closed unions, and the views that frames and pages share. Numbers: `rev` is the number of a
 * change within its room; the numbers of a room are exactly 1..head. See docs/protocol.md.
 */
import { clientKey, type ClientKey } from "./ids.ts";

/** What everyone sees of a message. `seq` is its place for ever, `rev` the number of its last change. */
export interface MessageView {
  id: number;
  seq: number;
  rev: number;
  author: string;
  /** Path below /media/, or null for the drawn default. */
  avatar: string | null;
  text: string;
  /** Milliseconds since 1970, UTC. */
  createdAt: number;
  /** When its text was last changed by its author, if it was. */
  editedAt?: number | null;
  /** When it was removed, if it was: there is no text any more. */
  deletedAt?: number | null;
  /** Present in live frames only: lets the sender's page settle its pending copy in place. */
  key?: string;
}

/** The state of a stretch of numbers: everything after `from` up to and including `to`. */
export interface Changes {
  room: string;
  from: number;
  to: number;
  changes: MessageView[];
}

/** Somebody who is here now. */
export interface PersonView {
  name: string;
  /** Path below /media/, or null for the drawn default. */
  avatar: string | null;
}

/** Who is here now, in the order of coming. Guests are counted, by address; they are not told who else is here. */
export interface PresenceView {
  online: readonly PersonView[] | null;
  guests: number;
}

export type ClientFrame =
  | { type: "hello"; rooms: Held[] }
  | { type: "presence" }
  | { type: "unread" }
  | { type: "resume"; room: string; epoch: string; rev: number }
  | { type: "send"; room: string; key: ClientKey; text: string }
  /** Of one's own message, or of any that one may remove; the key only names the answer. */
  | { type: "edit"; room: string; key: ClientKey; id: number; text: string }
  | { type: "remove"; room: string; key: ClientKey; id: number }
  | { type: "typing"; room: string }
  /** Everything up to the message at this place has been seen. */
  | { type: "read"; room: string; seq: number };

/** What a page holds of a room: all changes up to `rev` of this `epoch`. */
export interface Held {
  room: string;
  epoch: string;
  rev: number;
}

export type ServerFrame =
  /** A node of the version before leaves `id` out. */
  | { type: "welcome"; epoch: string; user: string | null; id?: number | null }
  | ({ type: "changes" } & Changes)
  /** Everything up to here has been sent: from now on changes come as they happen. */
  | { type: "caught-up"; room: string; rev: number }
  /** The number of the room's last change; whoever holds less has missed something. */
  | { type: "head"; room: string; head: number }
  | { type: "reset"; room: string; reason: ResetReason }
  | { type: "removed"; room: string; reason: RemovedReason }
  | { type: "unread"; rooms: readonly { room: string; unread: number }[] }
  /** The author of each new message. */
  | { type: "news"; room: string; authors: string[] }
  | { type: "typing"; room: string; name: string }
  | ({ type: "presence" } & PresenceView)
  | { type: "ack"; room: string; key: string; id: number; seq: number; rev: number; repeat: boolean }
  | Refusal
  /** The server stops: come back after so many milliseconds. */
  | { type: "bye"; after: number };

export interface Refusal {
  type: "refusal";
  /** Of what its sender gave a key. */
  key: string | null;
  /** What follows the number held there could not be told just now. */
  room?: string;
  code: RefusalCode;
  retryable: boolean;
  /** Seconds. */
  retryAfter?: number;
}

/** The database is another than before; the page claims a number that does not exist yet; it missed too much. */
export type ResetReason = "epoch" | "ahead" | "gap";

/** The reader is no member any more, or there is no such room any more. */
export type RemovedReason = "membership" | "room";

export type RefusalCode =
  | "bad_request"
  | "blank"
  | "too_long"
  | "bad_characters"
  | "login_required"
  | "forbidden"
  | "muted"
  | "room_closed"
  | "not_found"
  | "rate_limited"
  | "key_reused"
  | "slug_taken"
  | "bad_slug"
  | "bad_name"
  | "owner_stays"
  | "not_confirmed"
  | "invitation_over"
  | "unavailable";

/** The codes with which a message may be refused, or an edit of one. */
export const SEND_REFUSALS = [
  "bad_request",
  "blank",
  "too_long",
  "bad_characters",
  "login_required",
  "forbidden",
  "muted",
  "room_closed",
  "not_found",
  "rate_limited",
  "key_reused",
  "unavailable",
] as const satisfies readonly RefusalCode[];

/** The words for each. */
export type SendRefusals = Readonly<Record<(typeof SEND_REFUSALS)[number], string>>;

/** The close codes of a client that says that it goes: with its socket, or with its page. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;

/** The close code of a socket whose session is over: the page goes on as a guest. */
export const CLOSE_SESSION_OVER = 4401;

/** The close code of a socket whose only room is closed to its reader. */
export const CLOSE_REMOVED = 4403;

/** Rooms that one hello may name. */
const HELLO_MAX_ROOMS = 100;

/** Null for anything that is not a frame a client may send. */
export function parseClientFrame(text: string): ClientFrame | null {
  const frame = parseObject(text);
  switch (frame?.type) {
    case "hello": {
      if (!Array.isArray(frame.rooms) || frame.rooms.length > HELLO_MAX_ROOMS) return null;
      const rooms = frame.rooms.map(held);
      return rooms.includes(null) ? null : { type: "hello", rooms: rooms as Held[] };
    }
    case "presence":
      return { type: "presence" };
    case "unread":
      return { type: "unread" };
    case "resume": {
      const wanted = held(frame);
      return wanted && { type: "resume", ...wanted };
    }
    case "send": {
      const key = clientKey(frame.key);
      if (!key || typeof frame.room !== "string" || typeof frame.text !== "string") return null;
      return { type: "send", room: frame.room, key, text: frame.text };
    }
    case "edit":
    case "remove": {
      const [key, { type, room, id, text: wording }] = [clientKey(frame.key), frame];
      if (!key || typeof room !== "string" || !isNumber(id)) return null;
      if (type === "remove") return { type, room, key, id };
      return typeof wording === "string" ? { type: "edit", room, key, id, text: wording } : null;
    }
    case "typing":
      return typeof frame.room === "string" ? { type: "typing", room: frame.room } : null;
    case "read": {
      const { room, seq } = frame;
      if (typeof room !== "string" || !isNumber(seq)) return null;
      return { type: "read", room, seq };
    }
    default:
      return null;
  }
}

/** The key of a frame that may be none of this protocol; null when it has none. */
export function keyIn(text: string): ClientKey | null {
  return clientKey(parseObject(text)?.["key"]);
}

/** Null for text that is not a JSON object. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null; // not JSON: the caller answers as for any other frame it does not know
  }
}

function held(value: unknown): Held | null {
  if (!isObject(value)) return null;
  const { room, epoch, rev } = value;
  if (typeof room !== "string" || typeof epoch !== "string") return null;
  return isNumber(rev) ? { room, epoch, rev } : null;
}

/** A number of a change, or the place of a message. */
function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
