import { describe, expect, test } from "bun:test";
import { parseMetrics } from "../testing/prometheus.ts";
import { createRegistry } from "./registry.ts";

describe("a metric", () => {
  test("is told with what it means, and its series as they came", () => {
    const registry = createRegistry();
    const sent = registry.counter({ name: "sent_total", help: "Things sent.", labels: ["by"] }, [["ann"]]);
    sent.add(["bob"]);
    sent.add(["bob"], 2);
    registry.reading("gauge", { name: "here", help: "Who is here." }, () => 4.5);
    expect(registry.text()).toBe(
      [
        "# HELP sent_total Things sent.",
        "# TYPE sent_total counter",
        'sent_total{by="ann"} 0',
        'sent_total{by="bob"} 3',
        "# HELP here Who is here.",
        "# TYPE here gauge",
        "here 4.5",
        "",
      ].join("\n"),
    );
  });

  test("of lengths counts each up to every bound that it lies within", () => {
    const registry = createRegistry();
    const took = registry.histogram({ name: "took_seconds", help: "How long." }, [0.5, 1]);
    for (const value of [0.2, 0.5, 0.7, 3]) took.observe(value);
    const { sum } = parseMetrics(registry.text());
    const reached = ["0.5", "1", "+Inf"].map((le) => sum("took_seconds_bucket", { le }));
    expect(reached).toEqual([2, 3, 4]);
    expect([sum("took_seconds_sum"), sum("took_seconds_count")]).toEqual([4.4, 4]);
  });

  test("may have any text for a label", () => {
    const registry = createRegistry();
    const odd = 'a "quoted" \\ line\nbreak';
    registry.reading("gauge", { name: "odd", help: "Odd.", labels: ["text"] }, () => [[[odd], 1]]);
    expect(registry.text()).toContain('odd{text="a \\"quoted\\" \\\\ line\\nbreak"} 1\n');
    expect(parseMetrics(registry.text()).sum("odd")).toBe(1);
  });
});

test.each([
  ["told twice", "# HELP a A.\n# TYPE a gauge\na 1\na 1\n"],
  ["told twice", "# HELP a A.\n# TYPE a gauge\na 1\n# HELP a A.\n# TYPE a gauge\n"],
  ["not of a", "# HELP a A.\n# TYPE a gauge\nb 1\n"],
  ["no sample", "a 1\n"],
  ["no name", "# HELP a A.\n# TYPE a counter\na 1\n"],
  ["out of place", "# TYPE a gauge\na 1\n"],
  ["does not end", "# HELP a A.\n# TYPE a gauge\na 1"],
  [
    "add up",
    '# HELP a A.\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  ],
])("the reader of tests finds what is %s", (what, text) => {
  expect(() => parseMetrics(text)).toThrow(what);
});
