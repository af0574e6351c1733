import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIGRATIONS } from "../../resources.ts";
import { openSqlite } from "./open.ts";
import { NotUpdated } from "./update.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "echochat-"));
  folders.push(folder);
  return folder;
}

/** Those of the program, and more after them. */
function migrations(...more: string[]): string {
  const folder = makeFolder();
  cpSync(MIGRATIONS.sqlite, folder, { recursive: true });
  const journal = join(folder, "meta", "_journal.json");
  const { entries, ...rest } = JSON.parse(readFileSync(journal, "utf8")) as { entries: { when: number }[] };
  const last = Math.max(...entries.map(({ when }) => when));
  const added = more.map((sql, i) => {
    const tag = `more_${i}`;
    writeFileSync(join(folder, `${tag}.sql`), sql);
    return { idx: entries.length + i, version: "6", when: last + 1 + i, tag, breakpoints: true };
  });
  writeFileSync(journal, JSON.stringify({ ...rest, entries: [...entries, ...added] }));
  return folder;
}

/** A file that somebody has used, closed. */
function usedFile(): string {
  const file = join(makeFolder(), "echochat.sqlite");
  const db = openSqlite(file, MIGRATIONS.sqlite, 1);
  db.$client.run(
    "INSERT INTO users (name, name_key, password_hash, created_at) VALUES ('ann', 'ann', 'hash', 1)",
  );
  db.$client.close();
  return file;
}

const copiesOf = (file: string) => readdirSync(join(file, "..", "backups")).toSorted();

function allOf(file: string): unknown {
  const client = new Database(file, { readonly: true });
  const tables = client
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all();
  const rows = tables.map(({ name }) => [name, client.query(`SELECT * FROM "${name}"`).all()]);
  const schema = client.query("SELECT * FROM sqlite_schema ORDER BY name").all();
  const version = client.query("PRAGMA user_version").get();
  client.close();
  return { rows, schema, version };
}

const ADD = "ALTER TABLE users ADD motto text";
const TODAY = Date.UTC(2026, 10, 23, 12);
const MINUTE = 60_000;

test("a new file, and one that is up to date, need no copy", () => {
  const file = usedFile();
  const copies: string[] = [];
  openSqlite(file, MIGRATIONS.sqlite, TODAY, (copy) => void copies.push(copy)).$client.close();
  expect(copies).toEqual([]);
  expect(readdirSync(join(file, ".."))).not.toContain("backups");
});

test("before anything changes there is a copy, on which the version before can start", () => {
  const file = usedFile();
  const before = new Database(file).query("SELECT * FROM users").all();
  const [epoch] = new Database(file).query<{ epoch: string }, []>("SELECT epoch FROM installation").all();
  const copies: string[] = [];
  const db = openSqlite(file, migrations(ADD), TODAY, (copy) => void copies.push(copy));
  expect(db.$client.query("SELECT motto FROM users").all()).toEqual([{ motto: null }]);
  db.$client.close();

  expect(copiesOf(file)).toEqual(["before-more_0-2026-11-23T12-00-00Z.sqlite"]);
  const copy = join(file, "..", "backups", copiesOf(file)[0] ?? "");
  expect(copies).toEqual([copy]);
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  const old = openSqlite(copy, MIGRATIONS.sqlite, 1).$client;
  expect(old.query("SELECT * FROM users").all()).toEqual(before);
  // Numbers that were given since are given again: pages that hold them have to know.
  const [anew] = old.query<{ epoch: string }, []>("SELECT epoch FROM installation").all();
  expect(anew?.epoch).toBeString();
  expect(anew).not.toEqual(epoch);
  old.close();
});

test("halves of copies that killed starts have left are cleared away, but not one that is being made", () => {
  const file = usedFile();
  const folder = join(file, "..", "backups");
  mkdirSync(folder);
  const old = ["before-more_0-2026-11-20T12-00-00Z.sqlite.partial", "before-x.sqlite.partial-journal"];
  const young = "before-more_0-2026-11-23T11-59-00Z.sqlite.partial";
  for (const name of [...old, young]) writeFileSync(join(folder, name), "half of it");
  for (const name of old) utimesSync(join(folder, name), 0, (TODAY - 61 * MINUTE) / 1000);
  utimesSync(join(folder, young), 0, (TODAY - MINUTE) / 1000);
  openSqlite(file, migrations(ADD), TODAY).$client.close();
  expect(copiesOf(file)).toEqual([young, "before-more_0-2026-11-23T12-00-00Z.sqlite"]);
});

test("where a migration fails everything is as it was, and a line says what failed and where the copy is", () => {
  const file = usedFile();
  const before = allOf(file);
  const broken = migrations(
    `${ADD}--> statement-breakpoint\nUPDATE users SET name = 'bob'`,
    "CREATE TABLE mottos (id integer)--> statement-breakpoint\nINSERT INTO nowhere VALUES (1)",
  );
  const tries = [0, 1, 2].map((n) => () => openSqlite(file, broken, TODAY + n * MINUTE));
  for (const start of tries) {
    expect(start).toThrow(NotUpdated);
    expect(start).toThrow(/could not be brought up to date: no such table: nowhere\. .*\/before-more_0-/);
    expect(allOf(file)).toEqual(before);
  }
  // However often it is tried.
  expect(copiesOf(file)).toEqual(["before-more_0-2026-11-23T12-02-00Z.sqlite"]);
  expect(openSqlite(file, MIGRATIONS.sqlite, 1).$client.query("SELECT name FROM users").all()).toEqual([
    { name: "ann" },
  ]);
});

test("rows that point nowhere after a migration take it back", () => {
  const file = usedFile();
  const before = allOf(file);
  const careless = migrations(
    "INSERT INTO sessions (id, user_id, csrf, created_at, expires_at) VALUES ('s', 9, 'c', 1, 1)",
  );
  expect(() => openSqlite(file, careless, TODAY)).toThrow("1 rows point to rows that do not exist");
  expect(allOf(file)).toEqual(before);
});

test("the last three copies are kept, and nothing else is touched", () => {
  const file = usedFile();
  const more: string[] = [];
  for (let n = 0; n < 5; n++) {
    more.push(`ALTER TABLE users ADD motto${n} text`);
    openSqlite(file, migrations(...more), TODAY + n * MINUTE).$client.close();
    if (n === 0) writeFileSync(join(file, "..", "backups", "mine.sqlite"), "");
  }
  expect(copiesOf(file)).toEqual([
    "before-more_2-2026-11-23T12-02-00Z.sqlite",
    "before-more_3-2026-11-23T12-03-00Z.sqlite",
    "before-more_4-2026-11-23T12-04-00Z.sqlite",
    "mine.sqlite",
  ]);
});

test("where no copy can be made nothing is changed", () => {
  const file = usedFile();
  const before = allOf(file);
  writeFileSync(join(file, "..", "backups"), "in the way");
  expect(() => openSqlite(file, migrations(ADD), TODAY)).toThrow(
    /is to be brought up to date, and cannot be copied before: .*nothing was changed\.$/,
  );
  expect(allOf(file)).toEqual(before);
});
