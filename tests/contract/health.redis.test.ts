import { afterAll, beforeAll, expect, test } from "bun:test";
import { expectJson } from "../../src/testing/answers.ts";
import { stranger, type Answer } from "../../src/testing/client.ts";
import { startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { startRedis, type RedisServer } from "../../src/testing/redis.ts";
import {
  makeDataDir,
  removeDataDir,
  startProcess,
  type Environment,
  type Process,
} from "../../src/testing/world.ts";

const READY = "/api/health/ready/";
const PATIENCE_MS = 10_000;

const dataDir = makeDataDir();
let postgres: PostgresServer;
let redis: RedisServer;
let program: Process;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const env: Environment = { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: redis.url };
  program = await startProcess(dataDir, env);
});
afterAll(async () => {
  await program.stop();
  await Promise.all([postgres.stop(), redis.stop()]);
  removeDataDir(dataDir);
});

async function until(cache: string): Promise<Answer> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const answer = await stranger(program).get(READY);
    if ((answer.json() as { components: { cache: string } }).components.cache === cache) return answer;
    await Bun.sleep(50);
  }
  throw new Error(`the cache was never ${cache}`);
}

const told = (status: string, cache: string) => ({
  status,
  check: "ready",
  timestamp: expect.any(String),
  components: { database: "ok", cache },
});

test.each([
  ["is killed", () => redis.kill(), () => redis.start()],
  ["is frozen", async () => redis.freeze(), async () => redis.thaw()],
])(
  "a program whose Redis %s is degraded and still ready, and fine again when Redis is",
  async (_, end, mend) => {
    expectJson(await until("ok"), 200, told("ok", "ok"));
    await end();
    expectJson(await until("degraded"), 200, told("degraded", "degraded"));
    expect((await stranger(program).get("/")).status).toBe(200);
    await mend();
    expectJson(await until("ok"), 200, told("ok", "ok"));
  },
);
