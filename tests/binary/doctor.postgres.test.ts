/** What the doctor finds where nodes share PostgreSQL and Redis. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { binary } from "../../src/testing/binary.ts";
import { startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { startRedis, type RedisServer } from "../../src/testing/redis.ts";
import { makeDataDir, removeDataDir, runCommand, startProcess } from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

let program: string;
let server: PostgresServer;
let redis: RedisServer;
let database: string;
const dataDir = makeDataDir();

beforeAll(async () => {
  program = await binary();
  [server, redis] = await Promise.all([startPostgres({ durable: true }), startRedis()]);
  database = await server.createDatabase();
});
afterAll(async () => {
  await Promise.all([server.stop(), redis.stop()]);
  removeDataDir(dataDir);
});

function environment(url = database) {
  return { DATABASE_URL: url, REDIS_URL: redis.url, SECRET_KEY: "x".repeat(32), SOCKET_MAX: "1000" };
}

async function doctor(env = environment()) {
  const { code, stdout, stderr } = await runCommand(dataDir, ["doctor"], { env, program });
  expect(stderr).toBe("");
  const wrong = stdout.split("\n").filter((line) => line.startsWith("!!"));
  expect(code).toBe(wrong.length === 0 ? 0 : 1);
  return { text: stdout, wrong };
}

async function allTables(): Promise<unknown> {
  return server.run("SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2", database);
}

test("a database that is still empty stays empty", async () => {
  const before = await allTables();
  const { text, wrong } = await doctor();
  expect(wrong).toEqual([]);
  expect(text).toContain("there is no database yet");
  expect(await allTables()).toEqual(before);
});

test("it says that all is well, while a node runs and when none does", async () => {
  const node = await startProcess(dataDir, environment(), program);
  const { text, wrong } = await doctor();
  expect(wrong).toEqual([]);
  expect(text).toMatch(/^ok {2}database +PostgreSQL \d+\.\d+.*, UTF8$/m);
  expect(text).toMatch(/^ok {2}Redis +Redis \d+\.\d+ answers$/m);
  expect(text).toMatch(/^ok {2}clock +as PostgreSQL's, within 0\.\d s$/m);
  expect(text).toMatch(/^ok {2}numbers +rooms: 1, messages: 0; no room has a gap$/m);
  expect(text).not.toContain(new URL(database).password);
  await node.kill("SIGTERM");
  expect((await doctor()).wrong).toEqual([]);
});

test("it finds the gap in a room, and knows those that editing leaves", async () => {
  await server.run(
    `INSERT INTO messages (room_id, seq, rev, author_name, client_key, text, created_at)
     SELECT 1, n, n, 'ann', 'k' || n, 'hello', 1 FROM generate_series(1, 9) n`,
    database,
  );
  await server.run("UPDATE messages SET rev = 12 WHERE seq = 4", database);
  await server.run("UPDATE rooms SET head = 12 WHERE id = 1", database);
  expect((await doctor()).wrong).toEqual([]);
  await server.run("DELETE FROM messages WHERE seq IN (2, 3)", database);
  expect((await doctor()).wrong).toEqual([
    expect.stringMatching(/^!! {2}numbers +public: numbers 2 to 3 are missing: /),
  ]);
});

test("settings that lose what was saved are named", async () => {
  const name = new URL(database).pathname.slice(1);
  await server.run(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  const { wrong } = await doctor();
  await server.run(`ALTER DATABASE ${name} RESET synchronous_commit`);
  expect(wrong[0]).toMatch(/^!! {2}database .*synchronous_commit is off/);
});

test("what is no database of ours, or none at all, is named without its password", async () => {
  const strange = await server.createDatabase();
  await server.run("CREATE TABLE rooms (id int)", strange);
  expect((await doctor(environment(strange))).wrong).toEqual([expect.stringContaining("is not EchoChat's")]);
  const wrong = database.replace(/:[^:@]+@/, ":another@");
  const refused = await doctor(environment(wrong));
  expect(refused.wrong).toEqual([
    expect.stringMatching(/^!! {2}database +DATABASE_URL: 127\.0\.0\.1:\d+ says: /),
  ]);
  expect(refused.text).not.toContain("another");
});

test("a Redis that is away is named", async () => {
  await redis.kill();
  const { wrong } = await doctor();
  await redis.start();
  expect(wrong.filter((line) => line.includes("Redis "))).toEqual([
    expect.stringMatching(/^!! {2}Redis +.*no Redis answers at 127\.0\.0\.1:\d+/),
  ]);
});
