/** `bun run faults -- --minutes 30`: faults at random, one after the other, and a table of what came of them. */
import { parseArgs } from "node:util";
import { chance, newSeed } from "./chance.ts";
import { FAULTS } from "./faults/all.ts";
import { NODES_FAULTS } from "./nodes/faults/all.ts";
import { whyNoNodes } from "./nodes/missing.ts";
import { openNodes } from "./nodes/scene.ts";
import { makeNodesTemplate } from "./nodes/template.ts";
import { run, type Fault, type Outcome, type Round } from "./round.ts";
import { openScene, type Scene } from "./scene.ts";
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
const noNodes = whyNoNodes();
if (noNodes !== null) console.log(`Left out: all faults of many nodes: ${noNodes}`);
const one = await makeTemplate();
const many = noNodes === null ? await makeNodesTemplate() : null;
const rounds = [
  ...FAULTS.map((fault) => play(fault, (place) => openScene(one, place))),
  ...(many ? NODES_FAULTS.map((fault) => play(fault, (place) => openNodes(many, place))) : []),
];
const possible = rounds.filter(({ name, missing }) => {
  if (missing !== null) console.log(`Left out: ${name}: ${missing}`);
  return missing === null;
});

try {
  for (let waiting: typeof rounds = []; performance.now() < deadline;) {
    // Each once before any comes again.
    if (waiting.length === 0) waiting = [...possible];
    const [round] = waiting.splice(Math.floor(random() * waiting.length), 1);
    if (!round) break;
    report(round.name, await round.run());
  }
} catch (error) {
  if (!signal.aborted) throw error;
} finally {
  await one.remove();
  await many?.remove();
}
console.log(`\n${tally.table()}`);
process.exit(tally.violations() > 0 ? 1 : 0);

function play<Where extends Scene>(fault: Fault<Where>, open: Round<Where>["open"]) {
  const round = { open, fault, isLong: true, signal };
  const rerun = () => run({ ...round, random: chance(random() * 2 ** 32) });
  return { name: fault.name, missing: fault.missing(), run: rerun };
}

function report(name: string, outcome: Outcome): void {
  const { violations } = outcome;
  tally.add(name, outcome);
  console.log(`${name}: ${violations.length} violations`);
  for (const { invariant, sentence, evidence } of violations.slice(0, 10))
    console.log(`  ${invariant} ${sentence}\n    ${JSON.stringify(evidence).slice(0, 500)}`);
}
