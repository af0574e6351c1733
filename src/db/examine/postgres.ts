/** Looks a PostgreSQL database over, whether nodes run on it or not, and changes nothing in it. */
import postgres, { type TransactionSql } from "postgres";
import { standingOf } from "../copy/versions.ts";
import { checkServer, WAY } from "../postgres/open.ts";
import { unopened, Unopened } from "../postgres/unopened.ts";
import { Unexamined, type Examined } from "./examined.ts";
import { GAPS, judge, ROOMS, type GapRow, type RoomRow } from "./numbers.ts";

/** What has to be on, and what comes of it where it is not. */
const CARE = {
  synchronous_commit: "a crash may take what was saved last: ALTER ROLE ... SET synchronous_commit = on",
  fsync: "a power cut may ruin the database: set fsync = on in postgresql.conf",
  full_page_writes: "a power cut may ruin the database: set full_page_writes = on in postgresql.conf",
};

/** Another clock of the same machine is asked a moment later. */
export async function examinePostgres(url: string, migrations: string, now: () => number): Promise<Examined> {
  const client = postgres(url, { ...WAY, max: 1, connection: { application_name: "echochat doctor" } });
  try {
    await checkServer(client, url);
    return await client.begin("isolation level repeatable read read only", async (sql) => {
      const told = { ...(await engine(sql)), ahead: await ahead(sql, now) };
      const standing = await standingIn(sql, migrations);
      if (standing !== "current") return { ...told, standing, numbers: null };
      const [rooms, gaps] = [await sql.unsafe<RoomRow[]>(ROOMS), await sql.unsafe<GapRow[]>(GAPS)];
      return { ...told, standing, numbers: judge(rooms, gaps) };
    });
  } catch (error) {
    const known = unopened(error, url);
    throw known instanceof Unopened
      ? new Unexamined(`DATABASE_URL: ${known.message}`, { cause: error })
      : error;
  } finally {
    await client.end({ timeout: 1 });
  }
}

async function engine(sql: TransactionSql): Promise<Pick<Examined, "engine" | "careless">> {
  const [found] = await sql.unsafe<Record<string, string>[]>(
    `SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,
       ${Object.keys(CARE)
         .map((name) => `current_setting('${name}') AS ${name}`)
         .join(", ")}`,
  );
  const careless = Object.entries(CARE).filter(([name]) => found?.[name] === "off");
  return {
    engine: `PostgreSQL ${found?.["version"]}, ${found?.["encoding"]}`,
    careless: careless.map(([name, words]) => `${name} is off, and ${words}`),
  };
}

/** The answer was given somewhere between question and receipt. */
async function ahead(sql: TransactionSql, now: () => number): Promise<number> {
  const before = now();
  const [told] = await sql<{ at: number }[]>`
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::double precision AS at`;
  return (told?.at ?? 0) - (before + now()) / 2;
}

async function standingIn(sql: TransactionSql, migrations: string): Promise<Examined["standing"]> {
  const [tables] = await sql<{ migrations: string | null; rooms: string | null }[]>`
    SELECT to_regclass('drizzle.__drizzle_migrations')::text AS migrations, to_regclass('rooms')::text AS rooms`;
  if (!tables?.migrations) return tables?.rooms ? "foreign" : "empty";
  const applied = await sql<
    { at: string }[]
  >`SELECT created_at AS at FROM drizzle.__drizzle_migrations ORDER BY 1`;
  return standingOf(
    applied.map(({ at }) => Number(at)),
    migrations,
  );
}
