/** A SQLite file as it was at one moment. */
import { Database } from "bun:sqlite";
import { existsSync, rmSync } from "node:fs";
import { GAPS, judge, ROOMS, type GapRow, type RoomRow } from "../examine/numbers.ts";
import { duplicate } from "../sqlite/duplicate.ts";
import { AVATARS, EPOCH_TABLE, Refused, type Facts, type SnapshotSource } from "./facts.ts";

/** Faults that are named of each kind. */
const NAMED = 3;

/** Bytes. */
const CHECK_MEMORY = 64 * 1024 * 1024;

const MIGRATIONS_TABLE = "__drizzle_migrations";

/** `copy` is where the snapshot lies until it has been read. */
export function openSqliteSource(file: string, copy: string): SnapshotSource {
  if (!existsSync(file)) throw new Refused(`There is no database at ${file}: is DATA_DIR right?`);
  const client = open(file);
  try {
    const epoch = () =>
      client.query<{ epoch: string }, []>(`SELECT epoch FROM ${EPOCH_TABLE}`).get()?.epoch ?? "";
    epoch();
    return {
      pictures: async () => picturesIn(client),
      async take(use) {
        duplicate(client, copy);
        const snapshot = open(copy);
        try {
          const facts = { ...factsOf(snapshot), epoch: epoch() };
          await use({ facts, pictures: picturesIn(snapshot), content: Bun.file(copy).stream() });
        } finally {
          snapshot.close();
          rmSync(copy, { force: true });
        }
      },
      close: async () => client.close(),
    };
  } catch (error) {
    client.close();
    throw new Refused(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
}

/** What is wrong with a copy that says so much of itself; and the pictures that people have in it. */
export function checkSqlite(copy: string, told: Facts): { faults: string[]; pictures: readonly string[] } {
  const client = open(copy);
  try {
    // Every index is gone through in its own order: four times as fast as with what SQLite takes by itself.
    client.run(`PRAGMA cache_size = -${CHECK_MEMORY / 1024}`);
    const unsound = client.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
    const faults = unsound.map((row) => row.integrity_check).filter((words) => words !== "ok");
    if (faults.length > 0) return { faults: faults.slice(0, NAMED), pictures: [] };
    const { counts, schema } = factsOf(client);
    return {
      faults: [
        ...client
          .query<{ table: string; parent: string }, []>("PRAGMA foreign_key_check")
          .all()
          .slice(0, NAMED)
          .map(({ table, parent }) => `a row of ${table} points to one of ${parent} that does not exist`),
        ...judge(client.query<RoomRow, []>(ROOMS).all(), client.query<GapRow, []>(GAPS).all())
          .wrong.slice(0, NAMED)
          .map((words) => `numbers of ${words}`),
        ...(Bun.deepEquals([counts, schema], [told.counts, told.schema])
          ? []
          : ["it has other tables or rows than the manifest says"]),
      ],
      pictures: picturesIn(client),
    };
  } catch (error) {
    return { faults: [`it cannot be read: ${String(error)}`], pictures: [] };
  } finally {
    client.close();
  }
}

function open(file: string): Database {
  const client = new Database(file, { readonly: true, strict: true });
  client.run("PRAGMA busy_timeout = 5000");
  return client;
}

function picturesIn(client: Database): string[] {
  return client
    .query<{ avatar: string }, []>(AVATARS)
    .all()
    .map(({ avatar }) => avatar);
}

function factsOf(client: Database): Omit<Facts, "epoch"> {
  const tables = client
    .query<{ name: string }, []>(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`,
    )
    .all()
    .filter(({ name }) => name !== EPOCH_TABLE && name !== MIGRATIONS_TABLE);
  const rowsOf = (name: string) =>
    client.query<{ n: number }, []>(`SELECT count(*) AS n FROM "${name}"`).get()?.n ?? 0;
  const applied = client
    .query<{ at: number }, []>(`SELECT created_at AS at FROM ${MIGRATIONS_TABLE} ORDER BY 1`)
    .all();
  return {
    kind: "sqlite",
    schema: applied.map(({ at }) => at),
    counts: Object.fromEntries(tables.map(({ name }) => [name, rowsOf(name)])),
  };
}
