/** What makes one node of many: nothing of it is loaded where this process is alone with its database. */
import type { Relay, RelayDeps } from "../chat/relay.ts";
import type { Bus, Nodes, Presence, RoomPlace } from "../chat/ports.ts";
import type { Config } from "../config.ts";
import type { RedisConnection } from "../limits/redis.ts";
import type { Log } from "../log.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { clock } from "./domain.ts";
import type { Stores } from "./stores.ts";

export interface Neighbours {
  bus: Bus;
  /** Null where they can tell each other nothing. */
  nodes: Nodes | null;
  together: (own: Presence) => Presence;
  redis: RedisConnection | null;
  /** From here on the database is asked what has been written in these rooms. */
  start(served: () => RoomPlace[]): void;
  /** Only when all sockets are closed. */
  stop(): Promise<void>;
}

export interface NeighboursDeps {
  config: Pick<Config, "databaseUrl" | "redisUrl">;
  stores: Stores;
  /** The bus of this process. */
  local: Bus;
  createRelay: (deps: RelayDeps) => Promise<Relay>;
  log: Log;
  onFault: (what: string, error: unknown) => void;
}

/** How often the heads of the rooms are asked for, and how often while the nodes cannot tell each other. Milliseconds. */
const POLL_INTERVAL = 2_000;
const POLL_INTERVAL_ALONE = 200;

/** While they cannot, the more rooms, the less often, down to what is usual. Milliseconds for each. */
const POLL_INTERVAL_ROOM = 0.4;

/** How often silent nodes are looked for. Milliseconds. */
const TICK = 1_000;

export async function openNeighbours(deps: NeighboursDeps): Promise<Neighbours> {
  const { config, local: bus } = deps;
  if (config.databaseUrl) return openMany(deps);
  return { bus, nodes: null, together: (own) => own, redis: null, start() {}, stop: async () => {} };
}

async function openMany({
  config,
  stores,
  local,
  createRelay,
  log,
  onFault,
}: NeighboursDeps): Promise<Neighbours> {
  const words = config.redisUrl ? await openWords(config.redisUrl, stores.messages.epoch(), log) : null;
  const nodes = words?.nodes ?? null;
  const onFailure = (error: unknown) => onFault("what other nodes have written was not read", error);
  const relay = await createRelay({ local, store: stores.messages, nodes, after, now, onFailure });

  // Whoever is not signed in reads finished pages of it, with no socket open.
  const entry = await stores.rooms.entry(PUBLIC_ROOM, null);
  const always = entry ? [entry.room] : [];
  for (const room of always) relay.serve(room, room.head);

  let stopPolling = () => {};
  return {
    bus: relay,
    nodes,
    redis: words?.redis ?? null,
    together: (own) => words?.together(own) ?? own,
    start(served) {
      stopPolling = startPolling(() => [...always, ...served()], relay, nodes);
    },
    async stop() {
      stopPolling();
      await words?.close();
    },
  };
}

/** One poll at a time, and the next at once after nodes have lost each other. */
function startPolling(served: () => RoomPlace[], relay: Relay, nodes: Nodes | null): () => void {
  let isBusy = false;
  let polledAt = now();
  let polled = 0;
  const timer = setInterval(() => {
    const rest = nodes?.isReachable() ? POLL_INTERVAL : Math.min(POLL_INTERVAL, polled * POLL_INTERVAL_ROOM);
    if (isBusy || now() - polledAt < rest) return;
    const rooms = served();
    [isBusy, polledAt, polled] = [true, now(), rooms.length];
    void relay.poll(rooms).finally(() => (isBusy = false));
  }, POLL_INTERVAL_ALONE);
  return () => clearInterval(timer);
}

async function openWords(url: string, installation: string, log: Log) {
  const { openRedis } = await import("../bus/redis.ts");
  const { openNodes } = await import("../bus/nodes.ts");
  const { createRoster } = await import("../bus/roster.ts");
  const { createCompany } = await import("../chat/company.ts");

  const redis = await openRedis(url, log);
  const name = crypto.randomUUID();
  const nodes = await openNodes({ redis, installation, name });
  const roster = createRoster({ commands: redis.commands, installation, name });
  let leave = async () => {};

  return {
    nodes,
    redis: { commands: redis.commands, isReachable: redis.isReachable, installation },
    together(own: Presence): Presence {
      const company = createCompany({ own, nodes, roster, clock, after });
      const timer = setInterval(company.tick, TICK);
      leave = async () => {
        clearInterval(timer);
        await company.leave();
      };
      return company;
    },
    async close() {
      await leave();
      await redis.close();
    },
  };
}

const now = () => performance.now();

function after(milliseconds: number, task: () => void): void {
  setTimeout(task, milliseconds);
}
