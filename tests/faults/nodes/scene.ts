/** Several nodes with one PostgreSQL and one Redis, behind a balancer and networks that can be broken. */
import { join } from "node:path";
import type { Client } from "../../../src/testing/client.ts";
import { startPostgres, type PostgresServer } from "../../../src/testing/postgres.ts";
import { startRedis, type RedisServer } from "../../../src/testing/redis.ts";
import { makeDataDir, removeDataDir } from "../../../src/testing/world.ts";
import { readHeads, readStored, type Query } from "../checker/stored.ts";
import { createLog } from "../log.ts";
import { openProxy, type Proxy } from "../proxy.ts";
import { MEMORY_INTERVAL, type Place, type Scene } from "../scene.ts";
import { PEOPLE } from "../template.ts";
import { startNode, type Node } from "./node.ts";
import { openQueries } from "./queries.ts";
import { environmentOf, POSTGRES_SETTINGS, type NodesTemplate } from "./template.ts";

export interface Nodes extends Scene {
  nodes: readonly [Node, Node, ...Node[]];
  postgres: PostgresServer;
  redis: RedisServer;
  /** What the first node alone comes through, to PostgreSQL and to Redis. */
  toPostgres: Proxy;
  toRedis: Proxy;
  query: Query;
  /** Cuts somebody off, and lets them come back to this node only. */
  move(who: string, node: Node): void;
  /** Lets everybody come back to whichever node it is. */
  free(): void;
  client(who: string, node?: Node): Client;
}

const NAMES = ["the first node", "the second node", "the third node"];

const EVERYBODY = [...PEOPLE.pages, "guest", ...PEOPLE.originals, ...Object.values(PEOPLE.posters)];

export async function openNodes(
  template: NodesTemplate,
  { program, env, disk, nodes: size = 2 }: Place,
): Promise<Nodes> {
  const log = createLog();
  const shared = makeDataDir();
  const [postgres, redis, toPostgres, toRedis] = await Promise.all([
    startPostgres({
      copyOf: template.postgres,
      settings: POSTGRES_SETTINGS,
      ...(disk && { within: disk.path }),
    }),
    startRedis(),
    openProxy(),
    openProxy(),
  ]);
  const databaseUrl = withPort(template.databaseUrl, postgres.port);
  toPostgres.leadTo(() => [databaseUrl]);
  toRedis.leadTo(() => [redis.url]);
  const { query, close: endQueries } = openQueries(databaseUrl);

  const started = NAMES.slice(0, size).map((name, i) => {
    const database = i === 0 ? withPort(databaseUrl, toPostgres.port) : databaseUrl;
    const cache = i === 0 ? withPort(redis.url, toRedis.port) : redis.url;
    const all = { ...environmentOf(shared, database, cache), ...env };
    return startNode({ name, dataDir: join(shared, name), env: all, program, log });
  });
  const nodes = (await Promise.all(started)) as [Node, Node, ...Node[]];

  let turn = 0;
  /** As a balancer does: those that are ready, each in its turn. */
  const balanced = () => {
    const ready = nodes.filter((node) => node.isReady());
    const open = ready.length > 0 ? ready : nodes;
    const first = turn++ % open.length;
    return [...open.slice(first), ...open.slice(0, first)].map(({ url }) => url);
  };
  const ways = new Map<string, Proxy>();
  for (const who of EVERYBODY) ways.set(who, await openProxy());
  const free = () => ways.forEach((way) => way.leadTo(balanced));
  const way = (who: string) => ways.get(who) as Proxy;
  free();

  const sampling = setInterval(() => {
    for (const node of nodes.filter(({ isUp }) => isUp())) {
      const bytes = node.process().memory();
      // It may have ended just now.
      if (Number.isFinite(bytes)) log.write({ type: "memory", bytes });
    }
  }, MEMORY_INTERVAL);

  return {
    template,
    log,
    nodes,
    postgres,
    redis,
    toPostgres,
    toRedis,
    query,
    way,
    free,
    move(who, node) {
      way(who).leadTo(() => [node.url]);
      way(who).drop();
    },
    client: (who, node = nodes[0]) => template.client(who, node),
    heads: () => readHeads(query),
    stored: () => readStored(query),
    end: async () => void (await Promise.all(nodes.map((node) => node.kill("SIGTERM")))),
    async close() {
      clearInterval(sampling);
      await Promise.all(nodes.map((node) => node.stop()));
      for (const proxy of [...ways.values(), toPostgres, toRedis]) proxy.close();
      await endQueries();
      await Promise.all([postgres.stop(), redis.stop()]);
      disk?.remove();
      removeDataDir(shared);
    },
  };
}

function withPort(url: string, port: number): string {
  const moved = new URL(url);
  moved.port = String(port);
  return moved.href;
}
