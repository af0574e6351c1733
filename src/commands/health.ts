/** Asks the server that this environment describes whether it is ready: for what restarts containers. */
import { get } from "node:http";
import { ConfigError, readConfig, type Config } from "../config.ts";
import { complain, say } from "../log.ts";

export const HELP = `  echochat health      ask the server of this environment whether it is ready; the exit code is 0 or 1`;

/** Milliseconds. */
const PATIENCE = 3_000;

/** Where a server is found that listens everywhere. */
const NEAR: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Answers with the exit code: 0 when it is ready, 1 when it is not, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  if (args.length > 0) {
    complain(`Usage:\n\n${HELP}`);
    return 2;
  }
  try {
    say(await ask(readConfig()));
    return 0;
  } catch (error) {
    if (!(error instanceof NotReady || error instanceof ConfigError)) throw error;
    complain(error.message);
    return 1;
  }
}

/** The message is the whole story. */
class NotReady extends Error {}

/** Answers in one line. */
async function ask({ host, port, allowedHosts }: Config): Promise<string> {
  if (port === 0) throw new NotReady("PORT is 0: the server has a port that nobody knows beforehand");
  const near = NEAR[host] ?? host;
  const place = near.includes(":") ? `[${near}]:${port}` : `${near}:${port}`;
  const [named = place] = allowedHosts ?? [];
  const answer = await answerOf(near, port, named).catch((error: unknown) => {
    throw new NotReady(`Nothing answers at ${place} (${wordFor(error)})`);
  });
  const { status, components } = readinessOf(answer);
  const parts = Object.entries(components).filter(([, state]) => state !== "ok");
  const words = [`EchoChat at ${place}: ${String(status)}`, ...parts.map((part) => part.join(" "))].join(
    ", ",
  );
  if (status === "error") throw new NotReady(words);
  if (status === "ok" || status === "degraded") return words;
  throw new NotReady(`What listens at ${place} is not EchoChat`);
}

/** Straight there: a proxy of this environment is for what lies outside. */
function answerOf(hostname: string, port: number, host: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const signal = AbortSignal.timeout(PATIENCE);
  const request = { hostname, port, path: "/api/health/ready/", headers: { host }, agent: false, signal };
  get(request, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => resolve(text)).on("error", reject);
  }).on("error", reject);
  signal.addEventListener("abort", () => reject(signal.reason as Error));
  return promise;
}

interface Readiness {
  status?: unknown;
  components: Record<string, unknown>;
}

function readinessOf(text: string): Readiness {
  try {
    return { components: {}, ...(JSON.parse(text) as object) };
  } catch {
    return { components: {} };
  }
}

function wordFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError" || error.name === "AbortError") return `not within ${PATIENCE / 1000} s`;
  return "code" in error ? String(error.code) : error.message;
}
