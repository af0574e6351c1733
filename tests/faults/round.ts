/** One run: a server or several, a load, one fault at some moment, and what the checker says in the end. */
import { check, type Violation } from "./checker/checker.ts";
import type { Terms } from "./checker/findings.ts";
import { gather, type Load } from "./load.ts";
import type { Entry, Log } from "./log.ts";
import type { OneServer, Place, Scene } from "./scene.ts";
import { ROOMS } from "./template.ts";

export interface Fault<Where extends Scene = OneServer> {
  name: string;
  /** Why it cannot be made on this machine; null when it can. */
  missing(): string | null;
  /** What the server needs for it. */
  place?(): Place;
  terms?: Partial<Terms>;
  /** Makes the fault and ends it. Whatever it took away is there again afterwards. */
  during(load: Load<Where>): Promise<void>;
}

export interface Round<Where extends Scene = OneServer> {
  /** Makes what it takes place in. */
  open(place: Place): Promise<Where>;
  fault: Fault<Where>;
  random: () => number;
  isLong?: boolean;
  /** Instead of the program that the fault asks for. */
  program?: string;
  /** Instead of the time stated for recovery. Milliseconds. */
  patience?: number;
  /** Ends it at once, with the reason as the error. */
  signal?: AbortSignal;
}

export interface Outcome {
  violations: Violation[];
  acknowledged: number;
  deliveries: number;
  /** From the end of the fault until the last had all that there was. Milliseconds. */
  recovery: number;
}

/** The stated time in which everybody is back. Milliseconds. */
const RECOVERY = 30_000;

/** Everything that the server needs for so few is far below. Bytes. */
const MEMORY_MAX = 512 * 1024 * 1024;

/** The load runs so long before the fault and after it. Milliseconds. */
const BEFORE = { short: 600, long: 4_000 };
const AFTER = { short: 300, long: 2_000 };

export async function run<Where extends Scene>(round: Round<Where>): Promise<Outcome> {
  const { open, fault, program, signal } = round;
  const place = fault.place?.() ?? {};
  const scene = await open({ ...place, program: program ?? place.program });
  try {
    return await Promise.race([runIn(scene, round), aborted(signal)]);
  } catch (error) {
    throw causeOf(error, scene.log);
  } finally {
    await scene.close();
  }
}

async function runIn<Where extends Scene>(scene: Where, round: Round<Where>): Promise<Outcome> {
  const { fault, random, isLong = false, patience = RECOVERY } = round;
  const pace = isLong ? "long" : "short";
  const { load, arrived, hush, caughtUp, settled, leave } = gather(scene, random, isLong);
  await arrived();
  await Bun.sleep(BEFORE[pace] * (0.5 + random()));
  await fault.during(load);
  const endedAt = performance.now();
  // News for everybody: whoever has it is back.
  for (const room of [ROOMS.public, ROOMS.den]) await load.flood(room, { count: 1 });
  const recovery = await caughtUp(patience, endedAt);
  await Bun.sleep(AFTER[pace] * random());
  hush();
  await settled(patience);
  if (recovery < patience) await caughtUp(patience);
  const views = leave();
  await scene.end();

  const { entries } = scene.log;
  const terms = { patience, memoryMax: MEMORY_MAX, isLossy: false, ...fault.terms };
  const violations = check({ entries, stored: await scene.stored(), views, terms });
  return { violations, recovery, ...sums(entries) };
}

function sums(entries: readonly Entry[]): Pick<Outcome, "acknowledged" | "deliveries"> {
  const deliveries = entries.map((entry) => {
    return entry.type === "got" ? entry.changes.length : entry.type === "shown" ? 1 : 0;
  });
  return {
    acknowledged: entries.filter(({ type }) => type === "acked").length,
    deliveries: deliveries.reduce((sum, some) => sum + some, 0),
  };
}

/** What a run breaks off with is often what comes of something that was noticed before. */
function causeOf(error: unknown, { entries }: Log): unknown {
  const broken = entries.filter((entry) => entry.type === "claim").filter(({ holds }) => !holds);
  if (broken.length === 0) return error;
  return new Error(broken.map(({ sentence }) => `it is not so that ${sentence}`).join("; "), {
    cause: error,
  });
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal?.addEventListener("abort", () => reject(signal.reason));
  return promise;
}
