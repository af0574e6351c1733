/** How a stretch of messages is laid out for reading: day separators, the unread line, and messages of one author grouped. */
import { GROUPING_WINDOW } from "./limits.ts";
import type { MessageView } from "./protocol.ts";
import { dayOf } from "./time.ts";

/** What is `continued`, a day or what is unread, does not begin here, but the stretch of messages does, in the middle of it. */
export type Row<M extends MessageView = MessageView> =
  | { kind: "day"; day: string; at: number; continued: boolean }
  | { kind: "unread"; continued: boolean }
  | { kind: "message"; message: M; grouped: boolean };

/** How far somebody has read: up to and including this place. What they have written themselves they know. */
export interface ReadMark {
  after: number;
  reader: string | null;
}

/** `previousAt` is the time of the message just before the first, when there is one. */
export function toRows<M extends MessageView>(
  messages: readonly M[],
  zone: string,
  previousAt: number | null,
  mark: ReadMark | null = null,
): Row<M>[] {
  const rows: Row<M>[] = [];
  const before = previousAt === null ? null : dayOf(previousAt, zone);
  const unread = mark && firstUnread(messages, mark);
  let day: string | null = null;
  let last: MessageView | null = null;
  for (const message of messages) {
    const today = dayOf(message.createdAt, zone);
    if (today !== day) {
      rows.push({
        kind: "day",
        day: today,
        at: message.createdAt,
        continued: day === null && today === before,
      });
      day = today;
      last = null;
    }
    if (message === unread) {
      rows.push({ kind: "unread", continued: previousAt !== null && message === messages[0] });
      last = null;
    }
    rows.push({ kind: "message", message, grouped: last !== null && belongsTo(last, message) });
    // The row of what was removed bears no name, so the next one has to.
    last = message.deletedAt ? null : message;
  }
  return rows;
}

/** Null when nothing here is. */
export function firstUnread<M extends MessageView>(
  messages: readonly M[],
  { after, reader }: ReadMark,
): M | null {
  const isUnread = ({ seq, author, deletedAt }: M) => seq > after && author !== reader && !deletedAt;
  return messages.find(isUnread) ?? null;
}

function belongsTo(last: MessageView, message: MessageView): boolean {
  return (
    !message.deletedAt &&
    last.author === message.author &&
    message.createdAt - last.createdAt < GROUPING_WINDOW
  );
}
