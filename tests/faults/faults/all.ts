/** Every fault of one server. What needs several, or another database, is made where those are. */
import type { Fault } from "../round.ts";
import { clockSteps } from "./clock-steps.ts";
import { diskFull } from "./disk-full.ts";
import { duplicates } from "./duplicates.ts";
import { failingFsync } from "./failing-fsync.ts";
import { frozen } from "./frozen.ts";
import { halfOpen } from "./half-open.ts";
import { kill } from "./kill.ts";
import { lostFrames } from "./lost-frames.ts";
import { restart } from "./restart.ts";
import { revoked, sessionOver } from "./revoked.ts";
import { sleep } from "./sleep.ts";
import { slowReader } from "./slow-reader.ts";
import { storm } from "./storm.ts";

export const FAULTS: readonly Fault[] = [
  kill,
  restart,
  failingFsync,
  diskFull,
  frozen,
  storm,
  halfOpen,
  slowReader,
  lostFrames,
  sleep,
  duplicates,
  revoked,
  sessionOver,
  clockSteps,
];
