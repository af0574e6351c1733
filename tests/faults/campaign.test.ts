/** The short campaign: every fault once under a small load, and every planted bug once. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTurns } from "../../src/shared/turns.ts";
import { chance, newSeed } from "./chance.ts";
import { FAULTS } from "./faults/all.ts";
import { PLANTED } from "./planted/all.ts";
import { run, type Outcome, type Round } from "./round.ts";
import { makeTemplate, type Template } from "./template.ts";

/** Most of a run is waiting, so several go on at a time. */
const AT_ONCE = 3;

/** With the waiting for a turn. */
const TIMEOUT_MS = 240_000;

/** Longer than the head beacon takes, so that what it brings is there. */
const BUG_PATIENCE_MS = 14_000;

let template: Template;
beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => template.remove());

const inTurn = createTurns(AT_ONCE);

async function outcomeOf(round: Omit<Round, "template" | "random">): Promise<Outcome & { seed: number }> {
  const seed = newSeed();
  const outcome = await inTurn(() => run({ ...round, template, random: chance(seed) }));
  // Whatever is checked, there was something to check.
  expect(outcome.acknowledged).toBeGreaterThan(10);
  expect(outcome.deliveries).toBeGreaterThan(50);
  return { ...outcome, seed };
}

describe("everybody has every message, once and in order, after", () => {
  for (const fault of FAULTS) {
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
  for (const { bug, program, right, fault, caughtBy } of PLANTED) {
    test.concurrent(
      `${bug}, by ${caughtBy}, and finds nothing without it`,
      async () => {
        const [wrong, clean] = await Promise.all([
          outcomeOf({ fault, program, patience: BUG_PATIENCE_MS }),
          outcomeOf(right === undefined ? { fault } : { fault, program: right }),
        ]);
        expect(wrong.violations.map(({ invariant }) => invariant)).toContain(caughtBy);
        expect(clean.violations.slice(0, 5)).toEqual([]);
      },
      TIMEOUT_MS,
    );
  }
});
