/** Reads what `/metrics` says as strictly as its format is written down: whatever is not quite right throws. */

export interface Family {
  type: string;
  help: string;
  /** By name and labels, as they are written. */
  samples: Map<string, number>;
}

export interface Scrape {
  families: ReadonlyMap<string, Family>;
  /** The sum of the series of this name that have these labels; throws for a name that is not there. */
  sum(name: string, labels?: Record<string, string>): number;
}

const HEAD = /^# (HELP|TYPE) ([a-z_][a-z0-9_]*) (\S.*)$/;
const SAMPLE =
  /^([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\+Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

export function parseMetrics(text: string): Scrape {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family>();
  let current: [name: string, family: Family] | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, what, name = "", value = ""] = HEAD.exec(line) ?? [];
    if (what === "HELP") {
      if (families.has(name)) throw new Error(`${name} is told twice`);
      current = [name, { type: "", help: value, samples: new Map() }];
      families.set(...current);
    } else if (what === "TYPE") {
      if (current?.[0] !== name || current[1].type !== "") throw new Error(`out of place: ${line}`);
      current[1].type = value;
    } else take(current, line);
  }
  for (const [name, family] of families) check(name, family);
  return { families, sum: (name, labels = {}) => sum(families, name, labels) };
}

function take(current: [name: string, family: Family] | undefined, line: string): void {
  const [, name = "", labels = "", value] = SAMPLE.exec(line) ?? [];
  if (!current || value === undefined) throw new Error(`no sample: ${line}`);
  const [family, { type, samples }] = current;
  const names = type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => family + end) : [family];
  if (!names.includes(name)) throw new Error(`not of ${family}: ${line}`);
  const key = `${name}{${labels}}`;
  if (samples.has(key)) throw new Error(`told twice: ${key}`);
  samples.set(key, Number(value.replace("+Inf", "Infinity")));
}

function check(name: string, { type, samples }: Family): void {
  if (!["counter", "gauge", "histogram"].includes(type)) throw new Error(`${name} has no type`);
  if ((type === "counter") !== name.endsWith("_total")) throw new Error(`${name} is no name for a ${type}`);
  if (type !== "histogram") return;
  const series = new Map<string, [bound: number, count: number][]>();
  for (const [key, count] of samples) {
    const [, labels = "", bound = ""] = /_bucket\{(.*?),?le="([^"]+)"\}$/.exec(key) ?? [];
    if (!bound) continue;
    series.set(labels, [...(series.get(labels) ?? []), [Number(bound.replace("+Inf", "Infinity")), count]]);
  }
  for (const [labels, buckets] of series) {
    const rises = buckets.every(([bound, count], i) => {
      const [lower, below] = buckets[i - 1] ?? [-Infinity, 0];
      return bound > lower && count >= below;
    });
    const [last, all] = buckets.at(-1) ?? [];
    if (!rises || last !== Infinity || all !== samples.get(`${name}_count{${labels}}`))
      throw new Error(`the buckets of ${name}{${labels}} do not add up`);
  }
}

function sum(families: ReadonlyMap<string, Family>, name: string, labels: Record<string, string>): number {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ""));
  if (!family) throw new Error(`there is no ${name}`);
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return [...family.samples]
    .filter(([key]) => key.startsWith(`${name}{`) && wanted.every((pair) => key.includes(pair)))
    .reduce((total, [, value]) => total + value, 0);
}
