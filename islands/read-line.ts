/** Where the unread line stands: above what came while nobody was reading, for as long as the page is open. */
import { signal, type ReadonlySignal } from "@preact/signals";
import type { MessageView } from "../src/shared/protocol.ts";
import { firstUnread, type ReadMark } from "../src/shared/rows.ts";

export interface ReadLine {
  mark: ReadonlySignal<ReadMark | null>;
  /** Of these messages, some came unseen. */
  came(messages: readonly MessageView[]): void;
  /** Everything up to this place has been seen; the line stays until more comes unseen. */
  read(seq: number): void;
}

export function createReadLine(drawn: ReadMark | null, reader: string | null, last: number): ReadLine {
  const mark = signal(drawn);
  let after = drawn?.after ?? last;
  return {
    mark,
    came(messages) {
      const now = { after, reader };
      const isNew = mark.value === null || after > mark.value.after;
      if (isNew && firstUnread(messages, now)) mark.value = now;
    },
    read: (seq) => void (after = Math.max(after, seq)),
  };
}
