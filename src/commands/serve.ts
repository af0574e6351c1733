/** Starts the server and stops it when asked. */
import { createApp, type App } from "../app.ts";
import { readConfig, wantsColours } from "../config.ts";
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
    return await createApp(readConfig(), log);
  } catch (error) {
    complain(`EchoChat cannot start: ${reason(error)}`);
    process.exit(1);
  }
}

/** One line for whoever started the program. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "EADDRINUSE")
    return "PORT is in use by another program; choose another";
  return error.message;
}
