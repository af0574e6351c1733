/** A data folder without a database in it. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PASSWORD } from "../../src/testing/client.ts";
import { makeDataDir, removeDataDir, runCommand } from "../../src/testing/world.ts";

// Processes take their time to start where many tests run at once.
setDefaultTimeout(30_000);

const dataDir = makeDataDir();
afterEach(() => removeDataDir(dataDir));

test("no command but the one that makes an account makes a database", async () => {
  for (const act of ["promote", "disable", "enable", "password"]) {
    const { code, stdout, stderr } = await runCommand(dataDir, ["user", act, "ann"], { input: PASSWORD });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^There is no database at .*: is DATA_DIR right\?\n$/);
  }
  expect(existsSync(join(dataDir, "echochat.sqlite"))).toBe(false);
});
