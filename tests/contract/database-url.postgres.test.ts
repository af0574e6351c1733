import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { failToStart, makeDataDir, removeDataDir, runCommand } from "../../src/testing/world.ts";

setDefaultTimeout(30_000);

let server: PostgresServer;
let url: string;
let dataDir: string;

beforeAll(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
  dataDir = makeDataDir();
});
afterAll(async () => {
  removeDataDir(dataDir);
  await server.stop();
});

const changed = (parts: Partial<Record<"password" | "hostname" | "port" | "pathname", string>>) =>
  Object.assign(new URL(url), parts).href;

describe("a database that cannot be used stops the start with one line, within ten seconds:", () => {
  test.each([
    ["a wrong password", () => changed({ password: "not-the-one" }), "password authentication failed"],
    ["a host that nobody knows", () => changed({ hostname: "nowhere.invalid" }), "no host that is known"],
    ["a port where nothing is", () => changed({ port: "1" }), "nothing that listens"],
    ["a database that is not there", () => changed({ pathname: "/nowhere" }), "does not exist"],
    ["an address that is none", () => "postgres:echochat", "must be a URL such as"],
  ])("%s", async (_, address, words) => {
    const start = performance.now();
    const { code, output } = await failToStart(dataDir, { DATABASE_URL: address() });
    expect({ code, lines: output.trim().split("\n") }).toEqual({
      code: 1,
      lines: [expect.stringMatching(new RegExp(`DATABASE_URL.*${words}`))],
    });
    expect(output).not.toMatch(/not-the-one|a-password-of-tests/);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("a server that says nothing", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const start = performance.now();
    const { code, output } = await failToStart(dataDir, {
      DATABASE_URL: changed({ port: `${silent.port}` }),
    });
    silent.stop(true);
    expect([code, output.trim().split("\n").length]).toEqual([1, 1]);
    expect(output).toMatch(/DATABASE_URL: 127.0.0.1:\d+ does not answer/);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

test("the command line makes, promotes and disables people there, and no file", async () => {
  const env = { DATABASE_URL: url };
  const user = (...args: string[]) =>
    runCommand(dataDir, ["user", ...args], { env, input: "correct horse\n" });
  expect(await user("create", "ann")).toMatchObject({ code: 0, stdout: expect.stringContaining("Made ann") });
  expect(await user("promote", "ann")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("ann is staff"),
  });
  expect(await user("disable", "ann")).toMatchObject({ code: 0 });
  expect(await user("disable", "nobody")).toMatchObject({ code: 1 });
  expect(await server.run("SELECT name, is_staff, is_active FROM users", url)).toEqual([
    { name: "ann", is_staff: true, is_active: false },
  ]);
  expect(existsSync(join(dataDir, "echochat.sqlite"))).toBe(false);
});

test("the command line says in one line that the database cannot be used", async () => {
  const env = { DATABASE_URL: changed({ password: "not-the-one" }) };
  const { code, stderr } = await runCommand(dataDir, ["user", "disable", "ann"], { env });
  expect([code, stderr.trim().split("\n").length]).toEqual([1, 1]);
  expect(stderr).toStartWith("DATABASE_URL: 127.0.0.1");
});
