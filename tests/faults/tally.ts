/** What many runs come to: a line for each fault. */
import type { Outcome } from "./round.ts";

export interface Tally {
  add(fault: string, outcome: Outcome): void;
  violations(): number;
  /** As Markdown. */
  table(): string;
}

interface Line {
  times: number;
  acknowledged: number;
  deliveries: number;
  recovery: number;
  violations: number;
}

const HEADER = [
  "| fault | times | messages acknowledged | deliveries checked | longest recovery | violations |",
  "|---|---|---|---|---|---|",
];

export function createTally(): Tally {
  const lines = new Map<string, Line>();
  const nothing: Line = { times: 0, acknowledged: 0, deliveries: 0, recovery: 0, violations: 0 };

  return {
    add(fault, { acknowledged, deliveries, recovery, violations }) {
      const line = lines.get(fault) ?? nothing;
      lines.set(fault, {
        times: line.times + 1,
        acknowledged: line.acknowledged + acknowledged,
        deliveries: line.deliveries + deliveries,
        recovery: Math.max(line.recovery, recovery),
        violations: line.violations + violations.length,
      });
    },

    violations: () => [...lines.values()].reduce((sum, line) => sum + line.violations, 0),

    table() {
      const rows = [...lines]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([fault, line]) => {
          const { times, acknowledged, deliveries, recovery, violations } = line;
          const cells = [times, acknowledged, deliveries].map((count) => count.toLocaleString("en"));
          return `| ${[fault, ...cells, `${(recovery / 1000).toFixed(1)} s`, violations].join(" | ")} |`;
        });
      return [...HEADER, ...rows].join("\n");
    },
  };
}
