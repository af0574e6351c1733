/** A server on a copy of the template, behind a network that can be broken. */
import type { Client } from "../../src/testing/client.ts";
import {
  makeDataDir,
  removeDataDir,
  startProcess,
  type Environment,
  type Process,
} from "../../src/testing/world.ts";
import { createLog, type Log } from "./log.ts";
import { openProxy, type Proxy } from "./proxy.ts";
import type { Template } from "./template.ts";

export interface Scene {
  template: Template;
  log: Log;
  dataDir: string;
  /** What all come through. */
  network: Proxy;
  /** What only one reader comes through. */
  narrow: Proxy;
  server(): Process;
  /** Starts it again, when it has ended. */
  restart(): Promise<void>;
  /** Somebody's browser, directly at the server. */
  client(who: string): Client;
  close(): Promise<void>;
}

export interface Place {
  /** The program to run; the product itself by default. */
  program?: string | undefined;
  env?: Environment | undefined;
  /** Where the data is put, and what puts it away. */
  dataDir?: { path: string; remove: () => void } | undefined;
}

/** Milliseconds. */
const MEMORY_INTERVAL = 250;

export async function openScene(template: Template, { program, env, dataDir: given }: Place): Promise<Scene> {
  const log = createLog();
  const made = given?.path ?? makeDataDir();
  template.copyTo(made);
  const [network, narrow] = [await openProxy(), await openProxy()];
  let server: Process;
  let isUp = false;

  async function start(): Promise<void> {
    const started = await startProcess(made, env, program);
    [server, isUp] = [started, true];
    void started.exited.then(() => (isUp = false));
    for (const proxy of [network, narrow]) proxy.leadTo(server.url);
  }

  await start();
  const sampling = setInterval(() => {
    const bytes = isUp ? server.memory() : Number.NaN;
    // It may have ended just now.
    if (Number.isFinite(bytes)) log.write({ type: "memory", bytes });
  }, MEMORY_INTERVAL);

  return {
    template,
    log,
    dataDir: made,
    network,
    narrow,
    server: () => server,
    restart: start,
    client: (who) => template.client(who, server),
    async close() {
      clearInterval(sampling);
      await server.stop();
      for (const proxy of [network, narrow]) proxy.close();
      if (given) given.remove();
      else removeDataDir(made);
    },
  };
}
