import { Database } from "bun:sqlite";
import { afterAll, afterEach, describe, expect, spyOn, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIGRATIONS } from "../../resources.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { openSqliteStores } from "../../testing/stores/open.ts";
import { describeMessageStore } from "../../testing/stores/suite.ts";
import { createMessageStore } from "./messages.ts";
import { openSqlite, type SqliteDatabase } from "./open.ts";
import { createRoomReading } from "./rooms.ts";

describeMessageStore("SQLite", openSqliteStores);

describe("a SQLite database", () => {
  const folder = mkdtempSync(join(tmpdir(), "echochat-"));
  const opened: SqliteDatabase[] = [];
  let files = 0;

  function open(name = `${(files += 1)}.sqlite`): SqliteDatabase {
    const db = openSqlite(join(folder, name), MIGRATIONS.sqlite, 1);
    opened.push(db);
    return db;
  }

  afterEach(() => {
    for (const db of opened.splice(0)) db.$client.close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("puts a commit on stable storage before it answers", () => {
    const FULL = 2;
    expect(pragma(open().$client, "synchronous")).toBe(FULL);
  });

  test("lets readers read while it writes", () => {
    expect(pragma(open().$client, "journal_mode")).toBe("wal");
  });

  test("keeps rows from pointing at rows that do not exist", () => {
    const { $client } = open();
    expect(pragma($client, "foreign_keys")).toBe(1);
    const insert =
      "INSERT INTO sessions (id, user_id, csrf, created_at, expires_at) VALUES ('s', 1, 'c', 1, 1)";
    expect(() => $client.run(insert)).toThrow("FOREIGN KEY");
  });

  test("does not open, then or later, when a migration leaves rows that point nowhere", () => {
    open("broken.sqlite").$client.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const careless = join(folder, "careless");
    cpSync(MIGRATIONS.sqlite, careless, { recursive: true });
    const journal = join(careless, "meta", "_journal.json");
    const { entries, ...rest } = JSON.parse(readFileSync(journal, "utf8")) as { entries: { when: number }[] };
    const when = Math.max(...entries.map((entry) => entry.when)) + 1;
    const entry = { idx: entries.length, version: "6", when, tag: "careless", breakpoints: true };
    writeFileSync(journal, JSON.stringify({ ...rest, entries: [...entries, entry] }));
    const insert =
      "INSERT INTO sessions (id, user_id, csrf, created_at, expires_at) VALUES ('s', 9, 'c', 1, 1)";
    writeFileSync(join(careless, "careless.sql"), insert);

    const reopen = () => openSqlite(join(folder, "broken.sqlite"), careless, 1);
    expect(reopen).toThrow("broken.sqlite: 1 rows point to rows that do not exist");
    expect(reopen).toThrow("broken.sqlite: 1 rows point to rows that do not exist");
  });

  test("takes its migrations twice without harm", () => {
    const first = open("twice.sqlite");
    const everything = contentOf(first.$client);
    expect(everything["rooms"]).toMatchObject([{ slug: PUBLIC_ROOM }]);
    expect(everything["installation"]).toHaveLength(1);

    const second = open("twice.sqlite");
    expect(contentOf(second.$client)).toEqual(everything);
    first.$client.run("UPDATE rooms SET name = 'Ours', head = 7");
    expect(contentOf(open("twice.sqlite").$client)["rooms"]).toMatchObject([{ name: "Ours", head: 7 }]);
  });

  test("finds messages and rooms by an index, without scanning or sorting", () => {
    const db = open();
    const statements = statementsOf(db, () => {
      createMessageStore(db);
      createRoomReading(db);
    });
    const plans = statements.map((sql) => ({ sql, plan: planOf(db.$client, sql) }));

    const ofMessages = plans.filter(({ sql }) => /FROM messages/.test(sql));
    expect(ofMessages.length).toBeGreaterThanOrEqual(4);
    for (const index of ["messages_room_id", "messages_room_rev", "messages_author_key"]) {
      expect(ofMessages.filter(({ plan }) => plan.includes(`USING INDEX ${index} `))).not.toEqual([]);
    }
    // The epoch is read once, from a table of one row; the rooms of one person are few enough to sort.
    const costly = plans.filter(({ sql }) => !/from "installation"|FROM members m/.test(sql));
    expect(costly.filter(({ plan }) => /SCAN|TEMP B-TREE/.test(plan))).toEqual([]);
  });

  test("does show a scan or a sort where there is one", () => {
    const { $client } = open();
    expect(planOf($client, "SELECT * FROM messages WHERE text = $text")).toContain("SCAN");
    expect(planOf($client, "SELECT * FROM messages WHERE room_id = $room ORDER BY text")).toContain(
      "TEMP B-TREE",
    );
  });
});

function pragma(client: Database, name: string): unknown {
  return Object.values(client.query(`PRAGMA ${name}`).get() as object)[0];
}

/** Every row of every table, and the tables themselves. */
function contentOf(client: Database): Record<string, unknown[]> {
  const schema = client.query("SELECT name, type, sql FROM sqlite_master ORDER BY name").all() as Named[];
  const tables = schema.filter(({ type, name }) => type === "table" && name !== "sqlite_sequence");
  const rows = tables.map(({ name }) => [name, client.query(`SELECT * FROM ${name}`).all()]);
  return { ...Object.fromEntries(rows), schema };
}

interface Named {
  name: string;
  type: string;
}

/** The SQL that is prepared on a connection meanwhile. */
function statementsOf({ $client }: SqliteDatabase, prepare: () => void): string[] {
  const spies = [spyOn($client, "query"), spyOn($client, "prepare")];
  prepare();
  const statements = spies.flatMap((spy) => spy.mock.calls.map(([sql]) => sql));
  for (const spy of spies) spy.mockRestore();
  return [...new Set(statements)];
}

function planOf(client: Database, sql: string): string {
  const named = [...sql.matchAll(/\$(\w+)/g)].map(([, name = ""]) => [name, 1]);
  const places = sql.match(/\?\d*/g) ?? [];
  const positional = [...new Set(places.map((place, i) => (place === "?" ? i : place)))].map(() => 1);
  const statement = client.prepare(`EXPLAIN QUERY PLAN ${sql}`);
  const steps = (
    named.length > 0 ? statement.all(Object.fromEntries(named)) : statement.all(...positional)
  ) as { detail: string }[];
  return steps.map(({ detail }) => `${detail} `).join("\n");
}
