/** `/api/health/`: for whoever watches this program. No session is looked at. */
import { Elysia } from "elysia";
import type { Clock } from "../../chat/ports.ts";
import type { Log } from "../../log.ts";
import { isoMicroseconds } from "../../shared/time.ts";
import { json } from "../respond.ts";

/** Each rejects when that part does not work. */
export type Probes = Record<"database" | "cache", () => Promise<void>>;

/** The database is asked at most once in this time, however many ask: each probe waits for the disk. Milliseconds. */
const ANSWER_KEPT = 1_000;

export interface HealthApi {
  clock: Clock;
  log: Log;
  probes: Probes;
  isStopping: () => boolean;
}

export function healthApi({ clock, log, probes, isStopping }: HealthApi) {
  let answer: { at: number; components: Promise<Record<string, string>> } | null = null;

  async function components(): Promise<Record<string, string>> {
    const tried = Object.entries(probes).map(async ([name, probe]) => {
      try {
        await probe();
        return [name, "ok"];
      } catch (error) {
        log.warn("not ready", { component: name, error });
        return [name, "error"];
      }
    });
    return Object.fromEntries(await Promise.all(tried)) as Record<string, string>;
  }

  return new Elysia()
    .get("/api/health/live/", () =>
      json({ status: "ok", check: "live", timestamp: isoMicroseconds(clock.now()) }),
    )
    .get("/api/health/ready/", async () => {
      const now = clock.now();
      if (!answer || now - answer.at >= ANSWER_KEPT || now < answer.at)
        answer = { at: now, components: components() };
      const found = isStopping() ? { server: "stopping" } : await answer.components;
      const ready = Object.values(found).every((state) => state === "ok");
      const body = { status: ready ? "ok" : "error", check: "ready", timestamp: isoMicroseconds(now) };
      return json({ ...body, components: found }, { status: ready ? 200 : 503 });
    });
}
