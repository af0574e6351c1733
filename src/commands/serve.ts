/** Starts the server and stops it when asked. */
import { createApp, type App } from "../app.ts";
import { readConfig, readGiven, wantsColours } from "../config.ts";
import { complain, createLog, readable, say, type Log } from "../log.ts";

export const HELP = `  echochat [serve]     start the server (the default)`;

/** Resolves when the server listens; it goes on until a signal ends it. */
export async function run(): Promise<number> {
  const log = createLog(undefined, process.stderr.isTTY ? readable(wantsColours()) : undefined);
  // The runtime would write down all that an error holds: the values of a query are among it.
  for (const event of ["uncaughtException", "unhandledRejection"])
    process.once(event, (error: unknown) => {
      log.error("crashed", { error });
      process.exit(1);
    });
  const app = await start(log);
  say(`EchoChat is ready: open ${app.url}`);

  const stop = (signal: string) => {
    log.info("stopping", { signal });
    void app.stop().then(() => process.exit(0));
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  return 0;
}

async function start(log: Log): Promise<App> {
  try {
    const config = readConfig();
    tellOriginalNames(log);
    return await createApp(config, log);
  } catch (error) {
    complain(`EchoChat cannot start: ${reason(error)}`);
    process.exit(1);
  }
}

/** One line that names the new ones. */
function tellOriginalNames(log: Log): void {
  const { called, idle } = readGiven();
  const renamed = Object.fromEntries([...called].map(([ours, theirs]) => [theirs.join(", "), ours]));
  // Those of the container of PostgreSQL are no mistake.
  const ignored = [...idle.keys()].filter((name) => name.startsWith("DJANGO_"));
  if (called.size + ignored.length > 0) log.info("names of EchoChat's original", { renamed, ignored });
}

/** One line for whoever started the program. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = "", syscall = "" }: NodeJS.ErrnoException = error;
  return (LISTENING.has(syscall) && REASONS[code]) || error.message;
}

const LISTENING: ReadonlySet<string> = new Set(["listen", "getaddrinfo"]);

/** What stops it from listening. */
const REASONS: Record<string, string> = {
  EADDRINUSE: "PORT is in use by another program; choose another",
  EACCES: "PORT is for root alone; choose one from 1024",
  EADDRNOTAVAIL: "HOST is not an address of this machine",
  ENOTFOUND: "HOST is not an address of this machine",
};
