/** Runs every suite this machine has the means for, and closes with totals that leave nothing out. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPython } from "../src/testing/python.ts";
import { mountDisk } from "../src/testing/small-disk.ts";

const TEST_TIMEOUT_MS = 30_000;
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const chromium = (process.env.CHROMIUM ? [process.env.CHROMIUM] : BROWSERS).find((path) => existsSync(path));

interface Suite {
  name: string;
  owns: (file: string) => boolean;
  /** Why it cannot run here. */
  missing: string | undefined;
  /** Nothing that could be installed would help: it may be left out even where everything is required. */
  machine?: boolean;
  /** `beside`: mostly waits, so it runs beside the others and is shown when it ends. `alone`: has the machine to itself. */
  runs?: "beside" | "alone";
}

const special: Suite[] = [
  {
    name: "browser journeys",
    owns: (file) => file.startsWith("tests/browser/"),
    missing: chromium ? undefined : "no Chromium found; install chromium or set CHROMIUM",
    runs: "beside",
  },
  {
    name: "faults",
    owns: (file) => file.startsWith("tests/faults/"),
    missing: process.platform === "win32" ? "Windows neither stops nor continues a server" : undefined,
    machine: true,
    runs: "alone",
  },
  {
    name: "the example client in Python",
    owns: (file) => file === "tests/contract/example-client-python.test.ts",
    missing: findPython()
      ? undefined
      : "no Python 3 with the package websockets found; install python3-websockets or set PYTHON",
  },
  {
    name: "a failing disk",
    owns: (file) => file === "tests/contract/failing-disk.test.ts",
    missing: process.platform === "linux" ? undefined : "its failures are made by a seccomp filter of Linux",
    machine: true,
  },
  {
    name: "a full disk",
    owns: (file) => file === "tests/contract/full-disk.test.ts",
    missing: whyNoDisk(),
    machine: true,
  },
];

const suites: Suite[] = [
  {
    name: "unit tests and journeys",
    owns: (file) => !special.some((suite) => suite.owns(file)),
    missing: undefined,
  },
  ...special,
];

const totals = { passed: 0, failed: 0, skipped: 0 };
const reasons: string[] = [];

const files = findTests(process.argv.slice(2));
if (files.length === 0) fail("No test file matches.");

const runnable = suites.filter((suite) => {
  const size = files.filter(suite.owns).length;
  if (size > 0 && suite.missing) leaveOut(suite, size);
  return size > 0 && !suite.missing;
});
const inTurn = async (wanted: Suite["runs"]) => {
  for (const suite of runnable.filter(({ runs }) => runs === wanted)) await run(suite);
};
await Promise.all([inTurn(undefined), inTurn("beside")]);
await inTurn("alone");

for (const reason of reasons) console.log(reason);
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

async function run({ owns, runs }: Suite): Promise<void> {
  const paths = files.filter(owns);
  const output = runs === "beside" ? "pipe" : "inherit";
  const folder = mkdtempSync(join(tmpdir(), "echochat-tests-"));
  const report = join(folder, "junit.xml");
  const child = Bun.spawn(
    [
      process.execPath,
      "test",
      `--timeout=${TEST_TIMEOUT_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...paths.map((path) => `./${path}`),
    ],
    {
      stdio: ["ignore", output, output],
      env: { ...process.env, ...(chromium && { CHROMIUM: chromium }) },
    },
  );
  const written = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const exitCode = await child.exited;
  process.stderr.write(written.join(""));
  const failedBefore = totals.failed;
  const reported = existsSync(report);
  if (reported) count(readFileSync(report, "utf8"));
  // No report counts a file that does not load, and a process that exits in the middle leaves none.
  if (totals.failed === failedBefore && (exitCode !== 0 || !reported))
    fail(`bun test ended with ${exitCode}${reported ? "" : " and left no report"}.`);
  rmSync(folder, { recursive: true });
}

function textOf(stream: ReadableStream<Uint8Array> | null | undefined): Promise<string> {
  return stream ? new Response(stream).text() : Promise.resolve("");
}

function count(junit: string): void {
  const [tests, failures, skipped] = ["tests", "failures", "skipped"].map((name) =>
    Number(junit.match(new RegExp(`<testsuites [^>]*\\b${name}="(\\d+)"`))?.[1]),
  ) as [number, number, number];
  totals.passed += tests - failures - skipped;
  totals.failed += failures;
  totals.skipped += skipped;
  for (const [, name, file] of junit.matchAll(/<testcase name="([^"]*)".* file="([^"]*)".*\n *<skipped/g))
    reasons.push(`Skipped: ${name} (${file})`);
}
