/** What many nodes share: a PostgreSQL that waits for the disk and Redis, all of it on the server's core. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { createTokens } from "../src/http/tokens.ts";
import type { SessionId } from "../src/shared/ids.ts";
import { member } from "../src/testing/client.ts";
import { startPostgres } from "../src/testing/postgres.ts";
import { startRedis } from "../src/testing/redis.ts";
import { cpuSeconds, familyCpuSeconds, familyOf, moveToServerCore } from "./machine.ts";
import { node, SECRET_KEY, start, type Installation } from "./servers.ts";
import { TEXTS } from "./texts.ts";

export interface Cluster {
  /** The `Cookie` headers of the members, valid in every installation. */
  cookies: readonly string[];
  /** Those of others, who belong to no private room. */
  crowd: readonly string[];
  /** A database of its own with the members, the history and the rooms, and a Redis of its own. */
  install(): Promise<Installation>;
  /** Starts measuring; the function it returns says how much has been used. */
  watch(): () => Backing;
  /** The processes of PostgreSQL that serve the nodes of this installation: one for each connection. */
  backendsOf(installation: Installation): number[];
  stop(): Promise<void>;
}

/** Seconds of CPU. */
export interface Backing {
  postgresCpu: number;
  redisCpu: number;
}

/** Messages in the public room. */
export const HISTORY = 200_000;

/** Private rooms, without messages: all members belong to each. */
export const ROOMS = 1_000;
export const roomName = (number: number) => `room-${String(number + 1).padStart(4, "0")}`;

/** Others with an account. */
const CROWD = 1_100;

const MEMBERS = ["anna", "ben", "chiara", "dmitri", "elena", "farid", "grete", "hugo"];

const DAY = 24 * 60 * 60_000;

/** As packaged, but for what these defaults leave unused of any machine of today. */
const SETTINGS = { shared_buffers: "512MB", max_wal_size: "4GB" };

export async function startCluster(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), "echochat-bench-"));
  const server = await startPostgres({ durable: true, settings: SETTINGS });
  const lines = readFileSync(join(server.folder, "data", "postmaster.pid"), "utf8").split("\n");
  const pid = Number(lines[0]);
  moveToServerCore(pid);
  const installations: Installation[] = [];

  const abandon = () => {
    for (const { redis } of installations) signal(redis.pid(), "SIGKILL");
    signal(pid, "SIGQUIT");
    Bun.sleepSync(ENDING_MS);
    for (const path of [folder, server.folder]) rmSync(path, { recursive: true, force: true });
  };
  process.once("exit", abandon);

  async function withRedis(database: string): Promise<Installation> {
    const redis = await startRedis();
    moveToServerCore(redis.pid());
    const installation = { database, redis, folder };
    installations.push(installation);
    return installation;
  }

  const used = (): Backing => ({
    postgresCpu: familyCpuSeconds(pid),
    redisCpu: installations.reduce((sum, { redis }) => sum + cpuSeconds(redis.pid()), 0),
  });

  const original = await withRedis(await server.createDatabase());
  const cookies = await register(original);
  const crowd = await fill(original.database);
  let copies = 0;

  return {
    cookies,
    crowd,

    async install() {
      const [name, copy] = [nameOf(original), `copy_${++copies}`];
      await server.run(`CREATE DATABASE ${copy} TEMPLATE ${name}`);
      return withRedis(original.database.replace(name, copy));
    },

    watch() {
      const before = used();
      return () => {
        const now = used();
        return {
          postgresCpu: now.postgresCpu - before.postgresCpu,
          redisCpu: now.redisCpu - before.redisCpu,
        };
      };
    },

    backendsOf: (installation) =>
      familyOf(pid).filter((one) => titleOf(one).includes(` ${nameOf(installation)} `)),

    async stop() {
      process.off("exit", abandon);
      await Promise.all([server.stop(), ...installations.map(({ redis }) => redis.stop())]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL takes this long to end at once. */
const ENDING_MS = 300;

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended
  }
}

const nameOf = ({ database }: Installation) => new URL(database).pathname.slice(1);
const titleOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8");

async function register(installation: Installation): Promise<string[]> {
  const server = await start(node(installation));
  const cookies: string[] = [];
  for (const name of MEMBERS) {
    const person = await member(server, name);
    cookies.push(person.cookieHeader());
  }
  await server.stop();
  return cookies;
}

/** The rooms' numbers stay exactly 1..head. Answers with the cookies of the crowd. */
async function fill(database: string): Promise<string[]> {
  const sql = postgres(database, { max: 1, onnotice: () => {} });
  const now = Date.now();
  await sql`
    WITH authors AS (SELECT id, name, row_number() OVER (ORDER BY id) - 1 AS place FROM users)
    INSERT INTO messages (room_id, seq, rev, author_id, author_name, client_key, text, created_at)
    SELECT rooms.id, number, number, authors.id, authors.name, 'history-' || number,
      (${TEXTS}::text[])[1 + number % ${TEXTS.length}], ${now}::bigint - (${HISTORY} - number) * 60000
    FROM generate_series(1, ${HISTORY}::bigint) AS number
    JOIN rooms ON rooms.slug = 'public'
    JOIN authors ON authors.place = number / 3 % ${MEMBERS.length}
    ORDER BY number`;
  await sql`UPDATE rooms SET head = ${HISTORY} WHERE slug = 'public'`;
  const names = Array.from({ length: ROOMS }, (_, number) => roomName(number));
  await sql`
    INSERT INTO rooms (slug, name, created_at)
    SELECT name, name, ${now} FROM unnest(${names}::text[]) AS name`;
  await sql`
    INSERT INTO members (room_id, user_id, role, joined_at)
    SELECT rooms.id, users.id, 'member', ${now} FROM rooms, users WHERE rooms.slug <> 'public'`;
  const ids = Array.from({ length: CROWD }, (_, number) => `device-${number}`.padEnd(32, "-"));
  await sql`
    WITH people AS (
      INSERT INTO users (name, name_key, password_hash, created_at)
      SELECT 'person-' || number, 'person-' || number, '', ${now}
      FROM generate_series(1, ${CROWD}::int) AS number RETURNING id
    )
    INSERT INTO sessions (id, user_id, csrf, created_at, expires_at)
    SELECT device.id, people.id, device.id, ${now}, ${now + DAY}
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM people) AS people
    JOIN unnest(${ids}::text[]) WITH ORDINALITY AS device (id, place) USING (place)`;
  await sql`VACUUM ANALYZE`;
  await sql`CHECKPOINT`;
  await sql.end();
  const tokens = createTokens(SECRET_KEY);
  return Promise.all(ids.map(async (id) => `sessionid=${await tokens.sign(id as SessionId)}`));
}
