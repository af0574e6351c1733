/** A stretch of messages with its day separators: the rows of a list that the caller draws. */
import { toRows } from "../../src/shared/rows.ts";
import { longDay } from "../../src/shared/time.ts";
import { classes } from "./classes.ts";
import { Message, type Reading, type ShownMessage } from "./message.tsx";

export interface MessagesProps {
  messages: readonly ShownMessage[];
  /** When the message before the first was written, if there is one. */
  previousAt: number | null;
  reading: Reading;
  /** The message to mark and focus. */
  target?: number | undefined;
}

export function Messages({ messages, previousAt, reading, target }: MessagesProps) {
  return (
    <>
      {toRows(messages, reading.zone, previousAt).map((row, place) =>
        row.kind === "day" ? (
          <li class={classes("day", row.continued && "continued")} key={`day ${place}`}>
            <time dateTime={row.day}>{longDay(row.at, reading.locale, reading.zone)}</time>
          </li>
        ) : (
          <Message
            key={keyOf(row.message)}
            message={row.message}
            reading={reading}
            grouped={row.grouped && row.message.id !== target}
            target={row.message.id === target}
          />
        ),
      )}
    </>
  );
}

/** The sender's key outlives the acknowledgement, so a message settles in its own DOM node. */
function keyOf({ key, author, id }: ShownMessage): string {
  return key === undefined ? `id ${id}` : `key ${key} ${author}`;
}
