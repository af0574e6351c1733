/** Rounds in turn, so that whatever disturbs the machine disturbs all subjects alike. */
import type { Usage } from "./machine.ts";

/** How many rounds each subject gets. */
export const ROUNDS = 5;

/** A round takes little more than a second; one that takes so long will never end. */
const ROUND_PATIENCE_MS = 30_000;

/** One round: how many units (requests, deliveries) were done, and what that took. */
export interface Round extends Usage {
  units: number;
}

export interface Subject<R> {
  name: string;
  round(): Promise<R>;
}

export type Results<R> = ReadonlyMap<string, readonly R[]>;

/** The first round of each subject warms it up and is thrown away. */
export async function interleave<R>(subjects: readonly Subject<R>[]): Promise<Results<R>> {
  const results = new Map(subjects.map(({ name }) => [name, [] as R[]]));
  for (let number = 0; number <= ROUNDS; number++) {
    for (const { name, round } of subjects) {
      const done = await within(ROUND_PATIENCE_MS, round(), `a round of "${name}" did not end`);
      if (number > 0) results.get(name)?.push(done);
    }
  }
  return results;
}

async function within<T>(ms: number, task: Promise<T>, complaint: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(complaint)), ms);
  try {
    return await Promise.race([task, late]);
  } finally {
    clearTimeout(timer);
  }
}

export const perSecond = ({ units, seconds }: Round) => units / seconds;
export const cpuMicroseconds = ({ units, serverCpu }: Round) => (serverCpu * 1e6) / units;

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] =
    sorted.length % 2 === 0 ? [sorted[middle - 1], sorted[middle]] : [sorted[Math.floor(middle)]];
  return { median: (low + high) / 2, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** The value that this share of all values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Each round against the baseline's round that ran beside it. */
export function ratios(values: readonly number[], base: readonly number[]): Spread {
  return spread(values.map((value, at) => value / (base[at] ?? Number.NaN)));
}
