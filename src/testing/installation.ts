/**
 * Where the installations of tests keep things. Each has a data folder; with `STORES=nodes` also a database of its own in a
 * private PostgreSQL, and a Redis. The first installation of a test process starts what they need.
 */
import { RedisClient } from "bun";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { atOurEnd } from "./at-our-end.ts";
import { sharedPostgres, type Databases } from "./postgres.ts";
import { startRedis, type RedisServer } from "./redis.ts";

/** Whether the program is tested as one of many nodes, which share PostgreSQL and Redis. */
export const onNodes = process.env["STORES"] === "nodes";

interface Shared {
  database: string;
  redis: RedisServer;
}

const MIGRATIONS = join(import.meta.dir, "..", "..", "drizzle", "postgres");

/** By data folder. */
const shared = new Map<string, Promise<Shared>>();
const spareRedis: RedisServer[] = [];
let server: Promise<Databases & { template: string }> | undefined;
let made = 0;

export function makeDataDir(): string {
  return mkdtempSync(join(tmpdir(), "echochat-"));
}

/** With all that the installation has elsewhere. */
export function removeDataDir(dataDir: string): void {
  rmSync(dataDir, { recursive: true, force: true });
  const gone = shared.get(dataDir);
  shared.delete(dataDir);
  void gone?.then(release);
}

/** The same on every node. */
const SECRET_KEY = "a secret that is only good enough for tests";

/** What the program is told of its installation, besides the data folder. */
export async function environmentOf(
  dataDir: string,
): Promise<Record<"DATABASE_URL" | "REDIS_URL" | "SECRET_KEY", string> | { DATABASE_URL?: undefined }> {
  if (!onNodes) return {};
  const found = shared.get(dataDir) ?? share();
  shared.set(dataDir, found);
  const { database, redis } = await found;
  return { DATABASE_URL: database, REDIS_URL: redis.url, SECRET_KEY };
}

async function share(): Promise<Shared> {
  const { run, template } = await (server ??= startServer());
  const name = `world_${++made}`;
  await run(`CREATE DATABASE ${name} TEMPLATE ${new URL(template).pathname.slice(1)}`);
  const database = String(new URL(`/${name}`, template));
  return { database, redis: spareRedis.pop() ?? (await anotherRedis()) };
}

async function release({ database, redis }: Shared): Promise<void> {
  const client = new RedisClient(redis.url);
  await client.send("FLUSHALL", []);
  client.close();
  spareRedis.push(redis);
  await (await server)?.dropDatabase(database);
}

async function startServer() {
  const started = await sharedPostgres();
  // The tables are made once, and copied with the database.
  const template = await started.createDatabase();
  const client = postgres(template, { max: 1, onnotice: () => {} });
  await migrate(drizzle(client), { migrationsFolder: MIGRATIONS });
  await client.end();
  return { ...started, template };
}

async function anotherRedis(): Promise<RedisServer> {
  const redis = await startRedis();
  atOurEnd(`kill -KILL ${redis.pid()}; rm -rf "$0"`, redis.folder);
  return redis;
}
