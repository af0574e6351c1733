/** What a page holds of one room, and the one function that changes it. */
import type { Changes, MessageView } from "./protocol.ts";

export interface Timeline {
  /** Every change up to this number is in `messages`, unless it concerns a message older than the first. */
  rev: number;
  /** Ascending `seq`, each id once. */
  messages: readonly MessageView[];
}

/** `gap`: numbers are missing in front of the changes, so nothing was applied; ask for what follows `rev`. */
export type Applied = { timeline: Timeline; gap: boolean };

/**
 * Applies a stretch of changes. Numbers already held are ignored, so answer, echo and replay never double. `since`: what was
 * held before, where more was missed than one stretch tells.
 */
export function apply(
  timeline: Timeline,
  { from, to, changes }: Omit<Changes, "room">,
  since = timeline.rev,
): Applied {
  if (to <= timeline.rev) return { timeline, gap: false };
  if (from > timeline.rev) return { timeline, gap: true };
  let messages = timeline.messages;
  for (const message of changes) {
    if (message.rev > timeline.rev) messages = merge(messages, message, since);
  }
  return { timeline: { rev: to, messages }, gap: false };
}

/**
 * A message that is held is replaced. One newer than all held numbers is added, and so is one between others: it was missed,
 * and has been changed since. Only what stands before the first is left to history.
 */
function merge(messages: readonly MessageView[], message: MessageView, held: number): readonly MessageView[] {
  const at = messages.findLastIndex((other) => other.seq <= message.seq);
  if (messages[at]?.seq === message.seq) return messages.with(at, message);
  return at >= 0 || message.seq > held ? messages.toSpliced(at + 1, 0, message) : messages;
}
