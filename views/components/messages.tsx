/** A stretch of messages with its day separators and the unread line: the rows of a list that the caller draws. */
import { toRows, type ReadMark, type Row } from "../../src/shared/rows.ts";
import { longDay } from "../../src/shared/time.ts";
import { classes } from "./classes.ts";
import { Message, type Reading, type ShownMessage } from "./message.tsx";

export interface MessagesProps {
  messages: readonly ShownMessage[];
  /** When the message before the first was written, if there is one. */
  previousAt: number | null;
  reading: Reading;
  /** Where the unread line stands; without it there is none. */
  mark?: ReadMark | null;
  /** The message to mark and focus. */
  target?: number | undefined;
}

export function Messages({ messages, previousAt, reading, mark = null, target }: MessagesProps) {
  const rows = toRows(messages, reading.zone, previousAt, mark);
  return <>{rows.map((row, place) => drawn(row, place, reading, target))}</>;
}

function drawn(row: Row<ShownMessage>, place: number, reading: Reading, target: number | undefined) {
  switch (row.kind) {
    case "day":
      return (
        <li class={classes("day", row.continued && "continued")} key={`day ${place}`}>
          <time dateTime={row.day}>{longDay(row.at, reading.locale, reading.zone)}</time>
        </li>
      );
    case "unread":
      // Seen and read, but not announced: the messages below it are.
      return (
        <li class={classes("unread-line", row.continued && "continued")} key="unread" aria-live="off">
          {reading.t.unread}
        </li>
      );
    case "message":
      return (
        <Message
          key={keyOf(row.message)}
          message={row.message}
          reading={reading}
          grouped={row.grouped && row.message.id !== target}
          target={row.message.id === target}
        />
      );
  }
}

/** The sender's key outlives the acknowledgement, so a message settles in its own DOM node. */
function keyOf({ key, author, id }: ShownMessage): string {
  return key === undefined ? `id ${id}` : `key ${key} ${author}`;
}
