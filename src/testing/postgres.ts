/** A private PostgreSQL for tests, made by the machine's own programs: databases of their own, gone at the end. */
import {
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { atOurEnd } from "./at-our-end.ts";

export interface Databases {
  /** A new, empty database; answers with its URL. */
  createDatabase(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  /** One statement as the superuser, in the database of this URL or in the server's own. */
  run(statement: string, url?: string): Promise<Record<string, unknown>[]>;
}

export interface PostgresServer extends Databases {
  port: number;
  /** `immediate`: as after a crash. The port stays the same. */
  restart(mode?: "fast" | "immediate"): Promise<void>;
  /** Ends it as a crash does, and starts it again. */
  halt(): Promise<void>;
  start(): Promise<void>;
  /** Where its files lie. */
  folder: string;
  /** Ends it, and takes its files away. */
  stop(): Promise<void>;
}

const USER = "echochat";
const PASSWORD = "a-password-of-tests";
const PLACES = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"];

/** The folder of `initdb` and the others, of the newest version there is. */
export function findPostgres(): string | null {
  if (process.env["POSTGRES_BIN"]) return process.env["POSTGRES_BIN"];
  for (const place of PLACES.filter((folder) => existsSync(folder))) {
    const folders = readdirSync(place).map((name) => join(place, name, "bin"));
    const newest = folders
      .filter((folder) => existsSync(join(folder, "initdb")))
      .toSorted(byVersion)
      .at(-1);
    if (newest) return newest;
  }
  return null;
}

const byVersion = (one: string, other: string) => one.localeCompare(other, "en", { numeric: true });

interface PostgresPlace {
  durable?: boolean;
  within?: string;
  settings?: Record<string, string>;
  copyOf?: string | undefined;
}

/**
 * `durable`: waits for the disk at every commit, as a server does that nobody has told otherwise. `within`: the folder its
 * files are made in. `copyOf`: the folder of one that has been halted, whose databases it has then.
 */
export async function startPostgres({
  durable = false,
  within = tmpdir(),
  settings = {},
  copyOf,
}: PostgresPlace = {}): Promise<PostgresServer> {
  const bin = findPostgres();
  if (!bin) throw new Error("no PostgreSQL found; install postgresql or set POSTGRES_BIN");
  const folder = mkdtempSync(join(within, "echochat-postgres-"));
  const data = join(folder, "data");
  const port = await freePort();
  // PostgreSQL refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  const asOwner = isRoot ? ["runuser", "-u", "postgres", "--"] : [];
  const run = async (...command: string[]) => {
    const child = Bun.spawn([...asOwner, ...command], { cwd: folder, stdout: "pipe", stderr: "pipe" });
    const [words, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    if (code !== 0) throw new Error(`${command[0]} failed:\n${words}`);
  };

  const passwords = join(folder, "password");
  writeFileSync(passwords, PASSWORD);
  if (copyOf) cpSync(join(copyOf, "data"), data, { recursive: true, mode: constants.COPYFILE_FICLONE });
  if (isRoot) Bun.spawnSync(["chown", "-R", "postgres", folder]);
  chmodSync(folder, 0o700);
  const auth = ["--auth=scram-sha-256", `--pwfile=${passwords}`, `--username=${USER}`];
  if (!copyOf)
    await run(join(bin, "initdb"), "-D", data, ...auth, "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8");
  const options: Record<string, string> = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "200",
    ...(durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
    ...settings,
  };
  const lines = Object.entries(options).map(([name, value]) => `${name} = '${value}'\n`);
  await Bun.write(join(data, "postgresql.auto.conf"), lines.join(""));
  if (isRoot) Bun.spawnSync(["chown", "postgres", join(data, "postgresql.auto.conf")]);

  const control = (...args: string[]) => run(join(bin, "pg_ctl"), "-D", data, "-w", "-s", ...args);
  const log = join(folder, "log");
  const start = () => control("-l", log, "start");
  const url = (database: string) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
  await start();

  async function statement(text: string, database = url("postgres")): Promise<Record<string, unknown>[]> {
    const sql = postgres(database, { max: 1, onnotice: () => {} });
    try {
      return [...(await sql.unsafe(text))];
    } finally {
      // A server that has just crashed does not say goodbye.
      await sql.end({ timeout: 1 });
    }
  }

  let made = 0;
  return {
    port,
    folder,
    run: statement,
    start,
    halt: () => control("stop", "-m", "immediate"),

    async createDatabase() {
      const name = `chat_${process.pid}_${++made}`;
      await statement(`CREATE DATABASE ${name}`);
      return url(name);
    },

    async dropDatabase(of) {
      await statement(`DROP DATABASE IF EXISTS ${new URL(of).pathname.slice(1)} WITH (FORCE)`);
    },

    restart: (mode = "fast") => control("-m", mode, "-l", log, "restart"),

    async stop() {
      await control("stop", "-m", "immediate").catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

let shared: Promise<Databases> | undefined;

/** For whoever wants nothing of a server but databases in it: one for all tests of a process, gone with it. */
export function sharedPostgres(): Promise<Databases> {
  return (shared ??= startShared());
}

async function startShared(): Promise<Databases> {
  const server = await startPostgres();
  const stop = `pid=$(head -n 1 "$0/data/postmaster.pid") && kill -QUIT $pid && while kill -0 $pid; do sleep 0.1; done`;
  atOurEnd(`${stop}; rm -rf "$0"`, server.folder);
  return server;
}

/** The system gives none of these to whoever asks for any: they stay free until the one who asked here takes them. */
const FIRST_PORT = 11_000;
const PORTS = 10_000;

let given = Math.floor(Math.random() * PORTS);

/** Free when it was asked for, and another one each time. */
export async function freePort(): Promise<number> {
  given = (given + 1) % PORTS;
  const port = FIRST_PORT + given;
  return (await isFree(port)) ? port : freePort();
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => void server.close(() => resolve(true)));
  });
}
