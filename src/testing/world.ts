/** A whole EchoChat for a test: inside this process, or as a process of its own that can be killed. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createApp } from "../app.ts";
import { readConfig } from "../config.ts";
import { createLog } from "../log.ts";
import { environmentOf, makeDataDir, removeDataDir } from "./installation.ts";

export { makeDataDir, removeDataDir } from "./installation.ts";

/** Where clients find a server. */
export interface Place {
  url: string;
  /** Whose certificate is believed, where it has one of its own making. */
  ca?: string;
}

export interface World extends Place {
  dataDir: string;
  /** Every route that the program answers. */
  routes: readonly { method: string; path: string }[];
  /** Log lines of level `error` so far. */
  errors: readonly string[];
  /** Hands over the errors that a test has provoked on purpose; they are then forgotten. */
  takeErrors(): string[];
  /** Fails when an error was logged: whatever a client does, the server has expected it. */
  stop(): Promise<void>;
}

export type Environment = Record<string, string | undefined>;

const ROOT = join(import.meta.dir, "..", "..");
const PRODUCT = "src/main.ts";

/** People in tests act faster than people; what tests a limit sets it. */
const PATIENT = {
  AUTH_RATE_LIMIT: "1000000",
  CHAT_MESSAGE_RATE_LIMIT: "1000000",
  INVITATION_RATE_LIMIT: "1000000",
  ROOM_RATE_LIMIT: "1000000",
  SOCKET_RATE_LIMIT: "1000000",
  SOCKET_MAX_PER_USER: "1000000",
  SOCKET_MAX_PER_ADDRESS: "1000000",
  UPLOAD_RATE_LIMIT: "1000000",
};

const START_PATIENCE_MS = 15_000;
const GIVE_UP_PATIENCE_MS = 15_000;

/** The real app on a free port with an empty database. A value of `undefined` means the server's own default. */
export async function startWorld(env: Environment = {}): Promise<World> {
  const dataDir = makeDataDir();
  const errors: string[] = [];
  const log = createLog((line) => {
    if (JSON.parse(line).level === "error") errors.push(line);
  });
  const installation = await environmentOf(dataDir);
  const config = readConfig({ ...PATIENT, ...installation, ...env, PORT: "0", DATA_DIR: dataDir });
  const app = await createApp(config, log);
  return {
    url: app.url,
    dataDir,
    routes: app.routes,
    errors,
    takeErrors: () => errors.splice(0),
    async stop() {
      await app.stop();
      removeDataDir(dataDir);
      if (errors.length > 0) throw new Error(`the server logged errors:\n${errors.join("\n")}`);
    },
  };
}

export interface Process extends Place {
  pid: number;
  /** Everything written so far, to both streams. */
  output(): string;
  /** What it holds of the machine's memory now. Bytes. */
  memory(): number;
  /** Resolves to the exit code, or null when a signal ended it. */
  exited: Promise<number | null>;
  /** Resolves to the exit code, or null when the signal itself ended it. */
  kill(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): Promise<number | null>;
  /** Makes sure that it is gone. */
  stop(): Promise<void>;
}

/** The product on a free port, or another program that serves; resolves when it says that it is ready. */
export async function startProcess(
  dataDir: string,
  env: Environment = {},
  program = PRODUCT,
): Promise<Process> {
  const { child, exited, output } = await spawn(dataDir, { ...PATIENT, PORT: "0", ...env }, program);
  const deadline = Date.now() + START_PATIENCE_MS;
  let url: string | undefined;
  while (!(url = /ready: open (http\S+)/.exec(output())?.[1])) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill("SIGKILL");
      await exited;
      throw new Error(`the process did not start:\n${output()}`);
    }
    await Bun.sleep(10);
  }
  const kill = (signal: "SIGKILL" | "SIGTERM" | "SIGINT") => {
    child.kill(signal);
    return exited;
  };
  const { pid } = child;
  const memory = () => memoryOf(pid);
  return { url, pid, output, memory, exited, kill, stop: async () => void (await kill("SIGKILL")) };
}

function memoryOf(pid: number): number {
  const status = `/proc/${pid}/status`;
  const kilobytes = existsSync(status)
    ? /VmRSS:\s+(\d+)/.exec(readFileSync(status, "utf8"))?.[1]
    : Bun.spawnSync(["ps", "-o", "rss=", "-p", String(pid)]).stdout.toString();
  return 1024 * Number(kilobytes);
}

/** Runs `bun src/main.ts` that is expected to give up by itself; a null code means that it did not. */
export async function failToStart(
  dataDir: string,
  env: Environment,
): Promise<{ code: number | null; output: string }> {
  const { child, exited, output } = await spawn(dataDir, { PORT: "0", ...env });
  const timer = setTimeout(() => child.kill("SIGKILL"), GIVE_UP_PATIENCE_MS);
  const code = await exited;
  clearTimeout(timer);
  return { code, output: output() };
}

/** Runs a command such as `user create ann`, with this text at its standard input. */
export async function runCommand(
  dataDir: string,
  args: readonly string[],
  { input = "", env = {}, program = PRODUCT }: { input?: string; env?: Environment; program?: string } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = Bun.spawn([...commandOf(program), ...args], {
    cwd: ROOT,
    env: await environment(dataDir, env),
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** The same at a terminal: each answer is typed when its prompt has appeared. */
export async function typeCommand(
  dataDir: string,
  args: readonly string[],
  answers: readonly (readonly [prompt: string, keys: string])[],
): Promise<{ code: number; screen: string }> {
  const waiting = [...answers];
  let screen = "";
  let read = 0;
  const { promise: lastWords, resolve: onLastWords } = Promise.withResolvers<void>();
  const child = Bun.spawn([...commandOf(PRODUCT), ...args], {
    cwd: ROOT,
    env: await environment(dataDir),
    terminal: {
      data(terminal, data) {
        screen += new TextDecoder().decode(data);
        const next = waiting[0];
        if (!next || !screen.slice(read).includes(next[0])) return;
        waiting.shift();
        read = screen.length;
        terminal.write(next[1]);
      },
      exit: () => onLastWords(),
    },
  });
  const [code] = await Promise.all([child.exited, lastWords]);
  child.terminal?.close();
  return { code, screen };
}

/** A program is a source file, or a binary. */
function commandOf(program: string): string[] {
  return program.endsWith(".ts") ? [process.execPath, "--no-env-file", program] : [program];
}

/** Nothing of the developer's own environment gets in, but what any program needs to run. */
async function environment(dataDir: string, env: Environment = {}): Promise<Environment> {
  const { PATH, HOME, TMPDIR, SystemRoot } = process.env;
  const installation = await environmentOf(dataDir);
  return { PATH, HOME, TMPDIR, SystemRoot, DATA_DIR: dataDir, ...installation, ...env };
}

async function spawn(dataDir: string, env: Environment, program = PRODUCT) {
  const child = Bun.spawn(commandOf(program), {
    cwd: ROOT,
    env: await environment(dataDir, env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  const ends = [collect(child.stdout), collect(child.stderr), child.exited];
  // Only when its last words have been read.
  const exited = Promise.all(ends).then(() => child.exitCode);
  return { child, exited, output: () => output };
}
