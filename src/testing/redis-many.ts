/** Several private Redis servers for tests: a Cluster of three, and a master with a replica under a Sentinel. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./postgres.ts";
import { findRedis, startRedis, type RedisServer } from "./redis.ts";

export interface ManyRedis {
  url: string;
  servers: RedisServer[];
  stop(): Promise<void>;
}

const PATIENCE_MS = 20_000;
const SLOTS = 16_384;

/** Three masters that share the slots. */
export async function startRedisCluster(): Promise<ManyRedis> {
  const servers = await Promise.all(
    Array.from({ length: 3 }, () =>
      startRedis(["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]),
    ),
  );
  const clients = servers.map(({ port }) => new Redis({ port, host: "127.0.0.1" }));
  const share = Math.ceil(SLOTS / servers.length);
  for (const [i, client] of clients.entries()) {
    const end = Math.min((i + 1) * share, SLOTS) - 1;
    await client.call("CLUSTER", "ADDSLOTSRANGE", i * share, end);
    await client.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
  }
  for (const { port } of servers.slice(1)) await clients[0]?.call("CLUSTER", "MEET", "127.0.0.1", port);
  for (const client of clients)
    await until(async () => String(await client.call("CLUSTER", "INFO")).includes("cluster_state:ok"));
  for (const client of clients) client.disconnect();
  return {
    url: `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    servers,
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
}

/** A master, its replica, and the one Sentinel that watches them and decides alone. */
export async function startRedisSentinel(): Promise<ManyRedis> {
  const master = await startRedis();
  const replica = await startRedis(["--replicaof", "127.0.0.1", String(master.port)]);
  const folder = mkdtempSync(join(tmpdir(), "echochat-sentinel-"));
  const [file, port] = [join(folder, "sentinel.conf"), await freePort()];
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor chat 127.0.0.1 ${master.port} 1`,
    "sentinel down-after-milliseconds chat 1000",
    "sentinel failover-timeout chat 3000",
  ];
  writeFileSync(file, lines.join("\n"));
  const sentinel = Bun.spawn([findRedis() ?? "", file, "--sentinel"], { stdout: "ignore", stderr: "ignore" });
  const client = new Redis({ port, host: "127.0.0.1" });
  client.on("error", () => {}); // it takes a moment to listen
  await until(async () => ((await client.call("SENTINEL", "REPLICAS", "chat")) as unknown[]).length === 1);
  client.disconnect();
  return {
    url: `redis+sentinel://127.0.0.1:${port}/chat`,
    servers: [master, replica],
    async stop() {
      sentinel.kill("SIGKILL");
      await Promise.all([sentinel.exited, master.stop(), replica.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error("the Redis servers do not find each other");
    await Bun.sleep(20);
  }
}
