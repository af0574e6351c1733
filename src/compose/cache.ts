/** What nodes share beside the database: counted attempts. In Redis where there is one, else in memory. */
import type { RateLimit } from "../chat/ports.ts";
import type { RateConfig } from "../config.ts";
import { createMemoryLimit } from "../limits/memory.ts";
import type { RedisConnection } from "../limits/redis.ts";

export type LimitName =
  "login" | "register" | "account" | "message" | "room" | "invitation" | "upload" | "socket";

export interface Cache {
  createLimit(name: LimitName, rate: RateConfig): RateLimit;
  /** Rejects when it does not work. */
  probe(): Promise<void>;
}

export async function openCache(redis: RedisConnection | null): Promise<Cache> {
  if (!redis) {
    return {
      createLimit: (_, { points, windowSeconds }) => createMemoryLimit(points, windowSeconds),
      async probe() {},
    };
  }
  const { createRedisLimits } = await import("../limits/redis.ts");
  const { probeRedis } = await import("../bus/probe.ts");
  const limits = createRedisLimits(redis);
  return {
    createLimit: (name, { points, windowSeconds }) => limits(name, points, windowSeconds),
    probe: () => probeRedis(redis),
  };
}
