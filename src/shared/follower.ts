/**
 * What a client does with the numbers of one room: applies what follows, asks once for what is missing, and notices when
 * it has missed the very end. Pure: time comes in, and what is to be asked goes out.
 */
import type { Changes } from "./protocol.ts";
import { apply, type Timeline } from "./timeline.ts";

export interface Follower {
  timeline: Timeline;
  /** Something has been asked for, and the answer is not complete: one request at a time. */
  isAsking: boolean;
  /** Since when the room is known to have a change that is not here. Milliseconds; null when nothing is missing. */
  behindSince: number | null;
  /**
   * Until everything is here: the number held when it was first asked for. A message that was written after it, and has
   * been changed since, comes with its last change, so in a later stretch than its neighbours.
   */
  missedSince?: number;
}

/** `ask`: send `resume` with the number now held. */
export interface Step {
  follower: Follower;
  ask: boolean;
}

/** A change that the head tells of may still be on its way. Milliseconds. */
export const HEAD_PATIENCE = 2_000;

/** An answer that stays away for this long, while the room is known to have more, is asked for again. Milliseconds. */
const ANSWER_PATIENCE = 10_000;

/** The socket is open, and its hello has named this room. */
export function greeted(follower: Follower): Follower {
  return { ...asking(follower).follower, behindSince: null };
}

export function receiveChanges(follower: Follower, changes: Omit<Changes, "room">): Step {
  const { missedSince, isAsking } = follower;
  const { timeline, gap } = apply(follower.timeline, changes, missedSince);
  if (gap) return asking(follower);
  // What is missing is coming; should its end be lost, the next head tells. Not where the rest of it was refused.
  const isComing = timeline !== follower.timeline && (isAsking || missedSince === undefined);
  return {
    follower: { ...follower, timeline, behindSince: isComing ? null : follower.behindSince },
    ask: false,
  };
}

/** Everything up to `rev` has been sent. Should something of it not have come, it is asked for again. */
export function receiveCaughtUp(follower: Follower, rev: number): Step {
  const { timeline } = follower;
  if (rev > timeline.rev) return asking({ ...follower, isAsking: false, behindSince: null });
  return { follower: { timeline, isAsking: false, behindSince: null }, ask: false };
}

export function receiveHead(follower: Follower, head: number, now: number): Follower {
  const isBehind = head > follower.timeline.rev;
  return { ...follower, behindSince: isBehind ? (follower.behindSince ?? now) : null };
}

/** The server could not answer just now: it is asked again after the usual patience. */
export function receiveRefusal(follower: Follower, now: number): Follower {
  return { ...follower, isAsking: false, behindSince: follower.isAsking ? now : follower.behindSince };
}

/** When to `look` next. Milliseconds; null while nothing is missing. */
export function nextLook({ behindSince, isAsking }: Follower): number | null {
  if (behindSince === null) return null;
  return behindSince + (isAsking ? ANSWER_PATIENCE : HEAD_PATIENCE);
}

/** To be called at `nextLook`, or once in a while. */
export function look(follower: Follower, now: number): Step {
  const due = nextLook(follower);
  if (due === null || now < due) return { follower, ask: false };
  return { follower: { ...asking(follower).follower, behindSince: null }, ask: true };
}

/** The oldest messages are held no longer: from now on they are history's. */
export function drop(follower: Follower, count: number): Follower {
  const { timeline, missedSince } = follower;
  const { rev, messages } = timeline;
  const dropped = { ...follower, timeline: { rev, messages: messages.slice(count) } };
  if (missedSince === undefined) return dropped;
  return { ...dropped, missedSince: Math.max(missedSince, messages[count - 1]?.seq ?? 0) };
}

function asking(follower: Follower): Step {
  const { timeline, isAsking, missedSince = timeline.rev } = follower;
  return { follower: { ...follower, isAsking: true, missedSince }, ask: !isAsking };
}
