/** Looks a SQLite file over, whether a server has it open or not, and changes nothing in it. */
import { constants, Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { standingOf } from "../copy/versions.ts";
import { Unexamined, type Examined } from "./examined.ts";
import { GAPS, judge, ROOMS, type GapRow, type RoomRow } from "./numbers.ts";

export function examineSqlite(file: string, migrations: string, now: number): Examined {
  if (!existsSync(file)) return { ...engine(), standing: "empty", ahead: null, numbers: null };
  try {
    // Without a log nobody has it open, and whoever opened it as a file that changes would leave one behind.
    const isAlone = !hasLog(file);
    const found = examine(isAlone ? `${pathToFileURL(file).href}?immutable=1` : file, migrations, now);
    return isAlone && hasLog(file) ? examine(file, migrations, now) : found;
  } catch (error) {
    throw new Unexamined(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
}

const hasLog = (file: string) => existsSync(`${file}-wal`);

function examine(file: string, migrations: string, now: number): Examined {
  const client = new Database(file, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI);
  const rows = <Row>(query: string) => client.query<Row, []>(query).all();
  try {
    client.run("PRAGMA busy_timeout = 5000");
    client.run("BEGIN");
    const [made] = rows("SELECT 1 FROM sqlite_schema WHERE name = '__drizzle_migrations'");
    const applied = made
      ? rows<{ at: number }>("SELECT created_at AS at FROM __drizzle_migrations ORDER BY 1")
      : [];
    const standing = standingOf(
      applied.map(({ at }) => at),
      migrations,
    );
    if (standing !== "current") return { ...engine(), standing, ahead: null, numbers: null };
    const [newest] = rows<{ at: number }>("SELECT created_at AS at FROM messages ORDER BY id DESC LIMIT 1");
    const numbers = judge(rows<RoomRow>(ROOMS), rows<GapRow>(GAPS));
    return { ...engine(), standing, ahead: newest ? newest.at - now : null, numbers };
  } finally {
    client.close();
  }
}

/** The program sets what matters at each start. */
function engine() {
  const client = new Database(":memory:");
  const [found] = client.query<{ version: string }, []>("SELECT sqlite_version() AS version").all();
  client.close();
  return { engine: `SQLite ${found?.version}`, careless: [] };
}
