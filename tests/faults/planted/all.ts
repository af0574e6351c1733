/**
 * Bugs that a checker worth its name notices, each in a server of its own. One is not here: fan-out by Redis alone shows
 * only where several servers share a database.
 */
import type { Invariant } from "../checker/checker.ts";
import { duplicates } from "../faults/duplicates.ts";
import { kill } from "../faults/kill.ts";
import { lostFrames } from "../faults/lost-frames.ts";
import { sleep } from "../faults/sleep.ts";
import { slowReader } from "../faults/slow-reader.ts";
import { storm } from "../faults/storm.ts";
import type { Fault } from "../round.ts";

export interface Planted {
  bug: string;
  program: string;
  /** The same without the bug, where it is neither the product nor what the fault asks for. */
  right?: string;
  fault: Fault;
  caughtBy: Invariant;
}

const at = (name: string) => `tests/faults/planted/${name}.ts`;

export const PLANTED: readonly Planted[] = [
  { bug: "ack before commit", program: at("ack-before-commit"), fault: kill, caughtBy: "I1" },
  {
    bug: "fetch before subscribe",
    program: at("fetch-before-subscribe"),
    right: at("right-but-slow"),
    fault: storm,
    caughtBy: "I4",
  },
  { bug: "drop on backpressure", program: at("drop-on-backpressure"), fault: slowReader, caughtBy: "I4" },
  { bug: "no dedupe", program: at("no-dedupe"), fault: duplicates, caughtBy: "I3" },
  { bug: "resume off by one", program: at("resume-off-by-one"), fault: storm, caughtBy: "I4" },
  { bug: "no head beacon", program: at("no-beacon"), fault: lostFrames, caughtBy: "I6" },
  { bug: "timestamp catch-up", program: at("timestamp-catch-up"), fault: sleep, caughtBy: "I4" },
];
