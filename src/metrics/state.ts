/** What is the case when somebody looks, and not counted as it happens. */
import type { Presence } from "../chat/ports.ts";
import type { Hub } from "../ws/hub.ts";
import type { Protocol } from "../ws/socket.ts";
import type { Registry } from "./registry.ts";

export interface Sources {
  hub: Pick<Hub, "sockets">;
  protocols: Record<"page" | "original" | "presence", Protocol>;
  presence: Pick<Presence, "present">;
  /** Null where there is none. */
  redis: { isReachable(): boolean } | null;
  /** Rejects when the database cannot be written. */
  probe: () => Promise<void>;
  version: string;
  database: "sqlite" | "postgres";
}

/** A database that has not answered by then counts as away. Milliseconds. */
const PATIENCE = 2_000;

/** Answers with what has to be asked before each reading. */
export function watchState(registry: Registry, sources: Sources): () => Promise<void> {
  const { hub, protocols, presence, redis, probe, version, database } = sources;
  const build = { version, bun: Bun.version, database };
  let isUp = false;
  let took = 0;

  registry.reading(
    "gauge",
    { name: "echochat_build_info", help: "Always 1: what is running.", labels: Object.keys(build) },
    () => [[Object.values(build), 1]],
  );
  registry.reading(
    "gauge",
    { name: "echochat_sockets_open", help: "Open sockets, by what they speak.", labels: ["kind"] },
    () => {
      const all = hub.sockets();
      return Object.entries(protocols).map(([kind, protocol]) => [
        [kind],
        all.filter(({ data }) => data.protocol === protocol).length,
      ]);
    },
  );
  registry.reading(
    "gauge",
    {
      name: "echochat_people_online",
      help: "Who is here, each person counted once; on all nodes together while Redis is there.",
      labels: ["kind"],
    },
    () => {
      const { online, guests } = presence.present();
      return [
        [["member"], online.length],
        [["guest"], guests],
      ];
    },
  );
  registry.reading(
    "gauge",
    { name: "echochat_database_up", help: "1 when the database has just taken a write, else 0." },
    () => Number(isUp),
  );
  registry.reading(
    "gauge",
    { name: "echochat_database_probe_seconds", help: "How long that write took, or was waited for." },
    () => took,
  );
  if (redis)
    registry.reading(
      "gauge",
      {
        name: "echochat_redis_up",
        help: "1 while what nodes tell each other through Redis arrives, else 0.",
      },
      () => Number(redis.isReachable()),
    );

  return async () => {
    const start = performance.now();
    const late = Bun.sleep(PATIENCE).then(() => false);
    isUp = await Promise.race([
      probe().then(
        () => true,
        () => false,
      ),
      late,
    ]);
    took = (performance.now() - start) / 1000;
  };
}
