/** `bun run simulate -- --seeds 100000 [--from 5000]`: many runs. `bun run simulate -- --seed 1234`: tells one of them. */
import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: { seed: { type: "string" }, seeds: { type: "string" }, from: { type: "string" } },
});
const { seed, seeds = "10000", from = "1" } = values;

if (seed !== undefined) tell(Number(seed));
else runAll(Number(from), Number(seeds));

function tell(one: number): void {
  const broken = simulate(one, {}, console.log);
  console.log(
    broken.length === 0 ? `seed ${one} keeps every promise` : `seed ${one} breaks ${broken.length}`,
  );
  process.exitCode = broken.length === 0 ? 0 : 1;
}

function runAll(first: number, count: number): void {
  const startedAt = performance.now();
  let failed = 0;
  for (let each = first; each < first + count; each++) {
    const broken = simulate(each);
    if (broken.length === 0) continue;
    failed++;
    console.log(`seed ${each}\n  ${broken.join("\n  ")}`);
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${count} seeds from ${first} in ${seconds} s: ${failed} broke a promise`);
  process.exitCode = failed === 0 ? 0 : 1;
}
