/** The dashboard and the alerts speak of what the binary tells, and of nothing else. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { binary } from "../../src/testing/binary.ts";
import { findPostgres, startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { parseMetrics, type Scrape } from "../../src/testing/prometheus.ts";
import { findRedis, startRedis, type RedisServer } from "../../src/testing/redis.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

const ROOT = join(import.meta.dir, "..", "..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}

interface Panel {
  id: number;
  title: string;
  type: string;
  gridPos: Record<"x" | "y" | "w" | "h", number>;
  targets?: { refId: string; expr: string }[];
}

const dashboard = JSON.parse(read("deploy/grafana.json")) as { panels: Panel[] };
const alerts = Bun.YAML.parse(read("deploy/alerts.yml")) as { groups: { name: string; rules: Rule[] }[] };
const rules = alerts.groups.flatMap((group) => group.rules);
const shown = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** What Prometheus makes itself of every scrape. */
const ITS_OWN = new Set(["up"]);
const WORDS = new Set("by sum max rate increase changes histogram_quantile time".split(" "));

/** The metrics that a query names; throws for one whose brackets or quotes do not close. */
function metricsIn(expression: string): string[] {
  const plain = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const open: string[] = [];
  for (const sign of plain.replace(/[^()[\]{}]/g, "")) {
    const pair = { ")": "(", "]": "[", "}": "{" }[sign];
    if (!pair) open.push(sign);
    else if (open.pop() !== pair) throw new Error(`unbalanced: ${expression}`);
  }
  if (open.length > 0 || (plain.replaceAll('""', "").match(/"/g) ?? []).length > 0)
    throw new Error(`unbalanced: ${expression}`);
  const bare = plain.replace(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)/g, " ");
  return [...bare.matchAll(/[a-z_][a-z0-9_]*/gi)].map(([name]) => name).filter((name) => !WORDS.has(name));
}

let dataDir: string;
let server: Process;
let seen: Scrape;
let postgres: PostgresServer | undefined;
let redis: RedisServer | undefined;

/** As one of many, where it can be: then it has most to tell. */
beforeAll(async () => {
  dataDir = makeDataDir();
  const many = findPostgres() && findRedis();
  [postgres, redis] = many ? await Promise.all([startPostgres(), startRedis()]) : [];
  const shared = postgres &&
    redis && {
      DATABASE_URL: await postgres.createDatabase(),
      REDIS_URL: redis.url,
      SECRET_KEY: "s".repeat(40),
    };
  server = await startProcess(dataDir, { METRICS_PORT: "0", ...shared }, await binary());
  while (!server.output().includes('"event":"metrics"')) await Bun.sleep(10);
  const url = /"url":"([^"]+)"/.exec(server.output())?.[1] ?? "";
  seen = parseMetrics(await (await fetch(url)).text());
});
afterAll(async () => {
  await server.stop();
  await redis?.stop();
  await postgres?.stop();
  removeDataDir(dataDir);
});

/** A name as it is declared: series of a histogram have three. */
const declared = (name: string) =>
  seen.families.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");

test("a query that does not close, or that names what is not there, would be noticed", () => {
  expect(() => metricsIn("sum(rate(a[5m])")).toThrow("unbalanced");
  expect(() => metricsIn('a{b="c}')).toThrow("unbalanced");
  expect(metricsIn('sum by (le) (rate(one{a="two"}[5m])) / three_total > 0.5')).toEqual([
    "one",
    "three_total",
  ]);
  expect(seen.families.has(declared("echochat_nothing_total"))).toBe(false);
});

test.each([
  ["dashboard", () => shown],
  ["alerts", () => rules.map(({ expr }) => expr)],
])("the %s name only what a scrape of the binary has", (_, expressions) => {
  expect(expressions().length).toBeGreaterThan(10);
  for (const expression of expressions()) {
    const names = metricsIn(expression).filter((name) => !ITS_OWN.has(name));
    if (!ITS_OWN.has(metricsIn(expression)[0] ?? "")) expect(names).not.toEqual([]);
    for (const name of names)
      if (redis || !name.startsWith("echochat_redis"))
        expect([name, seen.families.has(declared(name))]).toEqual([name, true]);
  }
});

test("the labels they ask for are labels of those metrics", () => {
  for (const expression of [...shown, ...rules.map(({ expr }) => expr)]) {
    for (const [, name = "", matchers = ""] of expression.matchAll(/([a-z_]+)\{([^}]*)\}/g)) {
      const samples = [...(seen.families.get(declared(name))?.samples.keys() ?? [])].join("\n");
      for (const [, label = "", value = ""] of matchers.matchAll(/(\w+)=~?"([^"]*)"/g)) {
        if (["job", "instance"].includes(label) || samples === "") continue;
        expect([name, samples]).toEqual([name, expect.stringContaining(`${label}="`)]);
        if (/^[\w.]+$/.test(value) && name !== "echochat_http_requests_total")
          expect([name, samples]).toEqual([name, expect.stringContaining(`${label}="${value}"`)]);
      }
    }
  }
});

test("the dashboard shows everything that the binary tells", () => {
  const named = new Set(shown.flatMap(metricsIn).map(declared));
  expect([...seen.families.keys()].filter((name) => !named.has(name))).toEqual([]);
});

test("its panels have a place of their own, and queries that the editor can tell apart", () => {
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const taken = new Set<string>();
  for (const { gridPos, targets = [], type, title } of dashboard.panels) {
    expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect([title, taken.has(`${x} ${y}`)]).toEqual([title, false]);
        taken.add(`${x} ${y}`);
      }
    expect([title, targets.length > 0]).toEqual([title, type !== "row"]);
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
  }
});

test("each alert has a name of its own, and says in sentences what is the matter", () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { alert, labels, annotations } of rules) {
    expect(alert).toMatch(/^EchoChat[A-Z][A-Za-z]+$/);
    expect(["critical", "warning"]).toContain(labels.severity);
    for (const sentence of [annotations.summary, annotations.description]) expect(sentence).toMatch(/[.?]$/);
  }
});

test("the page about monitoring has every metric and every alert", () => {
  const page = read("docs/monitoring.md");
  for (const name of [...seen.families.keys(), ...rules.map(({ alert }) => alert)])
    expect([name, page.includes(`\`${name}\``)]).toEqual([name, true]);
});
