/** The composition root: everything is made here, once, and handed to whoever needs it. Tests use it too. */
import { createLastSeen } from "./accounts/last-seen.ts";
import { createMemoryBus } from "./bus/memory.ts";
import { clock, createDomain } from "./compose/domain.ts";
import { createSockets } from "./compose/sockets.ts";
import { openStores } from "./compose/stores.ts";
import { createWeb } from "./compose/web.ts";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import { loadSecretKey } from "./secret-key.ts";

export interface App {
  /** Where it listens, such as `http://localhost:3000`. */
  url: string;
  /** Every route there is, for whoever checks that none was forgotten. */
  routes: readonly { method: string; path: string }[];
  /** Closes the sockets, ends what is in progress, then the database. */
  stop(): Promise<void>;
}

/** Beyond this Bun itself answers, with an empty 413; our own bounds are far below and say more. Bytes. */
const REQUEST_MAX = 128 * 1024 * 1024;

/** How old the times may be at which people were last seen. Milliseconds. */
const LAST_SEEN_INTERVAL = 10_000;

/** A stop waits this long for requests in progress. Milliseconds. */
const STOP_PATIENCE = 5_000;

const CLOSE_RESTART = 1012;

/** In the order in which data flows: what is kept, the rules, the sockets that tell of it, the edge. */
export async function createApp(config: Config, log: Log): Promise<App> {
  const bus = createMemoryBus();
  const stores = openStores(config.dataDir, clock.now());
  const secretKey = loadSecretKey(config);
  const domain = createDomain(config, stores, bus, secretKey);
  const sockets = createSockets(config, domain, bus, log);
  const { hub } = sockets;
  const lastSeen = createLastSeen({ store: stores.accounts, clock, stillHere: sockets.pagesOpenFor });
  const app = await createWeb({ config, stores, domain, sockets, lastSeen, bus, secretKey, log });

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

  const writeLastSeen = () =>
    lastSeen.flush().catch((error: unknown) => log.error("last seen not stored", { error }));
  const writing = setInterval(() => void writeLastSeen(), LAST_SEEN_INTERVAL);
  const stopWatching = stores.watch(() => bus.publish({ type: "accounts.reread" }));

  return {
    url: `http://${config.host === "127.0.0.1" ? "localhost" : config.host}:${listening.port}`,
    routes: app.routes.map(({ method, path }) => ({ method, path })),
    async stop() {
      clearInterval(writing);
      stopWatching();
      await writeLastSeen();
      hub.closeAll(CLOSE_RESTART, "restarting");
      await Promise.race([listening.stop(), Bun.sleep(STOP_PATIENCE)]);
      sockets.stop();
      stores.close();
    },
  };
}
