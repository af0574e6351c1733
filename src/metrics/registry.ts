/** Counters, gauges and histograms, and the text in which Prometheus reads them. */

type Kind = "counter" | "gauge" | "histogram";

/** Of a series, in the order of the names of its labels. */
type Values = readonly string[];

export interface Counter {
  add(values?: Values, by?: number): void;
}

export interface Histogram {
  observe(value: number, values?: Values): void;
}

/** Name, help, and the names of the labels. */
export interface Described {
  name: string;
  help: string;
  labels?: readonly string[];
}

export interface Registry {
  /** `known`: series that are there from the start, at zero, so that their first step is seen as one. */
  counter(what: Described, known?: readonly Values[]): Counter;
  histogram(what: Described, bounds: readonly number[], known?: readonly Values[]): Histogram;
  /** What is known elsewhere and asked for when somebody reads. */
  reading(kind: "counter" | "gauge", what: Described, read: () => number | [Values, number][]): void;
  text(): string;
}

interface Sums {
  values: Values;
  /** How many lay within each bound and in none below it. */
  within: number[];
  count: number;
  sum: number;
}

export function createRegistry(): Registry {
  const families: (() => string)[] = [];

  function family(kind: Kind, { name, help, labels = [] }: Described, lines: (labels: Values) => string[]) {
    families.push(() => [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...lines(labels)].join("\n"));
  }

  return {
    counter(what, known = what.labels ? [] : [[]]) {
      const counts = new Map<string, { values: Values; count: number }>();
      const add = (values: Values = [], by = 1) => {
        const key = values.join(" ");
        const found = counts.get(key);
        if (found) found.count += by;
        else counts.set(key, { values, count: by });
      };
      for (const values of known) add(values, 0);
      family("counter", what, (labels) =>
        [...counts.values()].map(({ values, count }) => line(what.name, labels, values, count)),
      );
      return { add };
    },

    histogram(what, bounds, known = what.labels ? [] : [[]]) {
      const series = new Map<string, Sums>();
      const of = (values: Values) => {
        const key = values.join(" ");
        const found = series.get(key) ?? { values, within: bounds.map(() => 0), count: 0, sum: 0 };
        series.set(key, found);
        return found;
      };
      for (const values of known) of(values);
      family("histogram", what, (labels) =>
        [...series.values()].flatMap((sums) => buckets(what.name, labels, bounds, sums)),
      );
      return {
        observe(value, values = []) {
          const sums = of(values);
          const at = bounds.findIndex((bound) => value <= bound);
          if (at >= 0) sums.within[at] = (sums.within[at] ?? 0) + 1;
          sums.count++;
          sums.sum += value;
        },
      };
    },

    reading(kind, what, read) {
      family(kind, what, (labels) => {
        const found = read();
        const series: [Values, number][] = typeof found === "number" ? [[[], found]] : found;
        return series.map(([values, value]) => line(what.name, labels, values, value));
      });
    },

    text: () => `${families.map((lines) => lines()).join("\n")}\n`,
  };
}

function buckets(name: string, labels: Values, bounds: readonly number[], sums: Sums): string[] {
  const { values, within, count, sum } = sums;
  let below = 0;
  const bucket = (bound: string, reached: number) =>
    line(`${name}_bucket`, [...labels, "le"], [...values, bound], reached);
  return [
    ...bounds.map((bound, i) => bucket(String(bound), (below += within[i] ?? 0))),
    bucket("+Inf", count),
    line(`${name}_sum`, labels, values, sum),
    line(`${name}_count`, labels, values, count),
  ];
}

function line(name: string, labels: Values, values: Values, value: number): string {
  const pairs = labels.map((label, i) => `${label}="${escaped(values[i] ?? "")}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
