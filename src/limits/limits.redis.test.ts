import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Redis } from "ioredis";
import { startRedis, type RedisServer } from "../testing/redis.ts";
import { timed } from "../testing/stopwatch.ts";
import { createMemoryLimit } from "./memory.ts";
import { createRedisLimits } from "./redis.ts";

/** Long enough to end with the test, and not within it. Seconds. */
const WINDOW = 1000;

/** The patience of the client itself. Milliseconds. */
const COMMAND_TIMEOUT = 2_000;

let server: RedisServer;
let nodes: Node[];

interface Node {
  client: Redis;
  createLimit: ReturnType<typeof createRedisLimits>;
}

async function startNode(installation = "one"): Promise<Node> {
  const client = new Redis(server.port, "127.0.0.1", {
    lazyConnect: true,
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT,
    retryStrategy: () => 50,
  });
  client.on("error", () => {}); // expected: the server is killed
  await client.connect();
  const isReachable = () => client.status === "ready";
  return { client, createLimit: createRedisLimits({ commands: client, isReachable, installation }) };
}

beforeAll(async () => {
  server = await startRedis();
  nodes = [await startNode(), await startNode()];
});
beforeEach(async () => {
  await nodes[0]?.client.flushall();
});
afterAll(async () => {
  for (const { client } of nodes) client.disconnect();
  await server.stop();
});

const both = (name: string, points: number, seconds = WINDOW) =>
  nodes.map(({ createLimit }) => createLimit(name, points, seconds)) as [Limit, Limit];
type Limit = ReturnType<Node["createLimit"]>;

const refused = (first: boolean) => ({ allowed: false, retryAfterSeconds: WINDOW, first });

describe("a limit of two attempts, on two nodes", () => {
  test("lets two through between them, and tells once who was first to be refused", async () => {
    const [a, b] = both("login", 2);
    expect(await a.take("ann")).toEqual({ allowed: true });
    expect(await b.take("ann")).toEqual({ allowed: true });
    expect(await a.take("ann")).toEqual(refused(true));
    expect(await b.take("ann")).toEqual(refused(false));
    expect(await b.take("bob")).toEqual({ allowed: true });
  });

  test("counts apart from one of another name", async () => {
    const [a] = both("login", 1);
    const [, b] = both("register", 1);
    for (const limit of [a, b]) {
      expect(await limit.take("ann")).toEqual({ allowed: true });
      expect(await limit.take("ann")).toMatchObject({ allowed: false });
    }
  });

  test("counts apart from one of another installation that has the same Redis", async () => {
    const [a] = both("login", 1);
    await a.take("ann");
    expect(await a.take("ann")).toMatchObject({ allowed: false });
    const { client, createLimit } = await startNode("two");
    expect(await createLimit("login", 1, WINDOW).take("ann")).toEqual({ allowed: true });
    client.disconnect();
  });

  test("lets no more through when all come at once", async () => {
    const [a, b] = both("message", 20);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 ? a : b).take("ann")));
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(20);
    expect(answers.filter((answer) => !answer.allowed && answer.first)).toHaveLength(1);
  });

  test("begins anew after its window, which refused attempts do not prolong", async () => {
    const [a, b] = both("room", 1, 1);
    const startedAt = performance.now();
    let refusals = 0;
    const { took } = await timed(async () => {
      expect(await a.take("ann")).toEqual({ allowed: true });
      while (!(await b.take("ann")).allowed) refusals++;
    });
    expect(refusals).toBeGreaterThan(10);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(took).toBeLessThan(2000);
  });

  test("says the same as one in memory, whoever comes how often", async () => {
    const subjects = fc.array(fc.constantFrom("ann", "bob", "", "__proto__", "a:b", "Ю", " ", "\n"));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), subjects, async (points, comers) => {
        const shared = both(`run ${++run}`, points);
        const alone = createMemoryLimit(points, WINDOW);
        for (const [n, subject] of comers.entries()) {
          const answer = await shared[n % 2 ? 1 : 0].take(subject);
          expect(answer).toEqual(await alone.take(subject));
        }
      }),
    );
  });
});

describe("while Redis is away, each node counts in its own memory", () => {
  test("at once when it is killed, with all points again, and together as soon as it is back", async () => {
    const [a, b] = both("login", 1);
    await a.take("ann");
    expect(await b.take("ann")).toMatchObject({ allowed: false });
    await server.kill();
    for (const limit of [a, b]) {
      expect(await within(400, () => limit.take("ann"))).toEqual({ allowed: true });
      expect(await within(100, () => limit.take("ann"))).toMatchObject({ allowed: false });
    }
    await server.start();
    for (const limit of [a, b]) await untilShared("login", limit);
    expect(await a.take("cat")).toEqual({ allowed: true });
    expect(await b.take("cat")).toMatchObject({ allowed: false });
  });

  test("after a moment, once, when it is frozen: whoever comes later does not wait", async () => {
    const [a, b] = both("message", 1);
    await a.take("ann");
    expect(await b.take("ann")).toMatchObject({ allowed: false });
    server.freeze();
    try {
      const answers = Promise.all([a.take("ann"), a.take("bob")]);
      expect(await within(900, () => answers)).toEqual([{ allowed: true }, { allowed: true }]);
      await within(60, async () => {
        for (let n = 0; n < 100; n++) await a.take("ann");
      });
      // Past the patience of the client itself, and the silence goes on.
      await Bun.sleep(1.25 * COMMAND_TIMEOUT);
      await within(60, () => a.take("ann"));
    } finally {
      server.thaw();
    }
    await untilShared("message", a);
    expect(await within(400, () => b.take("ann"))).toMatchObject({ allowed: false });
  });

  test("and not when this process was busy itself", async () => {
    const [a, b] = both("upload", 1);
    await a.take("ann");
    const answer = b.take("ann");
    const end = performance.now() + 800;
    while (performance.now() < end);
    expect(await answer).toMatchObject({ allowed: false });
  });
});

async function within<T>(milliseconds: number, task: () => Promise<T>): Promise<T> {
  const { result, took } = await timed(task);
  expect(took).toBeLessThan(milliseconds);
  return result;
}

/** Until an attempt at this limit is counted in Redis. */
async function untilShared(name: string, limit: Limit): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const subject = crypto.randomUUID();
    await limit.take(subject);
    const found = await nodes[0]?.client.exists(`echochat:one:limit:${name}:${subject}`).catch(() => 0);
    if (found === 1) return;
    await Bun.sleep(20);
  }
  throw new Error("the nodes did not count together again");
}
