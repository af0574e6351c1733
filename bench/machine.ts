/** The machine: which core does what, and how much of it was used. Linux only: the figures come from /proc. */
import { readdirSync, readFileSync } from "node:fs";

const SERVER_CORE = 0;
const LOAD_CORE = 1;

/** Of the kernel's clock, in which /proc counts; the same on every Linux in use. */
const TICK_SECONDS = 0.01;

const taskset = Bun.which("taskset");

/** Moves this process, which makes the load, to its core. Answers with what to tell the reader. */
export function pinLoad(): string {
  if (!taskset) return "taskset is missing: server and load share all cores, and the figures mean less";
  const { success } = Bun.spawnSync([taskset, "-a", "-c", "-p", String(LOAD_CORE), String(process.pid)]);
  if (!success) throw new Error("two cores are needed: one for the server, one for the load");
  return `server on core ${SERVER_CORE}, load on core ${LOAD_CORE}`;
}

/** The command, to run on the server's core. `taskset` becomes the command, so the process id is the server's own. */
export function onServerCore(command: readonly string[]): string[] {
  return taskset ? [taskset, "-c", String(SERVER_CORE), ...command] : [...command];
}

/** Moves a running process there, and its children. */
export function moveToServerCore(pid: number): void {
  if (!taskset) return;
  for (const one of familyOf(pid))
    Bun.spawnSync([taskset, "-a", "-c", "-p", String(SERVER_CORE), String(one)]);
}

/** Seconds of CPU that a process has used in all its threads. */
export function cpuSeconds(pid: number): number {
  const { user, system } = statOf(pid);
  return (user + system) * TICK_SECONDS;
}

/** The same of a process with its children, those included that have ended. */
export function familyCpuSeconds(pid: number): number {
  const ended = statOf(pid).ended * TICK_SECONDS;
  return familyOf(pid).reduce((sum, one) => sum + cpuSeconds(one), ended);
}

/** The process and its children. */
export function familyOf(pid: number): number[] {
  const running = readdirSync("/proc").map(Number).filter(Boolean);
  return running.filter((one) => one === pid || parentOf(one) === pid);
}

/** 0 for a process that has just ended. */
function parentOf(pid: number): number {
  try {
    return statOf(pid).parent;
  } catch {
    return 0;
  }
}

function statOf(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in brackets and may hold spaces; the third follows it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [parent, user, system, endedUser, endedSystem] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]));
  return {
    parent: parent ?? 0,
    user: user ?? 0,
    system: system ?? 0,
    /** Of the children that have ended, both. */
    ended: (endedUser ?? 0) + (endedSystem ?? 0),
  };
}

/** Memory in use, MB. */
export const residentMegabytes = (pid: number) => megabytes(pid, "VmRSS");

/** What of it no file and no other process has a share in. MB. */
export const ownMegabytes = (pid: number) => megabytes(pid, "RssAnon");

function megabytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1024;
}

export interface Usage {
  seconds: number;
  serverCpu: number;
  /** Of this process, which makes the load. */
  loadCpu: number;
  /** Shares of a core that was not idle, whoever used it. */
  serverCore: number;
  loadCore: number;
  /** The share of the time in which the server's core had nothing to do until the disk was done. */
  disk: number;
}

/** Starts measuring these servers; the function it returns ends it. */
export function watch(...pids: readonly number[]): () => Usage {
  const startedAt = performance.now();
  const cpuOfAll = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const [cpu, own] = [cpuOfAll(), cpuSeconds(process.pid)];
  const cores = coreTimes();
  return () => {
    const now = coreTimes();
    const share = (core: number, kind: keyof CoreTime) => shareOf(kind, cores[core], now[core]);
    return {
      seconds: (performance.now() - startedAt) / 1000,
      serverCpu: cpuOfAll() - cpu,
      loadCpu: cpuSeconds(process.pid) - own,
      serverCore: share(SERVER_CORE, "busy"),
      loadCore: share(LOAD_CORE, "busy"),
      disk: share(SERVER_CORE, "disk"),
    };
  };
}

interface CoreTime {
  busy: number;
  /** Idle, while somebody waits for the disk. */
  disk: number;
  all: number;
}

function coreTimes(): CoreTime[] {
  const lines = readFileSync("/proc/stat", "utf8").match(/^cpu\d.*$/gm) ?? [];
  return lines.map((line) => {
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...rest] = line
      .split(" ")
      .slice(1)
      .map(Number);
    // The last two fields, guests, are within the first two.
    const interrupts = rest.slice(0, 3).reduce((sum, ticks) => sum + ticks, 0);
    const busy = user + nice + system + interrupts;
    return { busy, disk: wait, all: busy + idle + wait };
  });
}

function shareOf(kind: keyof CoreTime, before: CoreTime | undefined, after: CoreTime | undefined): number {
  if (!before || !after) return Number.NaN;
  return (after[kind] - before[kind]) / Math.max(1, after.all - before.all);
}
