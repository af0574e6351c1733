/** Runs every suite this machine has the means for, and closes with totals that leave nothing out. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findChromium } from "../src/testing/chromium.ts";
import { whyNoNginx } from "../src/testing/nginx.ts";
import { findPostgres } from "../src/testing/postgres.ts";
import { findPython } from "../src/testing/python.ts";
import { findRedis } from "../src/testing/redis.ts";
import { mountDisk } from "../src/testing/small-disk.ts";
import { whyNoNodes } from "./faults/nodes/missing.ts";

const TEST_TIMEOUT_MS = 60_000;

interface Suite {
  name: string;
  owns: (file: string) => boolean;
  /** Why it cannot run here. */
  missing: string | undefined;
  /** Nothing that could be installed would help: it may be left out even where everything is required. */
  machine?: boolean;
  /** Suites of one lane run one after the other, lanes beside each other; `last` has the machine to itself. */
  lane: "one" | "nodes" | "browser" | "browser on nodes" | "last";
  /** The program runs on PostgreSQL and Redis, not on SQLite. */
  onNodes?: boolean;
}

/** What is not run again on PostgreSQL and Redis, and why. */
const SQLITE_ONLY: Record<string, string> = {
  "tests/contract/failing-disk.test.ts": "elsewhere the disk is not the program's own",
  "tests/contract/full-disk.test.ts": "elsewhere the disk is not the program's own",
  "tests/contract/no-database.test.ts": "elsewhere there is no file that could be missing",
};

/** Tests that start what they need of PostgreSQL and Redis themselves. */
const startsServers = (file: string) => /\.(postgres|redis)\.test\.ts$/.test(file);

const noNodes = !findPostgres()
  ? "no PostgreSQL found; install postgresql or set POSTGRES_BIN"
  : !findRedis()
    ? "no Redis found; install redis-server or set REDIS_SERVER"
    : undefined;

const declared: Suite[] = [
  {
    name: "what is only for PostgreSQL and Redis",
    owns: (file) => startsServers(file) && !/^tests\/(faults|binary)\//.test(file),
    missing: noNodes,
    lane: "one",
  },
  {
    name: "browser journeys",
    owns: (file) => file.startsWith("tests/browser/"),
    missing: findChromium() ? undefined : "no Chromium found; install chromium or set CHROMIUM",
    lane: "browser",
  },
  {
    name: "faults",
    owns: (file) => file.startsWith("tests/faults/") && !file.endsWith(".nodes.test.ts"),
    missing: process.platform === "win32" ? "Windows neither stops nor continues a server" : undefined,
    machine: true,
    lane: "last",
  },
  {
    name: "faults with many nodes",
    owns: (file) => file.startsWith("tests/faults/") && file.endsWith(".nodes.test.ts"),
    missing: whyNoNodes() ?? undefined,
    lane: "last",
  },
  {
    name: "the example client in Python",
    owns: (file) => file === "tests/contract/example-client-python.test.ts",
    missing: findPython()
      ? undefined
      : "no Python 3 with the package websockets found; install python3-websockets or set PYTHON",
    lane: "one",
  },
  {
    name: "a failing disk",
    owns: (file) => file === "tests/contract/failing-disk.test.ts",
    missing: process.platform === "linux" ? undefined : "its failures are made by a seccomp filter of Linux",
    machine: true,
    lane: "one",
  },
  {
    name: "a full disk",
    owns: (file) => file === "tests/contract/full-disk.test.ts",
    missing: whyNoDisk(),
    machine: true,
    lane: "one",
  },
  // Each of these two makes the binary, which nobody can start in the moment in which it is replaced: they are in one lane.
  {
    name: "behind nginx",
    owns: (file) => file === "tests/binary/behind-nginx.test.ts",
    missing: whyNoNginx() ?? noNodes,
    lane: "nodes",
  },
  {
    name: "the binary",
    owns: (file) => file.startsWith("tests/binary/"),
    missing: noNodes,
    lane: "nodes",
  },
  {
    name: "contract",
    owns: (file) => file.startsWith("tests/contract/"),
    missing: undefined,
    lane: "one",
  },
  { name: "unit tests", owns: () => true, missing: undefined, lane: "one" },
];

/** Each file belongs to the first that wants it. */
const onSqlite = declared.map((suite, i) => ({
  ...suite,
  owns: (file: string) => suite.owns(file) && !declared.slice(0, i).some((earlier) => earlier.owns(file)),
}));

/** What the program promises to whoever uses it, it promises on PostgreSQL and Redis as well. */
const onServers = onSqlite.flatMap((suite): Suite[] =>
  ["contract", "the example client in Python", "browser journeys"].includes(suite.name)
    ? [
        {
          ...suite,
          name: `${suite.name}, on PostgreSQL and Redis`,
          owns: (file) => suite.owns(file) && !Object.hasOwn(SQLITE_ONLY, file),
          missing: suite.missing ?? noNodes,
          // What costs most here is waiting: for timers, for pages, for limits to end.
          lane: suite.lane === "browser" ? "browser on nodes" : "nodes",
          onNodes: true,
        },
      ]
    : [],
);

const totals = { passed: 0, failed: 0, skipped: 0 };
const reports: string[] = [];
const reasons: string[] = [];

const files = findTests(process.argv.slice(2));
if (files.length === 0) fail("No test file matches.");

const runnable = [...onSqlite, ...onServers].filter((suite) => {
  const size = files.filter(suite.owns).length;
  if (size > 0 && suite.missing) leaveOut(suite, size);
  return size > 0 && !suite.missing;
});
const inTurn = async (lane: Suite["lane"]) => {
  for (const suite of runnable.filter((each) => each.lane === lane)) await run(suite);
};
await Promise.all([inTurn("browser on nodes"), inTurn("browser"), inTurn("nodes"), inTurn("one")]);
await inTurn("last");

for (const [file, reason] of Object.entries(SQLITE_ONLY))
  if (files.includes(file)) reasons.push(`On SQLite only: ${file} (${reason})`);
for (const line of [...reports, ...reasons]) console.log(line);
console.log(
  `${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ""}`,
);
process.exitCode = totals.failed > 0 ? 1 : 0;

function findTests(filters: string[]): string[] {
  const found = [...new Bun.Glob("{src,views,islands,tests}/**/*.test.{ts,tsx}").scanSync()];
  const paths = found.map((path) => path.replaceAll("\\", "/")).toSorted();
  const wanted = filters.map((filter) => filter.replace(/^\.\//, ""));
  return wanted.length === 0 ? paths : paths.filter((path) => wanted.some((part) => path.includes(part)));
}

/** A file left out counts as one skipped; where everything is required it is a failure. */
function leaveOut({ name, missing, machine }: Suite, size: number): void {
  const line = `Left out: ${name} (${missing})`;
  console.log(line);
  if (process.env.REQUIRE_ALL_SUITES === "1" && !machine) return fail(line);
  reasons.push(line);
  totals.skipped += size;
}

function whyNoDisk(): string | undefined {
  try {
    mountDisk(1).remove();
    return undefined;
  } catch (error) {
    return `a small disk of its own needs root on Linux: ${String(error)}`;
  }
}

function fail(reason: string): void {
  reasons.push(reason);
  totals.failed += 1;
}

/** Suites run beside each other: each is shown when it ends, and only what failed in it. */
async function run({ name, owns, onNodes }: Suite): Promise<void> {
  const paths = files.filter(owns);
  console.error(`begins: ${name}`);
  const startedAt = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "echochat-tests-"));
  const report = join(folder, "junit.xml");
  const child = Bun.spawn(
    [
      process.execPath,
      "test",
      `--timeout=${TEST_TIMEOUT_MS}`,
      "--only-failures",
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...paths.map((path) => `./${path}`),
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, STORES: onNodes ? "nodes" : undefined },
    },
  );
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const exitCode = await child.exited;
  const reported = existsSync(report);
  if (exitCode !== 0 || !reported) process.stderr.write(`\n== ${name} ==\n${stdout}${stderr}\n`);
  const { passed, failed } = count(name, reported ? readFileSync(report, "utf8") : "");
  // No report counts a file that does not load, and a process that exits in the middle leaves none.
  if (failed === 0 && (exitCode !== 0 || !reported))
    fail(`${name}: bun test ended with ${exitCode}${reported ? "" : " and left no report"}.`);
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  const line = `${name}: ${passed} passed, ${failed} failed in ${seconds} s`;
  console.error(`ended: ${line}`);
  reports.push(line);
  rmSync(folder, { recursive: true });
}

function count(suite: string, junit: string): { passed: number; failed: number } {
  const [tests, failed, skipped] = ["tests", "failures", "skipped"].map((name) =>
    Number(junit.match(new RegExp(`<testsuites [^>]*\\b${name}="(\\d+)"`))?.[1] ?? 0),
  ) as [number, number, number];
  const passed = tests - failed - skipped;
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
  for (const [, name, file, what] of junit.matchAll(
    /<testcase name="([^"]*)".* file="([^"]*)".*\n *<(skipped|failure)/g,
  ))
    reasons.push(`${what === "skipped" ? "Skipped" : "Failed"}: ${name} (${suite}, ${file})`);
  return { passed, failed };
}
