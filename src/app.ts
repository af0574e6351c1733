/** The composition root: everything is made here, once, and handed to whoever needs it. Tests use it too. */
import { createLastSeen } from "./accounts/last-seen.ts";
import { createMemoryBus } from "./bus/memory.ts";
import { createFeed } from "./chat/feed.ts";
import { StorageLost } from "./chat/ports.ts";
import { openCache } from "./compose/cache.ts";
import { clock, createDomain } from "./compose/domain.ts";
import { openMetrics } from "./compose/metrics.ts";
import { openNeighbours, type NeighboursDeps } from "./compose/neighbours.ts";
import { openPictures } from "./compose/pictures.ts";
import { createSockets } from "./compose/sockets.ts";
import { openStores } from "./compose/stores.ts";
import { createWeb } from "./compose/web.ts";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import { loadSecretKey } from "./secret-key.ts";
import { startBeacon } from "./ws/beacon.ts";
import { createFarewell } from "./ws/farewell.ts";
import { socketHandlers } from "./ws/handlers.ts";
import { createHub } from "./ws/hub.ts";

export interface App {
  /** Where it listens, such as `http://localhost:3000`. */
  url: string;
  /** Every route there is, for whoever checks that none was forgotten. */
  routes: readonly { method: string; path: string }[];
  /**
   * Says that it is not ready, tells the sockets when to come back, writes what is on its way, then closes the sockets and
   * the database.
   */
  stop(): Promise<void>;
}

/** The makers of what carries a message. Tests make some of them wrong, to see that it is noticed. */
export interface Parts {
  openStores: typeof openStores;
  createBus: typeof createMemoryBus;
  createRelay: NeighboursDeps["createRelay"];
  createFeed: typeof createFeed;
  createHub: typeof createHub;
  socketHandlers: typeof socketHandlers;
  startBeacon: typeof startBeacon;
  /** Ends the process at once: the disk has failed. */
  crash: () => void;
}

const PARTS: Parts = {
  openStores,
  createBus: createMemoryBus,
  createRelay: async (deps) => (await import("./chat/relay.ts")).createRelay(deps),
  createFeed,
  createHub,
  socketHandlers,
  startBeacon,
  crash: () => process.exit(1),
};

/** Beyond this Bun itself answers, with an empty 413; our own bounds are far below and say more. Bytes. */
const REQUEST_MAX = 128 * 1024 * 1024;

/** How old the times may be at which people were last seen. Milliseconds. */
const LAST_SEEN_INTERVAL = 10_000;

/** A stop waits this long for requests and frames in progress. Milliseconds. */
const STOP_PATIENCE = 5_000;

/** Between the farewell and the end: what clients had sent before they heard it arrives in this time. Milliseconds. */
const LAST_WORDS = 250;

/** Whoever still sends when the program ends is broken off, and may not have read why: they have this time. Milliseconds. */
const LAST_LOOK = 250;

/** In the order in which data flows: what is kept, the rules, the sockets that tell of it, the edge. */
export async function createApp(config: Config, log: Log, wrong: Partial<Parts> = {}): Promise<App> {
  const metrics = await openMetrics(config);
  const parts = metrics.parts({ ...PARTS, ...wrong });
  const stores = await parts.openStores(config, clock.now(), (copy) =>
    log.info("the database is brought up to date", { copy }),
  );
  const secretKey = loadSecretKey(config);

  /** After a failed fsync nothing that the database says can be trusted: a new start reads what is really there. */
  function onFault(what: string, error: unknown, about: Record<string, unknown> = {}): void {
    log.error(what, { ...about, error });
    if (error instanceof StorageLost || stores.isLost(error)) parts.crash();
  }

  /** A disk that fails here would fail everybody else; whatever else is wrong is the watcher's to hear. */
  async function probe(): Promise<void> {
    try {
      await stores.probe();
    } catch (error) {
      if (stores.isLost(error)) onFault("the disk has failed", error);
      throw error;
    }
  }

  const pictures = await openPictures(config, onFault);
  const { createRelay } = parts;
  const local = parts.createBus();
  const neighbours = await openNeighbours({ config, stores, local, createRelay, log, onFault });
  const { bus, nodes, together, redis } = neighbours;
  const { createLimit: plainLimit, probe: probeCache } = await openCache(redis);
  const createLimit = metrics.limits(plainLimit);
  const { doors } = metrics;
  const given = { config, stores, pictures, createLimit, bus, secretKey, doors, onFault };
  const domain = createDomain({ ...given, together, createFeed: parts.createFeed });
  const hub = parts.createHub(bus);
  const { members } = stores;
  const sockets = createSockets({ config, domain, members, bus, nodes, hub, doors, onFault, ...parts });
  const farewell = createFarewell(hub, Math.random);
  let isStopping = false;
  const lastSeen = createLastSeen({ store: stores.accounts, clock, stillHere: sockets.pagesOpenFor });
  const edge = { ...given, domain, sockets, lastSeen, probe, probeCache, log };
  const app = await createWeb({ ...edge, isStopping: () => isStopping });
  metrics.requests(app);

  app.listen({
    hostname: config.host,
    port: config.port,
    reusePort: false,
    development: false,
    maxRequestBodySize: REQUEST_MAX,
    // Elysia passes these on to Bun as they are; its type knows only its own kind of socket data.
    websocket: sockets.handlers,
  });
  const listening = app.server;
  if (!listening) throw new Error("the server did not start");
  hub.attach(listening);
  neighbours.start(hub.served);

  const { presence } = domain;
  const protocols = { page: sockets.gateway, original: sockets.echochat, presence: sockets.presence };
  const told = metrics.serve({ hub, protocols, presence, redis, probe });
  if (told) log.info("metrics", told);

  const writeLastSeen = () =>
    lastSeen.flush().catch((error: unknown) => onFault("last seen not stored", error));
  const writing = setInterval(() => void writeLastSeen(), LAST_SEEN_INTERVAL);
  const stopWatching = stores.watch(
    (event) => bus.publish(event),
    (error) => onFault("whose rights end is not heard", error),
  );

  return {
    url: `http://${config.host === "127.0.0.1" ? "localhost" : config.host}:${listening.port}`,
    routes: app.routes.map(({ method, path }) => ({ method, path })),
    async stop() {
      isStopping = true;
      clearInterval(writing);
      farewell.announce();
      await Bun.sleep(LAST_WORDS);
      await Promise.all([domain.writer.settled(), writeLastSeen()]);
      // What they have sent meanwhile has no answer, and may be written all the same.
      const working = hub.sockets().map(({ data }) => data.work);
      farewell.close();
      const read = Bun.sleep(LAST_LOOK);
      await Promise.race([Promise.all([listening.stop(), ...working]), Bun.sleep(STOP_PATIENCE)]);
      await domain.writer.settled();
      // Until here somebody was served who may have lost a right elsewhere.
      stopWatching();
      sockets.stop();
      await neighbours.stop();
      metrics.stop();
      await stores.close();
      await read;
    },
  };
}
