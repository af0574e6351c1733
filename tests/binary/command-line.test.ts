/** What the binary says for itself, without a server. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { binary } from "../../src/testing/binary.ts";
import { makeDataDir, removeDataDir, runCommand } from "../../src/testing/world.ts";
import { version } from "../../package.json";

let program: string;
const dataDir = makeDataDir();

beforeAll(async () => {
  program = await binary();
});
afterAll(() => removeDataDir(dataDir));

test("it tells its version", async () => {
  const { code, stdout } = await runCommand(dataDir, ["--version"], { program });
  expect([code, stdout]).toEqual([0, `${version}\n`]);
});

test("it tells what it can do, and tells it again to whoever asks for something else", async () => {
  const { code, stdout } = await runCommand(dataDir, ["--help"], { program });
  expect(code).toBe(0);
  for (const command of ["serve", "user", "migrate"])
    expect(stdout).toContain(`echochat ${command}`.replace(" serve", " [serve]"));
  const wrong = await runCommand(dataDir, ["frobnicate"], { program });
  expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
  expect(wrong.stderr).toBe(`Unknown command "frobnicate".\n\n${stdout}`);
});
