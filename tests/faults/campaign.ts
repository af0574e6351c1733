/** `bun run faults -- --minutes 30`: faults at random, one after the other, and a table of what came of them. */
import { parseArgs } from "node:util";
import { chance, newSeed } from "./chance.ts";
import { FAULTS } from "./faults/all.ts";
import { run, type Fault, type Outcome } from "./round.ts";
import { createTally } from "./tally.ts";
import { makeTemplate } from "./template.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "30" }, seed: { type: "string" } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? newSeed());
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error("bun run faults -- --minutes 30 --seed 1");
  process.exit(2);
}

const random = chance(seed);
const tally = createTally();
const deadline = performance.now() + minutes * 60_000;
const interruption = new AbortController();
process.once("SIGINT", () => interruption.abort());
const { signal } = interruption;

console.log(`${minutes} minutes with the seed ${seed}; Ctrl-C ends them sooner.`);
const possible = FAULTS.filter((fault) => {
  const missing = fault.missing();
  if (missing !== null) console.log(`Left out: ${fault.name}: ${missing}`);
  return missing === null;
});

const template = await makeTemplate();
try {
  for (let waiting: Fault[] = []; performance.now() < deadline;) {
    // Each once before any comes again.
    if (waiting.length === 0) waiting = [...possible];
    const [fault] = waiting.splice(Math.floor(random() * waiting.length), 1);
    if (!fault) break;
    const round = { template, fault, random: chance(random() * 2 ** 32), isLong: true, signal };
    report(fault, await run(round));
  }
} catch (error) {
  if (!signal.aborted) throw error;
} finally {
  template.remove();
}
console.log(`\n${tally.table()}`);
process.exit(tally.violations() > 0 ? 1 : 0);

function report({ name }: Fault, outcome: Outcome): void {
  const { violations } = outcome;
  tally.add(name, outcome);
  console.log(`${name}: ${violations.length} violations`);
  for (const { invariant, sentence, evidence } of violations.slice(0, 10))
    console.log(`  ${invariant} ${sentence}\n    ${JSON.stringify(evidence).slice(0, 500)}`);
}
