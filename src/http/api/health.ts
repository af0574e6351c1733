/** `/api/health/`: for whoever watches this program. No session is looked at. */
import { Elysia } from "elysia";
import type { Clock } from "../../chat/ports.ts";
import type { Log } from "../../log.ts";
import { isoMicroseconds } from "../../shared/time.ts";
import { json } from "../respond.ts";

/** Each rejects when that part does not work. */
export type Probes = Record<"database" | "cache", () => Promise<void>>;

type State = "ok" | "degraded" | "error";

/** What it means that a part does not work. Without the cache everything goes on, more slowly. */
const FAILED: Record<keyof Probes, State> = { database: "error", cache: "degraded" };

/** The database is asked at most once in this time, however many ask: each probe waits for the disk. Milliseconds. */
const ANSWER_KEPT = 1_000;

export interface HealthApi {
  clock: Clock;
  log: Log;
  probes: Probes;
  isStopping: () => boolean;
}

export function healthApi({ clock, log, probes, isStopping }: HealthApi) {
  let answer: { at: number; components: Promise<Record<string, State>> } | null = null;

  async function components(): Promise<Record<string, State>> {
    const tried = (["database", "cache"] as const).map(async (name) => [name, await stateOf(name)] as const);
    return Object.fromEntries(await Promise.all(tried));
  }

  async function stateOf(name: keyof Probes): Promise<State> {
    try {
      await probes[name]();
      return "ok";
    } catch (error) {
      log.warn(FAILED[name] === "error" ? "not ready" : "degraded", { component: name, error });
      return FAILED[name];
    }
  }

  return new Elysia()
    .get("/api/health/live/", () =>
      json({ status: "ok", check: "live", timestamp: isoMicroseconds(clock.now()) }),
    )
    .get("/api/health/ready/", async () => {
      const now = clock.now();
      if (!answer || now - answer.at >= ANSWER_KEPT || now < answer.at)
        answer = { at: now, components: components() };
      if (isStopping()) return told("error", now, { server: "stopping" });
      const found = await answer.components;
      const states = Object.values(found);
      const worst = (["error", "degraded"] as const).find((state) => states.includes(state));
      return told(worst ?? "ok", now, found);
    });
}

function told(status: State, now: number, components: Record<string, string>): Response {
  const body = { status, check: "ready", timestamp: isoMicroseconds(now), components };
  return json(body, { status: status === "error" ? 503 : 200 });
}
