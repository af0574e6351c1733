/** The parts that carry a message, each with what passes through it counted. */
import type { AuditLog } from "../accounts/ports.ts";
import type { Feed } from "../chat/feed.ts";
import type { Bus, MessageStore, RateLimit } from "../chat/ports.ts";
import type { Relay, RelayDeps } from "../chat/relay.ts";
import type { socketHandlers } from "../ws/handlers.ts";
import type { Hub } from "../ws/hub.ts";
import { watchBacklogs } from "./backlogs.ts";
import type { Registry } from "./registry.ts";
import { watchRelay } from "./relay.ts";

interface Stores {
  messages: MessageStore;
  audit: AuditLog;
}

export interface Watched {
  openStores: (...args: never[]) => Promise<Stores>;
  createRelay: (deps: RelayDeps) => Promise<Relay>;
  createFeed: (...args: never[]) => Feed;
  createHub: (bus: Bus) => Hub;
  socketHandlers: typeof socketHandlers;
}

/** Seconds. */
const COMMIT_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Writes. No transaction takes more than the last. */
const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export function watchParts<Parts extends Watched>(registry: Registry, parts: Parts): Parts {
  const stores = watchStores(registry);
  const feed = watchFeed(registry);
  const backlogs = watchBacklogs(registry);
  const followed = registry.counter({
    name: "echochat_resumes_total",
    help: "Rooms that a reader has caught up with and follows live from there.",
  });
  const watched: Watched = {
    openStores: async (...args) => stores(await parts.openStores(...args)),
    createRelay: watchRelay(registry, (deps) => parts.createRelay(deps)),
    createFeed: (...args) => feed(parts.createFeed(...args)),

    createHub(bus) {
      const hub = parts.createHub(bus);
      return {
        ...hub,
        attach: (publisher) => hub.attach(backlogs.publisher(publisher, hub)),
        follow(...args) {
          const follows = hub.follow(...args);
          if (follows) followed.add();
          return follows;
        },
      };
    },

    socketHandlers: (...args) => backlogs.handlers(parts.socketHandlers(...args)),
  };
  return { ...parts, ...watched };
}

function watchStores(registry: Registry): (stores: Stores) => Stores {
  const duration = registry.histogram(
    { name: "echochat_commit_duration_seconds", help: "How long a transaction that writes messages takes." },
    COMMIT_BOUNDS,
  );
  const size = registry.histogram(
    { name: "echochat_commit_batch_size", help: "Writes that share a transaction." },
    BATCH_BOUNDS,
  );
  const failures = registry.counter({
    name: "echochat_commit_failures_total",
    help: "Transactions that the database did not take; nobody in them was acknowledged.",
  });
  const audited = registry.counter(
    {
      name: "echochat_audit_entries_total",
      help: "Entries of the audit log, by what was done; session.refused is a login that failed.",
      labels: ["action"],
    },
    [["session.opened"], ["session.refused"], ["session.limited"]],
  );

  return (stores) => ({
    ...stores,
    messages: {
      ...stores.messages,
      async write(batch) {
        const start = performance.now();
        try {
          const written = await stores.messages.write(batch);
          duration.observe((performance.now() - start) / 1000);
          size.observe(batch.length);
          return written;
        } catch (error) {
          failures.add();
          throw error;
        }
      },
    },
    audit: {
      ...stores.audit,
      async append(entry) {
        await stores.audit.append(entry);
        audited.add([entry.action]);
      },
    },
  });
}

function watchFeed(registry: Registry): (feed: Feed) => Feed {
  const resets = registry.counter(
    {
      name: "echochat_resets_total",
      help: "Readers who could not catch up and were told to load the page anew, by the reason.",
      labels: ["reason"],
    },
    [["epoch"], ["ahead"], ["gap"]],
  );
  return (feed) => ({
    ...feed,
    async catchUp(...args) {
      const missed = await feed.catchUp(...args);
      if ("reset" in missed) resets.add([missed.reset]);
      return missed;
    },
  });
}

/** Attempts beyond a limit. */
export function watchLimits(registry: Registry) {
  const limited = registry.counter({
    name: "echochat_rate_limited_total",
    help: "Attempts that were refused because there had been too many, by the limit.",
    labels: ["limit"],
  });
  return <Name extends string, Rate>(createLimit: (name: Name, rate: Rate) => RateLimit) =>
    (name: Name, rate: Rate): RateLimit => {
      const limit = createLimit(name, rate);
      limited.add([name], 0);
      return {
        async take(subject) {
          const allowance = await limit.take(subject);
          if (!allowance.allowed) limited.add([name]);
          return allowance;
        },
      };
    };
}
