/** What the chat needs from the outside: stores, the bus, and everything that is not a pure function of its input. */
import type { ClientKey, MessageId, RoomId, UserId } from "../shared/ids.ts";
import type { Changes, MessageView } from "../shared/protocol.ts";

export interface Room {
  id: RoomId;
  slug: string;
  name: string;
  /** Number of the room's last change. */
  head: number;
}

export interface RoomStore {
  bySlug(slug: string): Promise<Room | null>;
}

export interface NewMessage {
  room: RoomId;
  author: UserId;
  key: ClientKey;
  text: string;
  createdAt: number;
}

/** `repeated`: this author sent this key with this text before. `key_reused`: with another text, or in another room. */
export type Appended = { outcome: "appended" | "repeated"; message: MessageView } | { outcome: "key_reused" };

/** Messages in ascending order; `previousAt` is the time of the message just before them, when there is one. */
export interface Page {
  messages: MessageView[];
  previousAt: number | null;
  /** Whether newer messages than these exist. */
  hasNewer: boolean;
  /** The room's head as of this reading. */
  head: number;
}

export interface MessageStore {
  /** Gives numbers to the batch in its order and stores it, all or nothing. When this resolves it is on stable storage. */
  append(batch: readonly NewMessage[]): Promise<Appended[]>;
  /** The newest messages, or with `before` the newest of those whose id is smaller. */
  page(room: RoomId, options: { before?: number | undefined; limit: number }): Promise<Page>;
  /** The message in the middle of its neighbours, or null when the room has no such message. */
  around(room: RoomId, id: MessageId, limit: number): Promise<Page | null>;
  /** The rows changed after `rev`, in the order of their change, or null when they are more than `limit`. */
  changesSince(
    room: RoomId,
    rev: number,
    limit: number,
  ): Promise<{ head: number; changes: MessageView[] } | null>;
  /** A name for this database's history; it changes when a backup is restored. */
  epoch(): string;
}

/** Carries what has been committed to everyone who serves readers. At most once, and in order within a room. */
export interface Bus {
  publish(event: BusEvent): void;
  subscribe(listener: (event: BusEvent) => void): void;
}

export type BusEvent =
  | ({ type: "messages.changed"; roomId: RoomId } & Changes)
  | { type: "sessions.ended"; sessions: readonly string[] };

/** Counts attempts of a subject. A refused attempt does not extend its window. */
export interface RateLimit {
  take(subject: string): Promise<{ allowed: true } | { allowed: false; retryAfterSeconds: number }>;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export interface KeyMaker {
  clientKey(): ClientKey;
}
