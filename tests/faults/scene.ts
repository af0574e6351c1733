/** A server on a copy of the template, behind a network that can be broken. */
import type { Client } from "../../src/testing/client.ts";
import {
  makeDataDir,
  removeDataDir,
  startProcess,
  type Environment,
  type Process,
} from "../../src/testing/world.ts";
import { readHeads, readStored, type Stored } from "./checker/stored.ts";
import { createLog, type Log } from "./log.ts";
import { openProxy, type Proxy } from "./proxy.ts";
import { ATTIC_READER, queryOf, type FileTemplate, type Template } from "./template.ts";

/** What a run takes place in. */
export interface Scene {
  template: Template;
  log: Log;
  /** What somebody's pages come through. */
  way(who: string): Proxy;
  /** Somebody's browser, directly at the program. */
  client(who: string): Client;
  /** The number of each room's last change, as the database says. */
  heads(): Promise<Map<string, number>>;
  stored(): Promise<Stored>;
  /** Asks the program to stop, and waits for it. */
  end(): Promise<void>;
  close(): Promise<void>;
}

export interface OneServer extends Scene {
  dataDir: string;
  /** What all come through. */
  network: Proxy;
  /** What only one reader comes through. */
  narrow: Proxy;
  server(): Process;
  /** Starts it again, when it has ended. */
  restart(): Promise<void>;
}

export interface Place {
  /** The program to run; the product itself by default. */
  program?: string | undefined;
  env?: Environment | undefined;
  /** Where the data is put, and what puts it away. */
  disk?: { path: string; remove: () => void } | undefined;
  /** Where there are many: how many. Two by default. */
  nodes?: number | undefined;
}

/** Milliseconds. */
export const MEMORY_INTERVAL = 250;

export async function openScene(template: FileTemplate, { program, env, disk }: Place): Promise<OneServer> {
  const log = createLog();
  const dataDir = disk?.path ?? makeDataDir();
  template.copyTo(dataDir);
  const query = queryOf(dataDir);
  const [network, narrow] = [await openProxy(), await openProxy()];
  let server: Process;
  let isUp = false;

  async function start(): Promise<void> {
    const started = await startProcess(dataDir, env, program);
    [server, isUp] = [started, true];
    void started.exited.then(() => (isUp = false));
  }

  await start();
  for (const proxy of [network, narrow]) proxy.leadTo(() => [server.url]);
  const sampling = setInterval(() => {
    const bytes = isUp ? server.memory() : Number.NaN;
    // It may have ended just now.
    if (Number.isFinite(bytes)) log.write({ type: "memory", bytes });
  }, MEMORY_INTERVAL);

  return {
    template,
    log,
    dataDir,
    network,
    narrow,
    server: () => server,
    restart: start,
    way: (who) => (who === ATTIC_READER ? narrow : network),
    client: (who) => template.client(who, server),
    heads: () => readHeads(query),
    stored: () => readStored(query),
    end: async () => void (await server.kill("SIGTERM")),
    async close() {
      clearInterval(sampling);
      await server.stop();
      for (const proxy of [network, narrow]) proxy.close();
      if (disk) disk.remove();
      else removeDataDir(dataDir);
    },
  };
}
