import { describe, expect, spyOn, test } from "bun:test";
import { simulate } from "./simulate.ts";
import { WRONG } from "./wrong.ts";

const SEEDS = 2_000;
const AT_ONCE = 100;

/** Seeds within which each planted mistake shows itself; most do within ten. */
const SEEDS_UNTIL_NOTICED = 500;

describe("whatever goes wrong, every promise is kept", () => {
  const firsts = Array.from({ length: SEEDS / AT_ONCE }, (_, i) => 1 + i * AT_ONCE);
  test.each(firsts)(`in ${AT_ONCE} runs from seed %d on`, (first) => {
    for (let seed = first; seed < first + AT_ONCE; seed++) {
      const broken = simulate(seed);
      if (broken.length > 0) throw new Error(`bun run simulate -- --seed ${seed}\n${broken.join("\n")}`);
    }
  });
});

describe("it is noticed when a part", () => {
  test.each(WRONG.map((wrong) => [wrong.what, wrong] as const))("%s", (_, { parts, breaks }) => {
    const promises = breaks.map((promise) => `${promise}:`);
    for (let seed = 1; seed <= SEEDS_UNTIL_NOTICED; seed++) {
      const broken = simulate(seed, parts);
      if (broken.some((how) => promises.some((promise) => how.startsWith(promise)))) return;
    }
    throw new Error(`not noticed in ${SEEDS_UNTIL_NOTICED} runs`);
  });
});

test("one seed tells one story, and another seed another", () => {
  const [once, again, other] = [storyOf(7), storyOf(7), storyOf(8)];
  expect(once.length).toBeGreaterThan(100);
  expect(again).toEqual(once);
  expect(other).not.toEqual(once);
});

test("a run takes neither the time nor the chance of the machine", () => {
  const spies = [
    spyOn(Date, "now"),
    spyOn(Math, "random"),
    spyOn(performance, "now"),
    spyOn(crypto, "getRandomValues"),
    spyOn(globalThis, "setTimeout"),
    spyOn(globalThis, "setInterval"),
    spyOn(globalThis, "setImmediate"),
  ];
  simulate(1);
  const calls = spies.map((spy) => spy.mock.calls.length);
  for (const spy of spies) spy.mockRestore();
  expect(calls).toEqual(spies.map(() => 0));
});

function storyOf(seed: number): string[] {
  const lines: string[] = [];
  simulate(seed, {}, (line) => lines.push(line));
  return lines;
}
