/** A private Redis for tests, made by the machine's own program. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./postgres.ts";

export interface RedisServer {
  url: string;
  port: number;
  /** Where it may put files. */
  folder: string;
  pid(): number;
  /** Takes its time away, and gives it back. */
  freeze(): void;
  thaw(): void;
  /** Ends it at once, with everything in it. */
  kill(): Promise<void>;
  /** Starts it again, empty, at the same port. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const PLACES = ["/usr/bin/redis-server", "/usr/local/bin/redis-server", "/opt/homebrew/bin/redis-server"];

export function findRedis(): string | null {
  return (process.env["REDIS_SERVER"] ? [process.env["REDIS_SERVER"]] : PLACES).find(existsSync) ?? null;
}

const START_PATIENCE_MS = 10_000;

/** `args` follow the others on its command line. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const program = findRedis();
  if (!program) throw new Error("no Redis found; install redis-server or set REDIS_SERVER");
  const folder = mkdtempSync(join(tmpdir(), "echochat-redis-"));
  const port = await freePort();
  const options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  let child: Bun.ReadableSubprocess;

  async function start(): Promise<void> {
    child = Bun.spawn([program as string, "--port", String(port), ...options, ...args], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const deadline = Date.now() + START_PATIENCE_MS;
    while (!(await answers(port))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error("Redis did not start");
      await Bun.sleep(10);
    }
  }

  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await child.exited;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    pid: () => child.pid,
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
    kill,
    start,
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<boolean> {
  try {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_, data) => resolve(/PONG|NOAUTH/.test(data.toString())),
        close: () => resolve(false),
        error: () => resolve(false),
      },
    });
    socket.write("PING\r\n");
    const answered = await promise;
    socket.end();
    return answered;
  } catch {
    return false;
  }
}
