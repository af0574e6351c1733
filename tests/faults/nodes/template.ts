/** The same installation in a PostgreSQL, whose files are copied for every run. */
import { join } from "node:path";
import { startPostgres } from "../../../src/testing/postgres.ts";
import { startRedis } from "../../../src/testing/redis.ts";
import { makeDataDir, removeDataDir, startProcess, type Environment } from "../../../src/testing/world.ts";
import { readEpoch } from "../checker/stored.ts";
import { settle, type Template } from "../template.ts";
import { openQueries } from "./queries.ts";

export interface NodesTemplate extends Template {
  /** Where the files of PostgreSQL lie; it does not run. */
  postgres: string;
  /** Of the database; the port is that of whoever has a copy. */
  databaseUrl: string;
}

const SECRET_KEY = "a secret that all nodes of a test know";

/** A crash of PostgreSQL alone then loses nothing that it has committed. */
export const POSTGRES_SETTINGS = { synchronous_commit: "on" };

/** Each request is another connection, so that a balancer spreads them. */
const BROWSER = { headers: { connection: "close" } };

export async function makeNodesTemplate(): Promise<NodesTemplate> {
  const dataDir = makeDataDir();
  const [postgres, redis] = await Promise.all([startPostgres({ settings: POSTGRES_SETTINGS }), startRedis()]);
  const databaseUrl = await postgres.createDatabase();
  const env = environmentOf(dataDir, databaseUrl, redis.url);
  const server = await startProcess(dataDir, env);
  const cast = await settle(server, BROWSER);
  await server.kill("SIGTERM");
  await redis.stop();
  const queries = openQueries(databaseUrl);
  const epoch = await readEpoch(queries.query);
  await queries.close();
  await postgres.run("CHECKPOINT");
  await postgres.halt();
  removeDataDir(dataDir);
  return { ...cast, epoch, databaseUrl, postgres: postgres.folder, remove: postgres.stop };
}

/** What is the same for every node, but for the addresses. */
export function environmentOf(shared: string, databaseUrl: string, redisUrl: string): Environment {
  return {
    SECRET_KEY,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    MEDIA_DIR: join(shared, "media"),
  };
}
