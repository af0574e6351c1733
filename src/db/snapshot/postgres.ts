/** A PostgreSQL database as it was at one moment, and what becomes of it in an empty one. */
import postgres, { type ReservedSql, type Sql } from "postgres";
import { unopened, Unopened } from "../postgres/unopened.ts";
import { AVATARS, EPOCH_TABLE, Refused, type Facts, type SnapshotSource } from "./facts.ts";
import { reach, runProgram, type WithPassword } from "./programs.ts";

const CONNECT_SECONDS = 8;

export async function openPostgresSource(url: string, withPassword: WithPassword): Promise<SnapshotSource> {
  const sql = connect(url);
  const { database, env } = reach(url, withPassword);
  const how = ["--format=custom", "--no-owner", "--no-privileges", `--exclude-table-data=${EPOCH_TABLE}`];
  try {
    await sql`SELECT 1`;
  } catch (error) {
    await sql.end({ timeout: 0 });
    throw inWords(error, url);
  }
  return {
    pictures: () => picturesIn(sql),
    async take(use) {
      const tx = await sql.reserve();
      try {
        const { id, ...moment } = await momentOf(tx).catch((error: unknown) => {
          throw inWords(error, url);
        });
        const dump = runProgram("pg_dump", [...how, `--snapshot=${id}`, database], env);
        await use({ ...moment, content: allOf(dump) });
        await tx`ROLLBACK`;
      } finally {
        tx.release();
      }
    },
    close: () => sql.end({ timeout: 0 }),
  };
}

/** Refuses a database with anything in it. */
export async function demandEmpty(url: string): Promise<void> {
  const sql = connect(url);
  try {
    const [found] = await sql<{ name: string }[]>`
      SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
      ORDER BY c.relname LIMIT 1`;
    if (found) throw new Refused(`The database is not empty, it has ${found.name}: give an empty one.`);
  } catch (error) {
    throw inWords(error, url);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** All of it or nothing. */
export async function restoreDump(dump: string, url: string, withPassword: WithPassword): Promise<void> {
  const { database, env } = reach(url, withPassword);
  const how = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"];
  await runProgram("pg_restore", [...how, database, dump], env).done;
  const sql = connect(url);
  try {
    // A planner that knows nothing of the tables would read them whole.
    await sql`ANALYZE`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function connect(url: string): Sql {
  return postgres(url, {
    max: 2,
    connect_timeout: CONNECT_SECONDS,
    onnotice: () => {},
    connection: {
      application_name: "echochat-backup",
      statement_timeout: 0,
      idle_in_transaction_session_timeout: 0,
    },
  });
}

/** What is asked here and what pg_dump reads by the id are of the same moment, until the transaction ends. */
async function momentOf(tx: ReservedSql) {
  await tx`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`;
  const [exported] = await tx<{ id: string }[]>`SELECT pg_export_snapshot() AS id`;
  return { id: exported?.id, facts: await factsOf(tx), pictures: await picturesIn(tx) };
}

async function* allOf({ stdout, done }: ReturnType<typeof runProgram>): AsyncGenerator<Uint8Array> {
  yield* stdout;
  await done;
}

async function picturesIn(sql: Sql | ReservedSql): Promise<string[]> {
  const rows = await sql.unsafe<{ avatar: string }[]>(AVATARS);
  return rows.map(({ avatar }) => avatar);
}

async function factsOf(sql: ReservedSql): Promise<Facts> {
  const applied = await sql<{ at: string }[]>`
    SELECT created_at AS at FROM drizzle.__drizzle_migrations ORDER BY 1`;
  const [installation] = await sql<{ epoch: string }[]>`SELECT epoch FROM ${sql(EPOCH_TABLE)}`;
  const tables = await sql<{ name: string }[]>`
    SELECT tablename AS name FROM pg_tables
    WHERE schemaname = current_schema() AND tablename <> ${EPOCH_TABLE} ORDER BY tablename COLLATE "C"`;
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [counted] = await sql<{ n: string }[]>`SELECT count(*) AS n FROM ${sql(name)}`;
    counts[name] = Number(counted?.n);
  }
  const schema = applied.map(({ at }) => Number(at));
  return { kind: "postgres", schema, epoch: installation?.epoch ?? "", counts };
}

function inWords(error: unknown, url: string): unknown {
  const told = unopened(error, url);
  return told instanceof Unopened ? new Refused(`PostgreSQL at ${told.message}.`, { cause: error }) : told;
}
