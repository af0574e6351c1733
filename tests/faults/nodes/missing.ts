import { findPostgres } from "../../../src/testing/postgres.ts";
import { findRedis } from "../../../src/testing/redis.ts";

/** Why there can be no nodes on this machine; null when there can. */
export function whyNoNodes(): string | null {
  if (!findPostgres()) return "no PostgreSQL found; install postgresql or set POSTGRES_BIN";
  if (!findRedis()) return "no Redis found; install redis-server or set REDIS_SERVER";
  return null;
}
