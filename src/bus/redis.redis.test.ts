import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { createLog } from "../log.ts";
import { startRedisCluster, startRedisSentinel, type ManyRedis } from "../testing/redis-many.ts";
import { startRedis, type RedisServer } from "../testing/redis.ts";
import { timed } from "../testing/stopwatch.ts";
import { openRedis, type Channel, type Redis } from "./redis.ts";

// A Cluster takes its time to agree.
setDefaultTimeout(60_000);

const AWAY_MS = 1_500;
const PATIENCE_MS = 30_000;

let lines: string[];
const log = createLog((line) => lines.push((JSON.parse(line) as { event: string }).event));
const opened: Redis[] = [];

beforeEach(() => {
  lines = [];
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((redis) => redis.close()));
});

async function open(url: string): Promise<Redis> {
  const redis = await openRedis(url, log);
  opened.push(redis);
  return redis;
}

/** How long it took. */
async function until(holds: () => boolean): Promise<number> {
  const startedAt = performance.now();
  const { took } = await timed(async () => {
    while (!holds()) {
      if (performance.now() - startedAt > PATIENCE_MS) throw new Error("it did not happen in time");
      await Bun.sleep(5);
    }
  });
  return took;
}

/** Whether what one says to each shard arrives at the other. */
async function hears(listener: Redis, speaker: Redis): Promise<void> {
  const texts: string[] = [];
  const channels = Array.from({ length: speaker.shards }, (_, shard): Channel => ({ shard, name: "test" }));
  for (const channel of channels) await listener.subscribe(channel, (text) => void texts.push(text));
  await saysAgain(speaker, channels, texts);
}

async function saysAgain(speaker: Redis, channels: Channel[], texts: string[]): Promise<void> {
  texts.splice(0);
  for (const channel of channels) speaker.publish(channel, `hello ${channel.shard}`);
  await until(() => texts.length === channels.length);
  expect(texts.toSorted()).toEqual(channels.map(({ shard }) => `hello ${shard}`).toSorted());
}

describe("one server", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  test("carries what one says to the other, who hears nothing of other channels", async () => {
    const [ann, bob] = [await open(server.url), await open(server.url)];
    const others: string[] = [];
    await bob.subscribe({ shard: 0, name: "other" }, (text) => void others.push(text));
    await hears(bob, ann);
    expect(others).toEqual([]);
    ann.publish({ shard: 0, name: "other" }, "now");
    await until(() => others.length > 0);
    expect(ann.isReachable()).toBe(true);
  });

  test("counts as away when it is frozen, and nobody waits for it; everything goes on when it does", async () => {
    const [ann, bob] = [await open(server.url), await open(server.url)];
    const heard: string[] = [];
    await bob.subscribe({ shard: 0, name: "test" }, (text) => void heard.push(text));
    server.freeze();
    expect(await until(() => !ann.isReachable() && !bob.isReachable())).toBeLessThan(AWAY_MS);
    ann.publish({ shard: 0, name: "test" }, "lost");
    await Bun.sleep(1_500);
    expect(lines).toEqual(["Redis is away", "Redis is away"]);
    server.thaw();
    await until(() => ann.isReachable() && bob.isReachable());
    expect(lines.slice(2)).toEqual(["Redis is back", "Redis is back"]);
    await saysAgain(ann, [{ shard: 0, name: "test" }], heard);
  });

  test("is connected to again after its end, and what was subscribed to still is", async () => {
    const [ann, bob] = [await open(server.url), await open(server.url)];
    const heard: string[] = [];
    await bob.subscribe({ shard: 0, name: "test" }, (text) => void heard.push(text));
    await server.kill();
    expect(await until(() => !ann.isReachable() && !bob.isReachable())).toBeLessThan(AWAY_MS);
    const asking = await timed(() => ann.commands.get("anything").catch(() => "failed"));
    expect(asking.result).toBe("failed");
    expect(asking.took).toBeLessThan(100);
    await server.start();
    await until(() => ann.isReachable() && bob.isReachable());
    await saysAgain(ann, [{ shard: 0, name: "test" }], heard);
  });

  test("is connected to anew when it has been silent for long, and what was subscribed to still is", async () => {
    const [ann, bob] = [await open(server.url), await open(server.url)];
    const heard: string[] = [];
    await bob.subscribe({ shard: 0, name: "test" }, (text) => void heard.push(text));
    server.freeze();
    await Bun.sleep(8_000);
    server.thaw();
    await until(() => ann.isReachable() && bob.isReachable());
    await saysAgain(ann, [{ shard: 0, name: "test" }], heard);
    expect(lines).toHaveLength(4);
  });
});

describe("whoever starts the program is told in one line, soon,", () => {
  const PASSWORD = "p@ss:w/d%";
  let guarded: RedisServer;
  beforeAll(async () => {
    guarded = await startRedis(["--requirepass", PASSWORD]);
  });
  afterAll(() => guarded.stop());

  async function refusal(url: string): Promise<string> {
    const start = performance.now();
    const error: unknown = await openRedis(url, log).catch((refused: unknown) => refused);
    expect(performance.now() - start).toBeLessThan(8_000);
    if (!(error instanceof Error)) throw new Error("it was not refused");
    expect(error.message).not.toContain("\n");
    return error.message;
  }

  test("that the password is missing or wrong, and the right one is taken", async () => {
    const wrong = "REDIS_URL: the user name or password is wrong";
    const as = (user: string) => guarded.url.replace("://", `://${user}@`);
    expect(await refusal(guarded.url)).toBe(wrong);
    expect(await refusal(as(":another"))).toBe(wrong);
    expect(await refusal(as("nobody:another"))).toBe(wrong);
    for (const user of [`:${encodeURIComponent(PASSWORD)}`, `default:${encodeURIComponent(PASSWORD)}`])
      expect((await open(as(user))).isReachable()).toBe(true);
  });

  test("that nobody answers", async () => {
    expect(await refusal("redis://127.0.0.1:1")).toStartWith("REDIS_URL: no Redis answers at 127.0.0.1:1 (");
    expect(await refusal("redis+cluster://127.0.0.1:1,127.0.0.1:2")).toStartWith(
      "REDIS_URL: no Redis Cluster answers at 127.0.0.1:1, 127.0.0.1:2 (",
    );
    expect(await refusal("redis+sentinel://127.0.0.1:1/chat")).toStartWith(
      "REDIS_URL: no Sentinel with that master answers at 127.0.0.1:1 (",
    );
  });

  test("that somebody takes the call and says nothing", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    expect(await refusal(`redis://127.0.0.1:${silent.port}`)).toStartWith("REDIS_URL: no Redis answers at ");
    silent.stop(true);
  });

  test("that the server is too old", async () => {
    const old = serveOldRedis();
    expect(await refusal(`redis://127.0.0.1:${old.port}`)).toBe(
      "REDIS_URL names a Redis 5.0; it must be 6.2 or newer",
    );
    old.stop(true);
  });
});

describe("a Cluster", () => {
  let cluster: ManyRedis;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.stop());

  test("carries what is said by shards, each through the server that has it", async () => {
    const [ann, bob] = [await open(cluster.url), await open(cluster.url)];
    expect(ann.shards).toBe(16);
    await hears(bob, ann);
  });

  test("counts as away while one of its servers is frozen, and recovers, however long it was", async () => {
    const [ann, bob] = [await open(cluster.url), await open(cluster.url)];
    await hears(bob, ann);
    for (const milliseconds of [2_000, 8_000]) {
      cluster.servers[1]?.freeze();
      expect(await until(() => !ann.isReachable() && !bob.isReachable())).toBeLessThan(AWAY_MS);
      await Bun.sleep(milliseconds);
      cluster.servers[1]?.thaw();
      await until(() => ann.isReachable() && bob.isReachable());
      await hears(bob, ann);
    }
    expect(lines).toHaveLength(8);
  });
});

test("the Sentinels tell where to go on when the master has ended", async () => {
  const watched = await startRedisSentinel();
  const [ann, bob] = [await open(watched.url), await open(watched.url)];
  await hears(bob, ann);
  await watched.servers[0]?.kill();
  await until(() => !ann.isReachable() && !bob.isReachable());
  await until(() => ann.isReachable() && bob.isReachable());
  await hears(bob, ann);
  await Promise.all(opened.splice(0).map((redis) => redis.close()));
  await watched.stop();
});

/** Says what a Redis of that version says to whoever comes. */
function serveOldRedis() {
  const info = "redis_version:5.0.14\r\nrole:master\r\nloading:0";
  return Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, data) {
        for (const [, command = ""] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
          if (/^hello$/i.test(command)) socket.write("-ERR unknown command `HELLO`\r\n");
          else if (/^info$/i.test(command)) socket.write(`$${info.length}\r\n${info}\r\n`);
          else socket.write("+OK\r\n");
        }
      },
    },
  });
}
