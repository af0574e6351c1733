/** The process itself: what it takes of the machine, and how late its one thread is. */
import { readdirSync } from "node:fs";
import type { Registry } from "./registry.ts";

/** Milliseconds. */
const TICK = 100;

/** Seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Answers with what ends it. */
export function watchMachine(registry: Registry): () => void {
  const lag = registry.histogram(
    {
      name: "echochat_event_loop_lag_seconds",
      help: "How much too late a timer came: so long everybody else waited as well.",
    },
    BOUNDS,
  );
  const read = (kind: "counter" | "gauge", name: string, help: string, value: () => number) =>
    registry.reading(kind, { name, help }, () => ifTold(value));
  read("gauge", "process_resident_memory_bytes", "Memory that the process holds.", () =>
    process.memoryUsage.rss(),
  );
  read("counter", "process_cpu_seconds_total", "Processor time that the process has taken.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  const startedAt = Date.now() / 1000 - process.uptime();
  read(
    "gauge",
    "process_start_time_seconds",
    "When the process started, in seconds since 1970.",
    () => startedAt,
  );
  if (process.platform === "linux")
    read(
      "gauge",
      "process_open_fds",
      "Open files and connections.",
      () => readdirSync("/proc/self/fd").length,
    );

  let expected = performance.now() + TICK;
  const timer = setInterval(() => {
    const now = performance.now();
    lag.observe(Math.max(0, now - expected) / 1000);
    expected = now + TICK;
  }, TICK);
  return () => clearInterval(timer);
}

/** The system tells some of it by files, and where no more can be opened the rest is what somebody needs to see. */
function ifTold(value: () => number): number | [] {
  try {
    return value();
  } catch {
    return [];
  }
}
