import type { Cluster, Redis } from "ioredis";

/** A watcher waits for its answer. Milliseconds. */
const PATIENCE = 500;

/** A probe that breaks off leaves nothing for longer than this. Milliseconds. */
const KEPT = 10_000;

/** Writes, reads back and removes; rejects when that does not work, or not soon. */
export async function probeRedis(redis: {
  commands: Redis | Cluster;
  isReachable(): boolean;
}): Promise<void> {
  if (!redis.isReachable()) throw new Error("Redis is away");
  const late = Bun.sleep(PATIENCE).then(() => {
    throw new Error("Redis did not answer in time");
  });
  await Promise.race([writeAndRead(redis.commands), late]);
}

async function writeAndRead(commands: Redis | Cluster): Promise<void> {
  const text = crypto.randomUUID();
  const key = `echochat:probe:${text}`;
  await commands.set(key, text, "PX", KEPT);
  const found = await commands.get(key);
  await commands.del(key);
  if (found !== text) throw new Error("Redis does not keep what it is given");
}
