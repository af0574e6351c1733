/** What containers ask, of a server that is ready, one that is not, and none. */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary } from "../../src/testing/binary.ts";
import { freePort } from "../../src/testing/postgres.ts";
import {
  makeDataDir,
  removeDataDir,
  runCommand,
  startProcess,
  type Environment,
  type Process,
} from "../../src/testing/world.ts";

setDefaultTimeout(30_000);

let program: string;
const dataDir = makeDataDir();
const elsewhere = makeDataDir();
const running: Process[] = [];

beforeAll(async () => {
  program = await binary();
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});
afterAll(() => [dataDir, elsewhere].forEach(removeDataDir));

async function serving(env: Environment = {}): Promise<Environment & { PORT: string }> {
  const server = await startProcess(dataDir, env, program);
  running.push(server);
  return { ...env, PORT: new URL(server.url).port };
}

const health = (env: Environment) => runCommand(dataDir, ["health"], { env, program });

test.each([
  ["on this machine only", { HOST: "127.0.0.1" }],
  ["everywhere", { HOST: "0.0.0.0" }],
  ["under a name of its own", { ALLOWED_HOSTS: "chat.example", PUBLIC_BASE_URL: "https://chat.example" }],
  ["where others are reached through a proxy", { HTTP_PROXY: "http://127.0.0.1:9" }],
])("a server that listens %s is ready", async (_, env: Environment) => {
  const told = await serving(env);
  const answer = { code: 0, stdout: `EchoChat at 127.0.0.1:${told.PORT}: ok\n`, stderr: "" };
  expect(await health(told)).toEqual(answer);
});

test("a server that has ended is not, nor is one that stands still", async () => {
  const env = await serving();
  const [server] = running as [Process];
  expect((await health(env)).code).toBe(0);
  process.kill(server.pid, "SIGSTOP");
  const still = await health(env);
  process.kill(server.pid, "SIGCONT");
  expect(still).toEqual({
    code: 1,
    stdout: "",
    stderr: `Nothing answers at 127.0.0.1:${env.PORT} (not within 3 s)\n`,
  });
  await server.stop();
  const none = await health(env);
  expect([none.code, none.stdout]).toEqual([1, ""]);
  expect(none.stderr).toBe(`Nothing answers at 127.0.0.1:${env.PORT} (ECONNREFUSED)\n`);
});

test("another program at its port is not taken for it", async () => {
  const other = Bun.serve({ port: 0, fetch: () => new Response('"ok"') });
  const { port } = other;
  const { code, stderr } = await health({ PORT: String(port) });
  void other.stop(true);
  expect([code, stderr]).toEqual([1, `What listens at 127.0.0.1:${port} is not EchoChat\n`]);
});

test("a setting that is wrong is told in one line", async () => {
  expect(await health({ PORT: "http" })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^PORT must be .*\n$/),
  });
  expect(await health({ PORT: "0" })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^PORT is 0.*\n$/),
  });
  const wrong = await runCommand(dataDir, ["health", "now"], { program });
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/^Usage:/)]);
});

test("a server does not start where another listens, at an address of another machine, or by a wrong setting", async () => {
  const { PORT } = await serving();
  const start = (env: Environment) => runCommand(elsewhere, [], { env, program });
  const free = String(await freePort());
  for (const [env, words] of [
    [{ PORT }, "PORT is in use by another program; choose another"],
    [{ PORT: free, HOST: "192.0.2.1" }, "HOST is not an address of this machine"],
    [{ PORT: free, HOST: "no host" }, "HOST is not an address of this machine"],
    [{ PORT: "x" }, 'PORT must be a whole number from 0 to 65535, not "x"'],
    [{ DJANGO_SECRET_KEY: "short" }, "DJANGO_SECRET_KEY must have at least 32 characters"],
  ] as const)
    expect(await start(env)).toEqual({ code: 1, stdout: "", stderr: `EchoChat cannot start: ${words}\n` });
});

test("a server does not start on data that an import has, and says so", async () => {
  const folder = makeDataDir();
  const file = join(folder, "echochat.sqlite");
  const other = new Database(file);
  other.run("CREATE TABLE begun (id)");
  other.run("BEGIN EXCLUSIVE");
  const { code, stderr } = await runCommand(folder, [], { program, env: { PORT: "0" } });
  other.close();
  removeDataDir(folder);
  expect([code, stderr]).toEqual([
    1,
    `EchoChat cannot start: DATA_DIR: ${file} is in use, as it is during an import: wait until that is done\n`,
  ]);
});

const FIRST_PORT = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
const hasRootsPorts = existsSync(FIRST_PORT) && Number(readFileSync(FIRST_PORT, "utf8")) > 81;

test.if(hasRootsPorts)("a server without rights does not start at a port of root's", async () => {
  const withoutRights = join(elsewhere, "echochat");
  const drop = process.getuid?.() === 0 ? "setpriv --bounding-set -net_bind_service" : "";
  writeFileSync(withoutRights, `#!/bin/sh\nexec ${drop} '${program}' "$@"\n`, { mode: 0o755 });
  const start = (env: Environment) => runCommand(elsewhere, [], { env, program: withoutRights });
  for (const [env, words] of [
    [{ PORT: "80" }, "PORT is for root alone; choose one from 1024"],
    [{ PORT: "0", METRICS_PORT: "81" }, "METRICS_PORT 81 is for root alone; choose one from 1024"],
  ] as const)
    expect(await start(env)).toEqual({ code: 1, stdout: "", stderr: `EchoChat cannot start: ${words}\n` });
});

test("an environment of the original starts it, and the log names the new names", async () => {
  const DJANGO_SECRET_KEY = "a key that was good enough for Django";
  await serving({
    DJANGO_SECRET_KEY,
    DJANGO_ALLOWED_HOSTS: "*",
    DJANGO_LOG_LEVEL: "INFO",
    POSTGRES_PASSWORD: "x",
  });
  const [server] = running as [Process];
  const line =
    server
      .output()
      .split("\n")
      .find((each) => each.includes("original")) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({
    level: "info",
    renamed: { DJANGO_SECRET_KEY: "SECRET_KEY", DJANGO_ALLOWED_HOSTS: "ALLOWED_HOSTS" },
    ignored: ["DJANGO_LOG_LEVEL"],
  });
  expect(server.output()).not.toContain(DJANGO_SECRET_KEY);
});
