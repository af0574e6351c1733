import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLost, isUnavailable } from "./failures.ts";

const folder = mkdtempSync(join(tmpdir(), "echochat-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a database says when another connection holds it. */
function busy(): unknown {
  const file = join(folder, "held.sqlite");
  const [holder, other] = [new Database(file), new Database(file)];
  holder.run("BEGIN EXCLUSIVE");
  try {
    return thrownBy(() => other.run("CREATE TABLE t (x)"));
  } finally {
    holder.close();
    other.close();
  }
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

const withCode = (code: string) => Object.assign(new Error("disk I/O error"), { code });

test("a database that another process holds is unavailable, also below the error of a library", () => {
  const error = busy();
  expect(isUnavailable(error)).toBe(true);
  expect(isUnavailable(new Error("query failed", { cause: error }))).toBe(true);
  expect(isLost(error)).toBe(false);
});

test.each(["SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_READONLY_DBMOVED"])(
  "%s is unavailable, not lost",
  (code) => {
    expect([isUnavailable(withCode(code)), isLost(withCode(code))]).toEqual([true, false]);
  },
);

test.each(["SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC"])("after %s nothing is certain", (code) => {
  expect(isLost(withCode(code))).toBe(true);
  expect(isLost(new Error("query failed", { cause: withCode(code) }))).toBe(true);
});

test("a mistake in a query, or of ours, is neither", () => {
  const mistake = thrownBy(() => new Database(":memory:").run("SELECT * FROM nowhere"));
  for (const error of [mistake, new Error("ours"), "text", null, undefined])
    expect([isUnavailable(error), isLost(error)]).toEqual([false, false]);
});
