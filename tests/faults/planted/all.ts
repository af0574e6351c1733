/** Bugs that a checker worth its name notices, each in a server of its own or in each of several nodes. */
import type { Invariant } from "../checker/checker.ts";
import { duplicates } from "../faults/duplicates.ts";
import { kill } from "../faults/kill.ts";
import { lostFrames } from "../faults/lost-frames.ts";
import { sleep } from "../faults/sleep.ts";
import { slowReader } from "../faults/slow-reader.ts";
import { storm } from "../faults/storm.ts";
import { redisCutOff } from "../nodes/faults/redis.ts";
import { removedElsewhere } from "../nodes/faults/rights.ts";
import { duplicatesElsewhere } from "../nodes/faults/writes.ts";
import type { Nodes } from "../nodes/scene.ts";
import type { Fault } from "../round.ts";
import type { OneServer, Scene } from "../scene.ts";

export interface Planted<Where extends Scene = OneServer> {
  bug: string;
  program: string;
  /** The same without the bug, where it is neither the product nor what the fault asks for. */
  right?: string;
  fault: Fault<Where>;
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

/** What only nodes beside others can do wrong. */
export const PLANTED_IN_NODES: readonly Planted<Nodes>[] = [
  {
    bug: "dedupe in each node alone",
    program: at("dedupe-in-each-node"),
    fault: duplicatesElsewhere,
    caughtBy: "I3",
  },
  {
    bug: "revocation in one node alone",
    program: at("revocation-in-one-node"),
    fault: removedElsewhere,
    caughtBy: "I9",
  },
  { bug: "fan-out by Redis alone", program: at("redis-only"), fault: redisCutOff, caughtBy: "I4" },
];
