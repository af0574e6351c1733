/** Looks at a database and leaves it as it is: what would be added is only counted. */
import { constants, Database } from "bun:sqlite";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { drizzle as drizzleServer } from "drizzle-orm/postgres-js";
import { existsSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import postgres from "postgres";
import type { KnownRoom, Standing, Target } from "../../echochat/ports.ts";
import type { RoomId, UserId } from "../../shared/ids.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import * as postgresTables from "../postgres/schema.ts";
import type { Queries } from "../source.ts";
import * as sqliteTables from "../sqlite/schema.ts";
import { keysIn as serverKeys, refusalOf } from "./postgres.ts";
import { TargetRefused } from "./refused.ts";
import { keysIn as fileKeys } from "./sqlite.ts";
import { readStanding } from "./standing.ts";

const OLDER =
  "The database was made by an earlier version: start this one on it once, which brings it up to date.";

export function rehearseOnFile(file: string): Target {
  if (!existsSync(file)) return rehearsal(async () => EMPTY);
  const client = openedQuietly(file);
  const tables = client
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => name);
  const db = drizzle(client) as unknown as Queries;
  return rehearsal(
    async () =>
      isFurnished(tables)
        ? { ...(await readStanding({ db, tables: sqliteTables })), keys: fileKeys({ $client: client }) }
        : EMPTY,
    async () => client.close(),
  );
}

/** Where nobody is writing, nothing is laid beside the file; where somebody may be, the index of their log is only read. */
function openedQuietly(file: string): Database {
  const log = `${file}-wal`;
  const how = existsSync(log) && statSync(log).size > 0 ? "readonly_shm=1" : "immutable=1";
  const address = `${pathToFileURL(file).href}?${how}`;
  return new Database(address, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI);
}

export async function rehearseOnServer(url: string): Promise<Target> {
  const types = { bigint: { to: 20, from: [20], parse: Number, serialize: String } };
  const client = postgres(url, { max: 1, types, fetch_types: false, onnotice: () => {}, connect_timeout: 8 });
  const close = () => client.end({ timeout: 1 });
  try {
    const rows = await client<{ name: string }[]>`
      SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()`;
    const tables = rows.map(({ name }) => name);
    const db = drizzleServer(client);
    return rehearsal(
      async () =>
        isFurnished(tables)
          ? { ...(await readStanding({ db, tables: postgresTables })), keys: serverKeys(client) }
          : EMPTY,
      close,
    );
  } catch (error) {
    await close();
    throw refusalOf(error, url);
  }
}

function isFurnished(tables: readonly string[]): boolean {
  if (!tables.includes("rooms")) return false;
  if (!tables.includes("origins")) throw new TargetRefused(OLDER);
  return true;
}

const OPEN: KnownRoom = { id: 0 as RoomId, slug: PUBLIC_ROOM, isGone: false, hasOwner: false };
const EMPTY: Standing = { people: [], rooms: [OPEN], origins: [], keys: [] };

/** Ids that nobody has. */
function rehearsal(standing: () => Promise<Standing>, close = async () => {}): Target {
  let last = 0;
  return {
    standing,
    addPeople: async (people) => people.map(() => --last as UserId),
    addRooms: async (rooms) => rooms.map(() => --last as RoomId),
    addMessages: async () => {},
    close,
  };
}
