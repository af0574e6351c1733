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

/** Below this share the server did not do all it could, and the rate says more about what it waited for. */
const SATURATED = 0.9;

/** Above this share the load did all it could, and a faster server would not show. */
const EXHAUSTED = 0.95;

/** Above this share the disk is what the server waited for. */
const WAITED = 0.03;

/** A machine of which others use more than this gives rates that cannot be trusted. */
const DISTURBED = 0.1;

export interface Comparison {
  title: string;
  /** What is counted: "requests", "deliveries". */
  units: string;
  results: Results<Round>;
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
  const notes = [...results].flatMap(([name, rounds]) => {
    const limits = limitsOf(rounds);
    return limits.length === 0 ? [] : [`${name}: ${limits.join("; ")}; compare CPU, not rates`];
  });
  const rounds = [...results.values()].flat();
  const [onServer, onLoad] = [
    Math.max(...rounds.map(takenFromServer)),
    Math.max(...rounds.map(takenFromLoad)),
  ];
  if (Math.max(onServer, onLoad) > DISTURBED) {
    const taken = `${percent(onServer)} of the server's core and ${percent(onLoad)} of the load's`;
    notes.push(`other programs took up to ${taken}`);
  }
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

/** What else than the server's core has bounded the rate. */
function limitsOf(rounds: readonly Round[]): string[] {
  const median = (measure: (round: Round) => number) => spread(rounds.map(measure)).median;
  const [server, disk] = [median(({ serverCore }) => serverCore), median((round) => round.disk)];
  const load = median(({ loadCpu, seconds }) => loadCpu / seconds);
  const limits: string[] = [];
  if (load > EXHAUSTED) limits.push(`the load was the limit, with ${percent(load)} of its core`);
  if (server < SATURATED) {
    const cause = disk > WAITED ? `${percent(disk)} for the disk` : "for the load";
    limits.push(`the server's core was idle ${percent(1 - server)} of the time, ${cause}`);
  }
  return limits;
}

/** Several figures of each subject. */
export function figures<Name extends string>(
  title: string,
  columns: Record<Name, (value: number) => string>,
  results: Results<Record<Name, number>>,
): Section {
  const names = Object.keys(columns) as Name[];
  const rows = [...results].map(([subject, rounds]) => [
    subject,
    ...names.map((name) => shown(spread(rounds.map((round) => round[name])), columns[name])),
  ]);
  return { title, columns: ["", ...names], rows, notes: [] };
}

/** The same, with the ratios of all but the first subject to the first. */
export function table<Name extends string>(
  title: string,
  columns: Record<Name, (value: number) => string>,
  results: Results<Record<Name, number>>,
): Section {
  const names = Object.keys(columns) as Name[];
  const valuesOf = (subject: string, name: Name) => (results.get(subject) ?? []).map((round) => round[name]);
  const [base = "", ...others] = results.keys();
  const relative = others.map((subject) => [
    `${subject} : ${base}`,
    ...names.map((name) => shown(ratios(valuesOf(subject, name), valuesOf(base, name)), times)),
  ]);
  const section = figures(title, columns, results);
  return { ...section, rows: [...section.rows, ...relative] };
}

/** Single figures, each with its ratio to the first of them. */
export function list(
  title: string,
  unit: string,
  values: readonly (readonly [string, readonly number[]])[],
): Section {
  const base = values[0]?.[1] ?? [];
  return {
    title,
    columns: ["", unit, "ratio"],
    rows: values.map(([name, rounds]) => [
      name,
      shown(spread(rounds), whole),
      shown(ratios(rounds, base), times),
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

function takenFromServer({ serverCore, serverCpu, seconds }: Round): number {
  return serverCore - serverCpu / seconds;
}

function takenFromLoad({ loadCore, loadCpu, seconds }: Round): number {
  return loadCore - loadCpu / seconds;
}

/** The median, then the smallest and the largest. */
function shown({ median, min, max }: Spread, format: (value: number) => string): string {
  return min === max ? format(median) : `${format(median)} (${format(min)}-${format(max)})`;
}

export const whole = (value: number) => Math.round(value).toLocaleString("en");
export const short = (value: number) => (value < 100 ? value.toFixed(value < 10 ? 2 : 1) : whole(value));
const times = (value: number) => value.toFixed(value < 10 ? 2 : 1);
const percent = (share: number) => `${Math.round(share * 100)} %`;
