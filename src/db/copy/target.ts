/** The PostgreSQL database that a copy fills, in one transaction: all of it is there in the end, or nothing. */
import postgres, { type ReservedSql, type Sql } from "postgres";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { lasts } from "../postgres/lingering.ts";
import { openPostgres, type PostgresDatabase, type PostgresOptions } from "../postgres/open.ts";
import { unopened, Unopened } from "../postgres/unopened.ts";
import { CopyRefused, CopyUndecided } from "./refused.ts";
import { TABLES, type Column, type Table, type Value } from "./tables.ts";
import { standingOf } from "./versions.ts";

/** Rows read back at a time. */
const READ_ROWS = 500;
/** One connection copies, the other calls it off. */
const CONNECTIONS = 2;
const CONNECT_SECONDS = 8;

const UNDECIDED =
  "The connection broke in the moment of the commit. The copy is there as a whole or not at all: a second try says which.";

export interface Filling {
  insert(table: Table, rows: readonly Value[][]): Promise<void>;
  /** In order of the key. */
  chunks(table: Table): AsyncIterable<Value[][]>;
  /** No id up to this one is given again. */
  countFrom(table: Table, lastId: number): Promise<void>;
}

export interface Target {
  /** Commits what `work` has done, unless it throws or the signal comes before that. */
  fill(work: (filling: Filling) => Promise<void>, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Brings an empty database up to date; refuses any other. */
export async function openTarget(url: string, migrations: string, now: number): Promise<Target> {
  const options = { url, pool: CONNECTIONS, migrations, nodeId: "migrate" };
  const { $client: client } = await opened(options, now);
  return {
    async fill(work, signal) {
      // Connects: a client that is told to reserve what it does not have yet may wait without end.
      await client`SELECT 1`;
      const tx = await client.reserve();
      const callOff = await readyToCallOff(client, tx);
      signal.addEventListener("abort", callOff);
      await tx`BEGIN`;
      await clear(tx);
      await work(fillingOf(tx, signal));
      // A planner that knows nothing of the tables would read them whole.
      await tx.unsafe(`ANALYZE ${listed(TABLES)}`);
      signal.throwIfAborted();
      signal.removeEventListener("abort", callOff);
      await tx`COMMIT`.catch((error: unknown) => {
        throw new CopyUndecided(UNDECIDED, { cause: error });
      });
    },
    // Whatever is not committed then is undone: a ROLLBACK on a connection that was lost would end the program.
    close: () => client.end({ timeout: 0 }),
  };
}

async function opened(options: PostgresOptions, now: number): Promise<PostgresDatabase> {
  try {
    await demandFresh(options);
    return await openPostgres(options, now);
  } catch (error) {
    const told = unopened(error, options.url);
    throw told instanceof Unopened
      ? new CopyRefused(`PostgreSQL at ${told.message}.`, { cause: error })
      : told;
  }
}

/** Before anything is changed: the database may be somebody else's. */
async function demandFresh({ url, migrations }: PostgresOptions): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: CONNECT_SECONDS });
  try {
    const there = await tablesOf(sql);
    if (there.length === 0) return;
    const foreign = there.filter((name) => !TABLES.some((table) => table.name === name));
    const applied = await migrationsOf(sql);
    const standing = standingOf(applied, migrations);
    if (foreign.length > 0 || standing === "foreign")
      throw new CopyRefused(`The database has tables of something else, such as ${foreign[0] ?? there[0]}.`);
    if (standing !== "current")
      throw new CopyRefused(
        `The database was made by ${EARLIER_OR_LATER[standing]} version: give an empty one.`,
      );
    await demandEmpty(sql);
    await demandUnused(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

const EARLIER_OR_LATER = { older: "an earlier", newer: "a later" };

async function tablesOf(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    SELECT c.relname AS name FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.relname`;
  return rows.map(({ name }) => name);
}

/** When those were written that the database has seen. */
export async function migrationsOf(sql: Sql): Promise<number[]> {
  const [there] = await sql`SELECT to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS known`;
  if (!there?.["known"]) return [];
  const rows = await sql<
    { at: string }[]
  >`SELECT created_at AS at FROM drizzle.__drizzle_migrations ORDER BY 1`;
  return rows.map(({ at }) => Number(at));
}

/** An epoch and the untouched public room are what any first start leaves behind. */
async function demandEmpty(sql: Sql | ReservedSql): Promise<void> {
  const wanted = TABLES.filter(({ name }) => name !== "installation");
  for (const { name } of wanted) {
    const query = `SELECT EXISTS (SELECT 1 FROM "${name}" WHERE ${name === "rooms" ? TOUCHED : "true"}) AS has`;
    const [found] = await sql.unsafe<{ has: boolean }[]>(query);
    if (found?.has) throw new CopyRefused(`The database is not empty: its table ${name} has rows.`);
  }
}

const TOUCHED = `slug <> '${PUBLIC_ROOM}' OR head > 0`;

/** A server keeps the epoch and the public room in mind, and would go on with those it has seen. */
async function demandUnused(sql: Sql): Promise<void> {
  const isUsed = async () => {
    const [seen] = await sql<{ nodes: number }[]>`
      SELECT count(*)::int AS nodes FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'echochat %'`;
    return (seen?.nodes ?? 0) > 0;
  };
  if (await lasts(isUsed)) throw new CopyRefused("A server runs on the database: stop it first.");
}

/** What ends the statement that runs, so that the transaction does not have to wait for it. */
async function readyToCallOff(client: Sql, tx: ReservedSql): Promise<() => void> {
  const [backend] = await tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  const pid = backend?.pid ?? 0;
  // Where this fails the connection is gone, and the transaction with it.
  return () => void client`SELECT pg_cancel_backend(${pid})`.catch(() => {});
}

/** Takes away what a first start has made; nobody else writes from here to the end. */
async function clear(tx: ReservedSql): Promise<void> {
  await tx`SET LOCAL statement_timeout = 0`;
  await tx`SET LOCAL idle_in_transaction_session_timeout = 0`;
  await tx.unsafe(`LOCK TABLE ${listed(TABLES)} IN EXCLUSIVE MODE`);
  await demandEmpty(tx);
  await tx`DELETE FROM installation`;
  await tx`DELETE FROM rooms`;
}

function fillingOf(tx: ReservedSql, signal: AbortSignal): Filling {
  return {
    async insert(table, rows) {
      signal.throwIfAborted();
      const values = table.columns.map(({ type }, at) => {
        const column = rows.map((row) => row[at] ?? null);
        // Of lists the driver knows those of numbers and of texts.
        return type === "boolean" ? `{${column.map((value) => value ?? "NULL").join()}}` : column;
      });
      await tx.unsafe(insertion(table), values as string[], { prepare: true });
    },

    async *chunks(table) {
      for await (const rows of rowsOf(tx, table)) {
        signal.throwIfAborted();
        yield rows;
      }
    },

    async countFrom({ name }, lastId) {
      await tx`SELECT setval(pg_get_serial_sequence(${name}, 'id'), ${Math.max(lastId, 1)}, ${lastId > 0})`;
    },
  };
}

/** In order of the key. */
export async function* rowsOf(
  tx: ReservedSql,
  { name, columns, key }: Table,
): AsyncGenerator<Value[][], void, undefined> {
  const query = `SELECT ${listed(columns)} FROM "${name}" ORDER BY ${key.map(inOrder).join(", ")}`;
  for await (const rows of tx.unsafe(query).values().cursor(READ_ROWS)) yield rows as Value[][];
}

function insertion({ name, columns }: Table): string {
  const arrays = columns.map(({ type }, at) => `$${at + 1}::${type}[]`);
  return `INSERT INTO "${name}" (${listed(columns)}) SELECT * FROM unnest(${arrays.join(", ")})`;
}

function listed(things: readonly { name: string }[]): string {
  return things.map(({ name }) => `"${name}"`).join(", ");
}

/** By bytes, as SQLite has it. */
function inOrder({ name, type }: Column): string {
  return type === "text" ? `"${name}" COLLATE "C"` : `"${name}"`;
}
