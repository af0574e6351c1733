/**
 * Reads what everybody has logged and what the database says, and names each promise that was broken: I1 to I10, or what
 * a fault has looked at by itself. Pure.
 */
import type { Found, Run } from "./findings.ts";
import {
  acknowledgedAreStored,
  contentIsTheSame,
  deliveredWereSent,
  keysAreOneMessage,
  numbersAreContiguous,
} from "./messages.ts";
import {
  claimsHold,
  goneHearNothing,
  headIsReached,
  memoryIsBounded,
  sendersKeepTheirOrder,
  sendsAreSettled,
} from "./people.ts";

export const INVARIANTS = {
  I1: "every acknowledged key is at its number",
  I2: "nothing is delivered that nobody sent",
  I3: "one key is at most one message",
  I4: "the numbers of a room are exactly 1 to its head, and each stream is contiguous",
  I5: "all see the same content at a number",
  I6: "everybody reaches the head in time, untouched by hand",
  I7: "memory stays bounded",
  I8: "every send is settled",
  I9: "nothing is delivered after membership or session is gone",
  I10: "one sender's messages keep their order",
  claim: "what this fault must not break besides",
} as const;

export type Invariant = keyof typeof INVARIANTS;

export interface Violation extends Found {
  invariant: Invariant;
}

export function check(run: Run): Violation[] {
  const look: Record<Invariant, (run: Run) => Found[]> = {
    I1: acknowledgedAreStored,
    I2: deliveredWereSent,
    I3: keysAreOneMessage,
    I4: numbersAreContiguous,
    I5: contentIsTheSame,
    I6: headIsReached,
    I7: memoryIsBounded,
    I8: sendsAreSettled,
    I9: goneHearNothing,
    I10: sendersKeepTheirOrder,
    claim: claimsHold,
  };
  return (Object.keys(look) as Invariant[]).flatMap((invariant) =>
    look[invariant](run).map((found) => ({ invariant, ...found })),
  );
}
