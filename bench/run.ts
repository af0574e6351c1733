/** `bun run bench`: everything, or the measurements named: `bun run bench pages live`. See README.md. */
import { makeData, type Data } from "./data.ts";
import { pinLoad } from "./machine.ts";
import { measureCommits } from "./measure/commits.ts";
import { measureHistory } from "./measure/history.ts";
import { measureIdle } from "./measure/idle.ts";
import { measureLatency } from "./measure/latency.ts";
import { measureLive } from "./measure/live.ts";
import { measureNodes } from "./measure/nodes.ts";
import { measurePages } from "./measure/pages.ts";
import { measurePostgres } from "./measure/postgres.ts";
import { measureSlowReader } from "./measure/slow-reader.ts";
import { measureStart } from "./measure/starting.ts";
import { print, type Section } from "./report.ts";
import { ROUNDS } from "./rounds.ts";

const MEASUREMENTS: Record<string, (data: Data) => Promise<Section[]>> = {
  pages: measurePages,
  history: async (data) => [await measureHistory(data)],
  live: measureLive,
  latency: measureLatency,
  commits: async (data) => [await measureCommits(data)],
  idle: async (data) => [await measureIdle(data)],
  slow: async (data) => [await measureSlowReader(data)],
  start: measureStart,
  postgres: measurePostgres,
  nodes: measureNodes,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(MEASUREMENTS);
const unknown = wanted.find((name) => !(name in MEASUREMENTS));
if (unknown) {
  console.error(`There is no measurement "${unknown}"; there are ${Object.keys(MEASUREMENTS).join(", ")}.`);
  process.exit(2);
}

// Leaving by process.exit ends the servers and removes the data.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const startedAt = performance.now();
console.log(`Bun ${Bun.version}; ${pinLoad()}`);
console.log(
  `Medians of ${ROUNDS} rounds (smallest-largest), taken in turn; ratios are between neighbouring rounds`,
);
const data = await makeData();
for (const name of wanted) {
  for (const section of (await MEASUREMENTS[name]?.(data)) ?? []) print(section);
}
console.log(
  `\n${Math.round((performance.now() - startedAt) / 1000)} s; every answer and delivery was checked`,
);
process.exit(0);
