/** What a run says in the end: a table for each measurement. */
import {
  cpuMicroseconds,
  perSecond,
  ratios,
  spread,
  type Results,
  type Round,
  type Spread,
} from "./rounds.ts";

export interface Section {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  notes: readonly string[];
}

/** Below this share the server did not do all it could, and the rate says more about the load. */
const SATURATED = 0.9;

/** Above this share the load did all it could, and a faster server would not show. */
const EXHAUSTED = 0.97;

/** A machine of which others use more than this gives rates that cannot be trusted. */
const DISTURBED = 0.1;

export interface Comparison {
  title: string;
  /** What is counted: "requests", "deliveries". */
  units: string;
  results: Results;
  /** Pairs of names: what is compared, and with what. */
  against: readonly (readonly [string, string])[];
}

/** Rates and CPU of all subjects, then the ratios. */
export function comparison({ title, units, results, against }: Comparison): Section {
  const roundsOf = (name: string) => results.get(name) ?? [];
  const absolute = [...results].map(([name, rounds]) => [
    name,
    shown(spread(rounds.map(perSecond)), whole),
    shown(spread(rounds.map(cpuMicroseconds)), short),
    percent(spread(rounds.map(({ serverCore }) => serverCore)).median),
    percent(spread(rounds.map(({ loadCore }) => loadCore)).median),
  ]);
  const relative = against.map(([name, base]) => {
    const ratio = (measure: (round: Round) => number) =>
      shown(ratios(roundsOf(name).map(measure), roundsOf(base).map(measure)), times);
    return [`${name} : ${base}`, ratio(perSecond), ratio(cpuMicroseconds), "", ""];
  });
  const busy = (name: string, core: "serverCore" | "loadCore") =>
    spread(roundsOf(name).map((round) => round[core])).median;
  const limited = [...results.keys()].filter(
    (name) => busy(name, "serverCore") < SATURATED || busy(name, "loadCore") > EXHAUSTED,
  );
  const notes = limited.map(
    (name) => `${name}: not limited by the server's core alone; compare CPU, not rates`,
  );
  const others = Math.max(...[...results.values()].flat().map(takenByOthers));
  if (others > DISTURBED)
    notes.push(`other programs took up to ${Math.round(others * 100)} % of the server's core`);
  return {
    title,
    columns: [
      "",
      `${units}/s`,
      `server CPU, us/${units.replace(/ies$/, "y").replace(/s$/, "")}`,
      "server core",
      "load core",
    ],
    rows: [...absolute, ...relative],
    notes,
  };
}

/** Single figures, each with its ratio to the first of them. */
export function list(
  title: string,
  unit: string,
  figures: readonly (readonly [string, readonly number[]])[],
): Section {
  const base = figures[0]?.[1] ?? [];
  return {
    title,
    columns: ["", unit, "ratio"],
    rows: figures.map(([name, values]) => [
      name,
      shown(spread(values), whole),
      shown(ratios(values, base), times),
    ]),
    notes: [],
  };
}

export function print({ title, columns, rows, notes }: Section): void {
  const lines = [columns, ...rows];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? "").length)));
  console.log(`\n${title}`);
  for (const line of lines) {
    const cells = line.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0),
    );
    console.log(`  ${cells.join("   ").trimEnd()}`);
  }
  for (const note of notes) console.log(`  ! ${note}`);
}

function takenByOthers({ serverCore, serverCpu, seconds }: Round): number {
  return serverCore - serverCpu / seconds;
}

/** The median, then the smallest and the largest. */
function shown({ median, min, max }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(min)}-${format(max)})`;
}

const whole = (value: number) => Math.round(value).toLocaleString("en");
const short = (value: number) => (value < 100 ? value.toFixed(value < 10 ? 2 : 1) : whole(value));
const times = (value: number) => value.toFixed(value < 10 ? 2 : 1);
const percent = (share: number) => `${Math.round(share * 100)} %`;
