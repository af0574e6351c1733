/** The SQLite file that is filled in one transaction: all of it is there in the end, or nothing. */
import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { hasCode } from "../failures.ts";
import { openSqlite } from "../sqlite/open.ts";
import { CopyRefused } from "./refused.ts";
import { demandCurrent } from "./source.ts";
import { TABLES, type Table } from "./tables.ts";
import type { Target } from "./target.ts";

/** For the indexes, which grow everywhere at once. KiB. */
const CACHE = 64 * 1024;

/** An epoch and the untouched public room are what any first start leaves behind. */
const TOUCHED: Record<string, string> = { rooms: `slug <> '${PUBLIC_ROOM}' OR head > 0`, installation: "0" };

/** Makes the file where there is none; refuses one in which anything is, or that a server has open. */
export function openFileTarget(file: string, migrations: string, now: number): Target {
  const client = openAlone(file, migrations, now);
  return {
    async fill(work, signal) {
      client.run("BEGIN IMMEDIATE");
      demandEmpty(client);
      client.run("DELETE FROM installation");
      client.run("DELETE FROM rooms");
      const insertions = new Map<Table, ReturnType<typeof insertion>>();
      await work({
        insert(table, rows) {
          const insert = insertions.get(table) ?? insertion(client, table);
          insertions.set(table, insert);
          for (const row of rows) insert.run(...row);
          return Promise.resolve();
        },
        // Counts from the highest id by itself.
        countFrom: () => Promise.resolve(),
        async *chunks() {},
      });
      signal.throwIfAborted();
      client.run("COMMIT");
    },
    close() {
      if (client.inTransaction) client.run("ROLLBACK");
      client.run("PRAGMA journal_mode = WAL");
      client.close();
      return Promise.resolve();
    },
  };
}

/** Whoever has it, a server or another import, has it in any of these steps. */
function openAlone(file: string, migrations: string, now: number): Database {
  try {
    if (existsSync(file)) demandFresh(file, migrations);
    const client = openSqlite(file, migrations, now).$client;
    takeAlone(client);
    return client;
  } catch (error) {
    if (!hasCode(error, /^SQLITE_BUSY/)) throw error;
    throw new CopyRefused(`${file} is in use: stop the server first.`, { cause: error });
  }
}

/** Before anything is changed, but what was begun here by a program that was killed: it is taken back first. */
function demandFresh(file: string, migrations: string): void {
  const client = new Database(file, { readwrite: true, create: false, strict: true });
  try {
    // As a first start leaves it that was killed at once.
    if (!client.query("SELECT 1 FROM sqlite_schema LIMIT 1").get()) return;
    demandCurrent(client, file, migrations);
    demandEmpty(client);
  } finally {
    client.close();
  }
}

function demandEmpty(client: Database): void {
  for (const { name } of TABLES) {
    const found = client.query(`SELECT 1 FROM "${name}" WHERE ${TOUCHED[name] ?? "1"} LIMIT 1`).get();
    if (found) throw new CopyRefused(`The database is not empty: its table ${name} has rows.`);
  }
}

/**
 * Without a write-ahead log, which would take everything first and the file once more. The change needs the file for
 * itself, and nobody else opens it until the end.
 */
function takeAlone(client: Database): void {
  try {
    client.run("PRAGMA busy_timeout = 0");
    client.run("PRAGMA locking_mode = EXCLUSIVE");
    client.run("PRAGMA journal_mode = DELETE");
    // Whatever a row points to has been looked up by its name.
    client.run("PRAGMA foreign_keys = OFF");
    client.run(`PRAGMA cache_size = -${CACHE}`);
  } catch (error) {
    client.close();
    throw error;
  }
}

function insertion(client: Database, { name, columns }: Table) {
  const list = columns.map((column) => `"${column.name}"`).join(", ");
  const places = columns.map(() => "?").join(", ");
  return client.query<never, (string | number | boolean | null)[]>(
    `INSERT INTO "${name}" (${list}) VALUES (${places})`,
  );
}
