/** An old installation under a new binary. */
import { Database } from "bun:sqlite";
import { afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqlite } from "../../src/db/sqlite/open.ts";
import { MIGRATIONS } from "../../src/resources.ts";
import { binary } from "../../src/testing/binary.ts";
import { inSqlite } from "../../src/testing/database.ts";
import { mountDisk, type SmallDisk } from "../../src/testing/small-disk.ts";
import { makeDataDir, removeDataDir, runCommand, startProcess } from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

let program: string;
beforeAll(async () => {
  program = await binary();
});

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) removeDataDir(folder);
});

function makeFolder(): string {
  const folder = makeDataDir();
  folders.push(folder);
  return folder;
}

/** The first that the version before does not have. */
const NEXT = "0003_edited";

/** Those that the version before has. */
function migrationsBefore(): string {
  const folder = makeFolder();
  cpSync(MIGRATIONS.sqlite, folder, { recursive: true });
  const journal = join(folder, "meta", "_journal.json");
  const { entries, ...rest } = JSON.parse(readFileSync(journal, "utf8")) as { entries: { tag: string }[] };
  const known = entries.slice(
    0,
    entries.findIndex(({ tag }) => tag === NEXT),
  );
  writeFileSync(journal, JSON.stringify({ ...rest, entries: known }));
  return folder;
}

/** As the version before has left it, with Ann in it. */
function oldInstallation(): { dataDir: string; before: string } {
  const dataDir = makeFolder();
  const before = migrationsBefore();
  const db = openSqlite(join(dataDir, "echochat.sqlite"), before, 1);
  db.$client.run(
    "INSERT INTO users (name, name_key, password_hash, created_at) VALUES ('ann', 'ann', 'hash', 1)",
  );
  db.$client.close();
  return { dataDir, before };
}

const copiesIn = (dataDir: string) => readdirSync(join(dataDir, "backups"));
const peopleIn = (dataDir: string) => inSqlite({ dataDir }, "SELECT id, name FROM users");

test("the first start copies it, says where, and brings it up to date", async () => {
  const { dataDir, before } = oldInstallation();
  const server = await startProcess(dataDir, {}, program);
  const [name = "", ...more] = copiesIn(dataDir);
  expect(more).toEqual([]);
  expect(name).toStartWith(`before-${NEXT}-`);
  const copy = join(dataDir, "backups", name);
  const line = server
    .output()
    .split("\n")
    .find((some) => some.includes("the database is brought up to date"));
  expect(JSON.parse(line ?? "{}")).toMatchObject({ level: "info", copy });
  await server.kill("SIGTERM");
  const again = await startProcess(dataDir, {}, program);
  expect(again.output()).not.toContain("brought up to date");
  await again.kill("SIGTERM");
  expect(copiesIn(dataDir)).toEqual([name]);

  // The way back, as docs/backup.md has it.
  const aside = join(dataDir, "aside");
  mkdirSync(aside);
  for (const some of readdirSync(dataDir).filter((file) => file.startsWith("echochat.sqlite"))) {
    cpSync(join(dataDir, some), join(aside, some));
    rmSync(join(dataDir, some));
  }
  cpSync(copy, join(dataDir, "echochat.sqlite"));
  openSqlite(join(dataDir, "echochat.sqlite"), before, 1).$client.close();
  expect(peopleIn(dataDir)).toEqual([{ id: 1, name: "ann" }]);
});

test("a migration that fails ends the start with one line, and the version before goes on", async () => {
  const { dataDir, before } = oldInstallation();
  // What the migration is to add is there already.
  inSqlite({ dataDir }, "ALTER TABLE messages ADD edited_at integer");
  const file = join(dataDir, "echochat.sqlite");
  const schema = () => inSqlite({ dataDir }, "SELECT * FROM sqlite_schema ORDER BY name");
  const was = [schema(), peopleIn(dataDir)];
  const { code, stdout, stderr } = await runCommand(dataDir, ["serve"], { program, env: { PORT: "0" } });
  expect([code, stdout]).toEqual([1, ""]);
  const copy = join(dataDir, "backups", copiesIn(dataDir)[0] ?? "");
  expect(stderr).toBe(
    `EchoChat cannot start: ${file} could not be brought up to date: duplicate column name: edited_at. Everything in it is as it was before, and the version before can go on with it; there is a copy of it as well, ${copy}.\n`,
  );
  expect([schema(), peopleIn(dataDir)]).toEqual(was);
  expect(new Database(copy).query("SELECT id, name FROM users").all()).toEqual(peopleIn(dataDir));
  openSqlite(file, before, 1).$client.close();
  // Whoever meets it first is told the same.
  const { code: again, stderr: words } = await runCommand(dataDir, ["user", "promote", "ann"], { program });
  expect([again, words.trim().split("\n").length]).toEqual([1, 1]);
  expect(words).toContain("could not be brought up to date: duplicate column name");
});

test("a backup of it is of its own version, and the first start after a restore brings it up to date", async () => {
  const { dataDir } = oldInstallation();
  const file = join(makeFolder(), "old.tar");
  const restored = makeFolder();
  for (const [where, args] of [
    [dataDir, ["backup", file]],
    [dataDir, ["verify", file]],
    [restored, ["restore", file]],
  ] as const)
    expect(await runCommand(where, args, { program })).toMatchObject({ code: 0, stderr: "" });
  const applied = "SELECT hash FROM __drizzle_migrations";
  expect(inSqlite({ dataDir: restored }, applied)).toEqual(inSqlite({ dataDir }, applied));
  const server = await startProcess(restored, {}, program);
  await server.kill("SIGTERM");
  expect(peopleIn(restored)).toEqual(peopleIn(dataDir));
  expect(copiesIn(restored)).toHaveLength(1);
});

const disk = tryMount();

test.skipIf(disk === null)(
  "a disk without room for the copy ends the start, and nothing is changed",
  async () => {
    if (!disk) return;
    try {
      const { dataDir: made } = oldInstallation();
      // It fits on the disk once, but not twice.
      inSqlite({ dataDir: made }, "UPDATE users SET bio = printf('%02500000d', 0)");
      const dataDir = disk.path;
      cpSync(made, dataDir, { recursive: true });
      const before = inSqlite({ dataDir }, "SELECT * FROM sqlite_schema ORDER BY name");
      const { code, stderr } = await runCommand(dataDir, ["serve"], { program, env: { PORT: "0" } });
      expect([code, stderr]).toEqual([
        1,
        `EchoChat cannot start: ${join(dataDir, "echochat.sqlite")} is to be brought up to date, and cannot be copied before: database or disk is full. Make room in ${join(dataDir, "backups")}; nothing was changed.\n`,
      ]);
      expect(copiesIn(dataDir)).toEqual([]);
      expect(inSqlite({ dataDir }, "SELECT * FROM sqlite_schema ORDER BY name")).toEqual(before);
      expect(peopleIn(dataDir)).toEqual([{ id: 1, name: "ann" }]);
    } finally {
      disk.remove();
    }
  },
);

function tryMount(): SmallDisk | null {
  try {
    return mountDisk(4);
  } catch {
    return null;
  }
}
