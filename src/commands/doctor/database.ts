/** The database: which it is, whether it is ours and of this version, its numbers and its time. */
import { join } from "node:path";
import { clock } from "../../compose/domain.ts";
import type { Config } from "../../config.ts";
import type { Examined } from "../../db/examine/examined.ts";
import { Unexamined } from "../../db/examine/examined.ts";
import { MIGRATIONS } from "../../resources.ts";
import { unwell, well, type Finding } from "./finding.ts";

/** Clocks that differ by less differ by nothing that anybody sees. Milliseconds. */
const DRIFT = 2_000;

/** Rooms that are named one by one. */
const NAMED = 5;

export async function database(config: Config): Promise<Finding[]> {
  try {
    const found = await examine(config);
    return [engine(found), migrations(found), ...numbers(found), time(found, config.databaseUrl !== null)];
  } catch (error) {
    if (error instanceof Unexamined) return [unwell("database", error.message)];
    throw error;
  }
}

/** Each is loaded only where it is used. */
async function examine({ databaseUrl, dataDir }: Config): Promise<Examined> {
  if (databaseUrl === null) {
    const { examineSqlite } = await import("../../db/examine/sqlite.ts");
    return examineSqlite(join(dataDir, "echochat.sqlite"), MIGRATIONS.sqlite, clock.now());
  }
  const { examinePostgres } = await import("../../db/examine/postgres.ts");
  return examinePostgres(databaseUrl, MIGRATIONS.postgres, clock.now);
}

function engine({ engine: name, careless }: Examined): Finding {
  return careless.length === 0
    ? well("database", name)
    : unwell("database", `${name}: ${careless.join("; ")}`);
}

const STANDING: Record<Examined["standing"], Finding> = {
  current: well("migrations", "the database is of this version"),
  empty: well("migrations", "there is no database yet: the first start makes it"),
  older: unwell(
    "migrations",
    "the database is of an earlier version: back it up, and start this one, which updates it",
  ),
  newer: unwell("migrations", "a later version has updated the database: upgrade this one as well"),
  foreign: unwell("migrations", "the database is not EchoChat's: is DATABASE_URL, or DATA_DIR, right?"),
};

function migrations({ standing }: Examined): Finding {
  return STANDING[standing];
}

function numbers({ numbers: found }: Examined): Finding[] {
  if (!found) return [];
  const { rooms, messages, wrong } = found;
  const size = `rooms: ${counted(rooms)}, messages: ${counted(messages)}`;
  if (wrong.length === 0) return [well("numbers", `${size}; no room has a gap`)];
  const rest = wrong.length > NAMED ? `, and ${wrong.length - NAMED} more` : "";
  const advice =
    "somebody else than the program has written there; restore a backup, or ask for help before you go on";
  return [unwell("numbers", `${wrong.slice(0, NAMED).join(", ")}${rest}: ${advice}`)];
}

function time({ ahead }: Examined, isServer: boolean): Finding {
  const seconds = (Math.abs(ahead ?? 0) / 1000).toFixed(1);
  const set = "set the clocks by NTP";
  if (!isServer && (ahead ?? 0) > DRIFT)
    return unwell(
      "clock",
      `the newest message is ${seconds} s in the future: this machine's clock was or is wrong; ${set}`,
    );
  if (isServer && Math.abs(ahead ?? 0) > DRIFT)
    return unwell("clock", `PostgreSQL's differs by ${seconds} s from this machine's: ${set}`);
  return well("clock", isServer ? `as PostgreSQL's, within ${seconds} s` : "no message is from the future");
}

function counted(number: number): string {
  return number.toLocaleString("en");
}
