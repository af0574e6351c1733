/** Attempts counted in Redis, by all nodes together. While it is away each node counts them in its own memory. */
import type { Cluster, Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import type { RateLimit } from "../chat/ports.ts";
import { countedBy } from "./memory.ts";
import { createPatience } from "./patience.ts";

export interface RedisConnection {
  commands: Redis | Cluster;
  isReachable(): boolean;
  /** Installations that share a Redis count apart. */
  installation: string;
}

/** What a limiter calls; the library defines it on its client. */
type Counting = (key: readonly string[]) => Promise<[consumed: number, ttl: number]>;
type Counter = (Redis | Cluster) & { rlflxIncr: Counting };

/** Limits of one name count together, whichever node made them. */
export function createRedisLimits(
  connection: RedisConnection,
): (name: string, points: number, windowSeconds: number) => RateLimit {
  const client = connection.commands as Counter;
  const patience = createPatience({
    isReachable: () => connection.isReachable(),
    ping: () => client.ping(),
  });
  const storeClient = {
    defineCommand: (...definition: Parameters<Redis["defineCommand"]>) => client.defineCommand(...definition),
    rlflxIncr: (key: readonly string[]) => patience.ask(() => client.rlflxIncr(key)),
  };

  return (name, points, windowSeconds) => {
    const counted = { points, duration: windowSeconds };
    const insuranceLimiter = new RateLimiterMemory(counted);
    const keyPrefix = `echochat:${connection.installation}:limit:${name}`;
    return countedBy(new RateLimiterRedis({ ...counted, storeClient, keyPrefix, insuranceLimiter }));
  };
}
