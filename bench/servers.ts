/** The programs that are measured, each in a process of its own on the server's core. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RedisServer } from "../src/testing/redis.ts";
import type { Holding } from "./clients/holder.ts";
import { onServerCore } from "./machine.ts";

const ROOT = join(import.meta.dir, "..");
const BINARY = join(ROOT, "out", "echochat");

const START_PATIENCE_MS = 60_000;
const STOP_PATIENCE_MS = 7_000;

/** Of nodes, which nobody else can reach. */
export const SECRET_KEY = "the same text on each of the nodes";

/** Where a server listens. */
export interface Address {
  url: string;
  hostname: string;
  port: number;
}

export interface Server extends Address {
  pid: number;
  /** From the start of the process to the first connection it accepts. Milliseconds. */
  startedIn: number;
  stop(): Promise<void>;
}

export type Program = (port: number) => { command: string[]; env: Record<string, string> };

const running = new Set<Bun.Subprocess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** As it is run in production, but for the limits on how fast one person may act, and how many sockets they may open. */
function environment(dataDir: string, port: number): Record<string, string> {
  return {
    NODE_ENV: "production",
    HOST: "127.0.0.1",
    PORT: String(port),
    DATA_DIR: dataDir,
    AUTH_RATE_LIMIT: "1000000",
    SOCKET_RATE_LIMIT: "1000000",
    CHAT_MESSAGE_RATE_LIMIT: "1000000000",
    SOCKET_MAX: "1000000",
    SOCKET_MAX_PER_USER: "1000000",
    SOCKET_MAX_PER_ADDRESS: "1000000",
  };
}

export function echochat(dataDir: string): Program {
  return (port) => ({
    command: [process.execPath, "--no-env-file", "src/main.ts"],
    env: environment(dataDir, port),
  });
}

/** What its nodes share. */
export interface Installation {
  /** The URL of a database in PostgreSQL. */
  database: string;
  redis: RedisServer;
  /** For what each keeps by itself. */
  folder: string;
}

/** One of the nodes of an installation. */
export function node({ database, redis, folder }: Installation): Program {
  const shared = { DATABASE_URL: database, REDIS_URL: redis.url, SECRET_KEY };
  return (port) => {
    const { command, env } = echochat(join(folder, String(port)))(port);
    return { command, env: { ...env, ...shared } };
  };
}

/** A program with a commit for each message in place of its own. */
export function commitEach(program: Program): Program {
  return (port) => ({
    command: [process.execPath, "--no-env-file", "bench/baselines/commit-each.ts"],
    env: program(port).env,
  });
}

/** Null when it has not been built. */
export function echochatBinary(dataDir: string): Program | null {
  return existsSync(BINARY) ? (port) => ({ command: [BINARY], env: environment(dataDir, port) }) : null;
}

/** A file of `bench/baselines`. */
export function baseline(name: string, ...values: string[]): Program {
  return (port) => ({
    command: [process.execPath, "--no-env-file", `bench/baselines/${name}.ts`, ...values],
    env: { NODE_ENV: "production", PORT: String(port) },
  });
}

export function inline(code: string): Program {
  return (port) => ({
    command: [process.execPath, "--no-env-file", "-e", code],
    env: { NODE_ENV: "production", PORT: String(port) },
  });
}

export async function start(program: Program): Promise<Server> {
  const port = freePort();
  const { command, env } = program(port);
  const { PATH, HOME, TMPDIR } = process.env;
  const startedAt = performance.now();
  const child = Bun.spawn(onServerCore(command), {
    cwd: ROOT,
    env: { PATH, HOME, TMPDIR, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  running.add(child);
  void showProblems(child.stderr);
  while (!(await accepts(port))) {
    const patient = performance.now() - startedAt < START_PATIENCE_MS;
    if (child.exitCode !== null || !patient) throw new Error(`${command.join(" ")} did not start`);
    await Bun.sleep(1);
  }
  const startedIn = performance.now() - startedAt;
  return {
    url: `http://127.0.0.1:${port}`,
    hostname: "127.0.0.1",
    port,
    pid: child.pid,
    startedIn,
    async stop() {
      child.kill("SIGTERM");
      await Promise.race([child.exited, Bun.sleep(STOP_PATIENCE_MS)]);
      child.kill("SIGKILL");
      await child.exited;
      running.delete(child);
    },
  };
}

export interface Holder {
  /** Whether all of them are still open. */
  isWhole(): boolean;
  end(): void;
}

/** Many sockets in a process of their own, on the core of the load; resolves when all are open. */
export async function hold({ server: { url, hostname, port }, ...holding }: Holding): Promise<Holder> {
  const child = Bun.spawn([process.execPath, "--no-env-file", "bench/clients/holder.ts"], {
    cwd: ROOT,
    stdio: [new Blob([JSON.stringify({ server: { url, hostname, port }, ...holding })]), "pipe", "inherit"],
  });
  running.add(child);
  const { done: failed } = await child.stdout.getReader().read();
  if (failed) throw new Error(`not all sockets could be opened at ${url}`);
  return { isWhole: () => child.exitCode === null, end: () => child.kill("SIGKILL") };
}

/** Of the log, everything but what is merely told. */
async function showProblems(log: ReadableStream<Uint8Array>): Promise<void> {
  const lines = (await new Response(log).text()).split("\n");
  for (const line of lines) if (line !== "" && !line.includes('"level":"info"')) console.error(line);
}

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  probe.stop(true);
  return probe.port;
}

async function accepts(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false; // nobody listens yet
  }
}
