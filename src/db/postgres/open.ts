/** Connects to the database, brings it up to date and makes what every installation has: an epoch and the public room. */
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres, { type Sql } from "postgres";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { ARRAYS } from "./arrays.ts";
import { PLANS } from "./plans.ts";
import * as schema from "./schema.ts";
import { unopened, Unopened } from "./unopened.ts";

export type PostgresDatabase = PostgresJsDatabase<typeof schema> & { $client: Sql };

export interface PostgresOptions {
  url: string;
  /** Connections of this node. */
  pool: number;
  /** The folder that drizzle-kit writes. */
  migrations: string;
  /** Tells this node from the others. */
  nodeId: string;
}

/** The oldest that is supported by those who make it. As PostgreSQL counts: 14.0 is 140000. */
const OLDEST = 140_000;

/** Nodes that start together migrate one after the other: whoever holds this lock is at it. */
const MIGRATION_LOCK = 0x6563_686f;

/** Whatever is wrong is said within this time. Seconds. */
const CONNECT_TIMEOUT = 5;
const ANSWER_TIMEOUT = 6;

/** Milliseconds. A node that freezes in the middle of a transaction holds its room for so long and no longer. */
const IDLE_IN_TRANSACTION = 5_000;
/** Longer than a frozen node can hold anything. */
const LOCK_TIMEOUT = 7_000;
const STATEMENT_TIMEOUT = 30_000;
/** While a migration waits for a table, all others wait behind it. */
const MIGRATION_PATIENCE = 5_000;

/** Of every connection. */
export const WAY = {
  connect_timeout: CONNECT_TIMEOUT,
  // By itself the driver would let people wait for up to 20 s after the server has come back.
  backoff: () => 0.05 + Math.random() / 10,
  fetch_types: false,
  onnotice: () => {},
};

const TYPES = {
  ...ARRAYS,
  /** Numbers of eight bytes are read exactly up to 2^53. */
  bigint: { to: 20, from: [20], parse: Number, serialize: String },
  /**
   * PostgreSQL has no NUL. What is stored was asked for it before; what is looked for is nowhere, as it is with the sign
   * that stands for what cannot be read.
   */
  text: {
    to: 25,
    from: [25],
    parse: String,
    serialize: (text: unknown) => String(text).replaceAll("\0", "\ufffd"),
  },
};

/** Rejects with `Unopened` where whoever named the database has to do something. */
export async function openPostgres(options: PostgresOptions, now: number): Promise<PostgresDatabase> {
  const { url, pool, nodeId } = options;
  await prepare(options, now);
  const client = postgres(url, {
    ...WAY,
    max: pool,
    types: TYPES,
    connection: {
      ...PLANS,
      application_name: `echochat ${nodeId}`,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION,
      lock_timeout: LOCK_TIMEOUT,
      statement_timeout: STATEMENT_TIMEOUT,
    },
  });
  return drizzle(client, { schema });
}

/** On a connection of its own: a migration takes the time it takes. */
async function prepare({ url, migrations, nodeId }: PostgresOptions, now: number): Promise<void> {
  const client = postgres(url, {
    ...WAY,
    max: 1,
    connection: { application_name: `echochat ${nodeId}`, statement_timeout: 0, lock_timeout: 0 },
  });
  try {
    await checkServer(client, url);
    await client`SELECT pg_advisory_lock(${MIGRATION_LOCK})`;
    await client`SELECT set_config('lock_timeout', ${`${MIGRATION_PATIENCE}`}, false)`;
    const db = drizzle(client, { schema });
    await migrate(db, { migrationsFolder: migrations }).catch((error: unknown) => {
      throw unopened(error, url, ": its tables could not be brought up to date, and are as they were before");
    });
    await furnish(db, now);
  } catch (error) {
    throw unopened(error, url);
  } finally {
    await client.end({ timeout: 1 });
  }
}

/** Rejects with `Unopened` when it is none that the program can use. */
export async function checkServer(client: Sql, url: string): Promise<void> {
  const asked = client.unsafe<{ number: string; version: string; encoding: string }[]>(
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version,
       current_setting('server_encoding') AS encoding`,
  );
  // Whatever listens there may say something else, or nothing.
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Unopened(url, "does not answer")), ANSWER_TIMEOUT * 1000);
  const [server] = await Promise.race([asked, late.promise]).finally(() => clearTimeout(timer));
  if (!server) throw new Unopened(url, "does not answer");
  if (Number(server.number) < OLDEST)
    throw new Unopened(url, `is PostgreSQL ${server.version}; version ${OLDEST / 10_000} or newer is needed`);
  if (server.encoding !== "UTF8")
    throw new Unopened(url, `has this database in ${server.encoding}; one in UTF8 is needed`);
}

async function furnish(db: PostgresJsDatabase<typeof schema>, now: number): Promise<void> {
  await db.insert(schema.installation).values({ epoch: crypto.randomUUID() }).onConflictDoNothing();
  const open = { slug: PUBLIC_ROOM, name: "Public Chat", createdAt: now };
  await db.insert(schema.rooms).values(open).onConflictDoNothing();
}
