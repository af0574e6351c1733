/** One node: a process of the program that shares its database with others. */
import { startProcess, type Environment, type Place, type Process } from "../../../src/testing/world.ts";
import type { Log } from "../log.ts";

export interface Node extends Place {
  name: string;
  process(): Process;
  isUp(): boolean;
  /** Whether it said so when it was asked last. */
  isReady(): boolean;
  /** Starts it again, when it has ended. */
  start(): Promise<void>;
  /** The only way in which it may end. */
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
  freeze(): void;
  thaw(): void;
  /** Makes sure that it is gone. */
  stop(): Promise<void>;
}

/** How often a balancer asks whether a node is ready, and how long it waits for the answer. Milliseconds. */
const LOOK_INTERVAL = 100;
const LOOK_PATIENCE = 1_000;

export async function startNode(deps: {
  name: string;
  dataDir: string;
  env: Environment;
  program: string | undefined;
  log: Log;
}): Promise<Node> {
  const { name, dataDir, env, program, log } = deps;
  let current: Process;
  let isUp = false;
  let isReady = false;
  let isExpected = false;

  async function start(): Promise<void> {
    const started = await startProcess(dataDir, env, program);
    [current, isUp, isReady, isExpected] = [started, true, true, false];
    void started.exited.then((code) => {
      [isUp, isReady] = [false, false];
      const sentence = `${name} ends only when it is told to (${code}: ${started.output().slice(-500)})`;
      if (!isExpected) log.write({ type: "claim", holds: false, sentence });
    });
    void look(started);
  }

  async function look(started: Process): Promise<void> {
    const isPresent = () => isUp && started === current;
    while (isPresent()) {
      const isWell = await saysReady(started);
      if (isPresent()) isReady = isWell;
      await Bun.sleep(LOOK_INTERVAL);
    }
  }

  const kill = (signal: "SIGKILL" | "SIGTERM") => {
    isExpected = true;
    return current.kill(signal);
  };

  await start();
  return {
    name,
    get url() {
      return current.url;
    },
    process: () => current,
    isUp: () => isUp,
    isReady: () => isReady,
    start,
    kill,
    freeze: () => void process.kill(current.pid, "SIGSTOP"),
    thaw: () => void process.kill(current.pid, "SIGCONT"),
    stop: async () => void (await kill("SIGKILL")),
  };
}

async function saysReady({ url }: Place): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(LOOK_PATIENCE);
    return (await fetch(`${url}/api/health/ready/`, { signal })).ok;
  } catch {
    return false;
  }
}
