/** What is counted for whoever watches this program: nothing of it is loaded where nobody does. */
import type { Doors } from "../metrics/doors.ts";
import type { Watched } from "../metrics/parts.ts";
import type { MetricsPlace } from "../metrics/server.ts";
import type { Sources } from "../metrics/state.ts";
import { ConfigError, type Config } from "../config.ts";
import type { Cache } from "./cache.ts";
import type { createWeb } from "./web.ts";

export interface Metrics {
  /** The same parts, with what passes through them counted. */
  parts<Parts extends Watched>(parts: Parts): Parts;
  limits(createLimit: Cache["createLimit"]): Cache["createLimit"];
  doors: Doors;
  /** Before the first request. */
  requests(app: { wrap(around: Around): unknown }): void;
  /** Answers from here on; null, and it does not, where nobody asked for it. */
  serve(sources: Omit<Sources, "version" | "database">): { url: string } | null;
  stop(): void;
}

/** As the framework has it. */
type Around = Parameters<Awaited<ReturnType<typeof createWeb>>["wrap"]>[0];

const NONE: Metrics = {
  parts: (parts) => parts,
  limits: (createLimit) => createLimit,
  doors: { acknowledging: (_, part) => part, refusing: (_, part) => part, refused() {} },
  requests() {},
  serve: () => null,
  stop() {},
};

export async function openMetrics({
  metrics: place,
  databaseUrl,
}: Pick<Config, "metrics" | "databaseUrl">): Promise<Metrics> {
  if (!place) return NONE;
  const { createMeters } = await import("../metrics/meters.ts");
  const { version } = await import("../../package.json");
  const meters = createMeters();
  return {
    ...meters,
    requests: (app) => void app.wrap(meters.requests),
    serve(sources) {
      const database = databaseUrl ? "postgres" : "sqlite";
      return atPlace(place, () => meters.serve(place, { ...sources, version, database }));
    },
  };
}

/** In one line that names the variable, for whoever starts the program. */
function atPlace<T>({ host, port }: MetricsPlace, listen: () => T): T {
  try {
    return listen();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EADDRINUSE")
      throw new ConfigError(`METRICS_PORT ${port} is in use by another program; choose another`);
    if (code === "EACCES")
      throw new ConfigError(`METRICS_PORT ${port} is for root alone; choose one from 1024`);
    throw new ConfigError(`METRICS_HOST must be an address of this machine, not ${JSON.stringify(host)}`);
  }
}
