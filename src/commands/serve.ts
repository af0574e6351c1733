/** Starts the server and stops it when asked. */
import { createApp, type App } from "../app.ts";
import { readConfig } from "../config.ts";
import { complain, createLog, say, type Log } from "../log.ts";

export async function serve(): Promise<void> {
  const log = createLog();
  const app = await start(log);
  say(`EchoChat is ready: open ${app.url}`);

  const stop = (signal: string) => {
    log.info("stopping", { signal });
    void app.stop().then(() => process.exit(0));
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
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
