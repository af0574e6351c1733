/** Brings a file up to date: all of it or nothing, and not before there is a copy of what people have in it. */
import type { Database } from "bun:sqlite";
import { readMigrationFiles, type MigrationMeta } from "drizzle-orm/migrator";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { duplicate } from "./duplicate.ts";

/** In one line, for whoever started the program. */
export class NotUpdated extends Error {}

/** Copies that are kept, each of the time before another migration. */
const KEPT = 3;

/** Milliseconds. */
const HALF_MAX_AGE = 60 * 60 * 1000;

const TABLE = "__drizzle_migrations";

/** Answers with the copy that was made, if one had to be. */
export function update(client: Database, file: string, folder: string, now: number): string | null {
  const missing = () => missingIn(client, folder);
  const [next] = missing();
  const isAhead = () => missing()[0]?.folderMillis !== next?.folderMillis;
  const copy =
    next && lastApplied(client) > 0 ? copyBefore(client, file, tagOf(next, folder), now, isAhead) : null;
  // Rebuilding a table drops the old one, which would cascade to its children.
  client.run("PRAGMA foreign_keys = OFF");
  if (next) apply(client, file, missing, copy);
  else checkReferences(client, file);
  client.run("PRAGMA foreign_keys = ON");
  return copy;
}

function apply(client: Database, file: string, missing: () => MigrationMeta[], copy: string | null): void {
  try {
    client
      .transaction(() => {
        client.run(
          `CREATE TABLE IF NOT EXISTS ${TABLE} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)`,
        );
        // Another process may have been quicker.
        for (const { sql, hash, folderMillis } of missing()) {
          for (const statement of sql) client.run(statement);
          client.run(`INSERT INTO ${TABLE} (hash, created_at) VALUES (?, ?)`, [hash, folderMillis]);
        }
        checkReferences(client, file);
      })
      .immediate();
  } catch (error) {
    const where = copy === null ? "" : `; there is a copy of it as well, ${copy}`;
    throw new NotUpdated(
      `${file} could not be brought up to date: ${wordsOf(error)}. Everything in it is as it was before, and the version before can go on with it${where}.`,
      { cause: error },
    );
  }
}

function missingIn(client: Database, folder: string): MigrationMeta[] {
  const last = lastApplied(client);
  return readMigrationFiles({ migrationsFolder: folder }).filter(({ folderMillis }) => folderMillis > last);
}

/** Zero for a new file. */
function lastApplied(client: Database): number {
  const table = `SELECT count(*) AS n FROM sqlite_schema WHERE name = '${TABLE}'`;
  return numberFrom(client, table) === 0
    ? 0
    : numberFrom(client, `SELECT max(created_at) AS n FROM ${TABLE}`);
}

/** Null where another process was quicker, which has made a copy as well. */
function copyBefore(
  client: Database,
  file: string,
  tag: string,
  now: number,
  isAhead: () => boolean,
): string | null {
  const folder = join(dirname(file), "backups");
  const time = new Date(now).toISOString().replace(/\.\d+/, "").replaceAll(":", "-");
  const copy = join(folder, `before-${tag}-${time}.sqlite`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    forgetHalves(folder, now);
    duplicate(client, `${copy}.partial`);
    if (isAhead()) {
      rmSync(`${copy}.partial`);
      return null;
    }
    renameSync(`${copy}.partial`, copy);
  } catch (error) {
    throw new NotUpdated(
      `${file} is to be brought up to date, and cannot be copied before: ${wordsOf(error)}. Make room in ${folder}; nothing was changed.`,
      { cause: error },
    );
  }
  forgetOlder(folder, copy, tag);
  return copy;
}

const HALF = /^before-.+\.sqlite\.partial(-journal)?$/;
const COPY = /^before-(.+)-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)\.sqlite$/;

/** What killed starts have left. One that is younger may be another process's, which copies now. */
function forgetHalves(folder: string, now: number): void {
  for (const name of readdirSync(folder).filter((some) => HALF.test(some))) {
    const half = join(folder, name);
    if (now - statSync(half).mtimeMs > HALF_MAX_AGE) rmSync(half, { force: true });
  }
}

/** A start that is tried again and again has one copy, not as many as there were tries. */
function forgetOlder(folder: string, newest: string, tag: string): void {
  const copies = readdirSync(folder)
    .map((name) => ({ name, tag: COPY.exec(name)?.[1], time: COPY.exec(name)?.[2] ?? "" }))
    .filter((copy) => copy.tag !== undefined && join(folder, copy.name) !== newest)
    .toSorted((one, other) => other.time.localeCompare(one.time));
  const others = copies.filter((copy) => copy.tag !== tag);
  const kept = new Set(others.slice(0, KEPT - 1));
  for (const copy of copies.filter((some) => !kept.has(some))) rmSync(join(folder, copy.name));
}

/** What the migration is called, such as `0003_edited`. */
function tagOf({ folderMillis }: MigrationMeta, folder: string): string {
  const journal = readFileSync(join(folder, "meta", "_journal.json"), "utf8");
  const { entries } = JSON.parse(journal) as { entries: { when: number; tag: string }[] };
  return entries.find(({ when }) => when === folderMillis)?.tag ?? String(folderMillis);
}

/** Reads every row, so once for each migration: the file remembers how many it has been checked after. */
function checkReferences(client: Database, file: string): void {
  const applied = numberFrom(client, `SELECT count(*) AS n FROM ${TABLE}`);
  if (numberFrom(client, "SELECT user_version AS n FROM pragma_user_version") === applied) return;
  const broken = client.query("PRAGMA foreign_key_check").all();
  if (broken.length > 0) throw new Error(`${file}: ${broken.length} rows point to rows that do not exist`);
  client.run(`PRAGMA user_version = ${applied}`);
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function numberFrom(client: Database, query: string): number {
  return client.query<{ n: number }, []>(query).get()?.n ?? 0;
}
