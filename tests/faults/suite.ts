/** Tests that are made of runs. */
import { describe, expect, test } from "bun:test";
import { createTurns } from "../../src/shared/turns.ts";
import { chance, newSeed } from "./chance.ts";
import type { Invariant } from "./checker/checker.ts";
import type { Planted } from "./planted/all.ts";
import { run, type Fault, type Outcome, type Round } from "./round.ts";
import type { Scene } from "./scene.ts";

/** Most of a run is waiting, so several go on at a time. */
const AT_ONCE = 3;

/** With the waiting for a turn. */
const TIMEOUT_MS = 240_000;

/** Longer than the head beacon takes, so that what it brings is there. */
const BUG_PATIENCE_MS = 14_000;

export interface Suite<Where extends Scene> {
  open: Round<Where>["open"];
  faults: readonly Fault<Where>[];
  planted: readonly Planted<Where>[];
}

export function testFaults<Where extends Scene>({ open, faults, planted }: Suite<Where>): void {
  const inTurn = createTurns(AT_ONCE);

  async function outcomeOf(
    round: Omit<Round<Where>, "open" | "random">,
  ): Promise<Outcome & { seed: number }> {
    const seed = newSeed();
    const outcome = await inTurn(() => run({ ...round, open, random: chance(seed) }));
    // Whatever is checked, there was something to check.
    expect(outcome.acknowledged).toBeGreaterThan(10);
    expect(outcome.deliveries).toBeGreaterThan(50);
    return { ...outcome, seed };
  }

  /** By what happens to be written and read a bug may show in one run and not in the next. */
  async function isCaught(
    invariant: Invariant,
    round: Parameters<typeof outcomeOf>[0],
    attempts = 3,
  ): Promise<boolean> {
    const { violations } = await outcomeOf(round);
    if (violations.some((violation) => violation.invariant === invariant)) return true;
    return attempts > 1 && isCaught(invariant, round, attempts - 1);
  }

  describe("everybody has every message, once and in order, after", () => {
    for (const fault of faults) {
      const missing = fault.missing();
      if (missing !== null) test.skip(`${fault.name}: ${missing}`, () => {});
      else
        test.concurrent(
          fault.name,
          async () => {
            const { violations, seed } = await outcomeOf({ fault });
            expect({ seed, violations: violations.slice(0, 5) }).toEqual({ seed, violations: [] });
          },
          TIMEOUT_MS,
        );
    }
  });

  describe("the checker catches", () => {
    for (const { bug, program, right, fault, caughtBy } of planted) {
      test.concurrent(
        `${bug}, by ${caughtBy}, and finds nothing without it`,
        async () => {
          const [caught, clean] = await Promise.all([
            isCaught(caughtBy, { fault, program, patience: BUG_PATIENCE_MS }),
            outcomeOf(right === undefined ? { fault } : { fault, program: right }),
          ]);
          expect(caught).toBe(true);
          expect(clean.violations.slice(0, 5)).toEqual([]);
        },
        TIMEOUT_MS,
      );
    }
  });
}
