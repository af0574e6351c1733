/** An installation as JSON Lines, as the binary writes it: all of it as it was at one moment, or nothing. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, cpSync, existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { binary, GENTLY } from "../../src/testing/binary.ts";
import type { Client } from "../../src/testing/client.ts";
import { inSqlite } from "../../src/testing/database.ts";
import { ODD_TEXTS, says, type LivedIn } from "../../src/testing/lived-in.ts";
import { sharedPostgres, type Databases } from "../../src/testing/postgres.ts";
import { removeDataDir, runCommand, type Environment } from "../../src/testing/world.ts";
import {
  expectEqual,
  exportedHome,
  exportTo,
  FILES,
  importFrom,
  linesOf,
  run,
  serve,
  textOf,
  tidyUp,
} from "./export.ts";
import { aFolder } from "./folders.ts";

setDefaultTimeout(60_000);

let postgres: Databases;
let program: string;
let home: string;
let people: LivedIn;
let whole: string;
beforeAll(async () => {
  postgres = await sharedPostgres();
  program = await binary();
  ({ home, people, whole } = await exportedHome());
});
afterEach(tidyUp);
afterAll(() => removeDataDir(home));

describe("a lived-in installation", () => {
  test("is a folder that only its owner reads, without anything that opens a door", async () => {
    expect(statSync(whole).mode & 0o777).toBe(0o700);
    expect(readdirSync(whole).toSorted()).toEqual([...FILES, "files", "manifest.json"].toSorted());
    const everything = FILES.map((file) => textOf(whole, file)).join("");
    const [hash] = inSqlite<{ hash: string }>({ dataDir: home }, "SELECT password_hash AS hash FROM users");
    expect(hash?.hash).toStartWith("$argon2id$");
    expect(everything).not.toContain("argon2id");
    const told = linesOf<{ content: string }>(whole, "messages.jsonl").map(({ content }) => content);
    expect(told).toEqual(expect.arrayContaining([...ODD_TEXTS.map((text) => text.trim()), "was edited", ""]));
  });

  test("is told in numbers", async () => {
    const { stdout, stderr } = await exportTo(join(aFolder(), "again"), home);
    expect(stderr).toBe("");
    for (const file of FILES)
      expect(stdout).toMatch(
        new RegExp(`^  ${file.replace(".jsonl", "")} +${linesOf(whole, file).length}$`, "m"),
      );
  });

  test("goes from the file to PostgreSQL and back, and is the same each time", async () => {
    const DATABASE_URL = await postgres.createDatabase();
    const [there, back] = [aFolder(), aFolder()];
    expect(await importFrom(whole, there, { DATABASE_URL })).toMatchObject({ code: 0, stderr: "" });
    expect((await exportTo(join(there, "export"), there, { DATABASE_URL })).code).toBe(0);
    expectEqual(join(there, "export"), whole);

    expect(await importFrom(join(there, "export"), back)).toMatchObject({ code: 0, stderr: "" });
    expect((await exportTo(join(back, "export"), back)).code).toBe(0);
    expectEqual(join(back, "export"), whole);
  });

  test("is exported without the pictures that are lost, and says so", async () => {
    const dataDir = aFolder();
    cpSync(home, dataDir, { recursive: true });
    rmSync(join(dataDir, "media"), { recursive: true });
    const folder = join(dataDir, "without");
    const { code, stderr } = await exportTo(folder, dataDir);
    expect(code).toBe(0);
    expect(stderr).toContain("missing from where pictures are kept: 1, such as profile_pics/");
    expect((await importFrom(folder, aFolder())).code).toBe(0);
  });
});

describe.each(["the file", "PostgreSQL"])("an export from %s while people write", (where) => {
  const SEEDED = 40_000;

  test("is of one moment", async () => {
    const dataDir = aFolder();
    cpSync(home, dataDir, { recursive: true });
    seed(dataDir);
    const env: Environment = where === "the file" ? {} : { DATABASE_URL: await postgres.createDatabase() };
    if (env["DATABASE_URL"])
      expect((await run(dataDir, ["migrate", "--to", env["DATABASE_URL"]])).code).toBe(0);
    const server = await serve(dataDir, env);
    const [ann, bob] = [people.ann.moveTo(server), people.bob.moveTo(server)];
    const writing = new AbortController();
    const talks = [talk(ann, "a", writing.signal), talk(bob, "b", writing.signal)];

    const folder = join(dataDir, "cut");
    const [gently, ...more] = [...GENTLY, program, "export", folder];
    const exported = await runCommand(dataDir, more, { env, program: gently });
    const written = talks.map((each) => each.said());
    writing.abort();
    for (const each of talks) await each.ended;
    expect([exported.code, exported.stderr]).toEqual([0, ""]);

    const messages = linesOf<{ room: string; content: string }>(folder, "messages.jsonl");
    expect(messages.length).toBeGreaterThan(SEEDED);
    for (const [at, who] of ["a", "b"].entries()) {
      const own = messages.filter(({ content }) => content.startsWith(`${who} `));
      const [open, closed] = ["public", people.room].map(
        (room) => own.filter((message) => message.room === room).length,
      );
      // Each of them says everything in the one room and then in the other.
      expect([0, 1]).toContain((open ?? 0) - (closed ?? 0));
      // They went on while it was written.
      expect(own.length).toBeLessThan(written[at] ?? 0);
    }
    // Numbers without a gap up to the head of each room, or it would be refused.
    expect(await importFrom(folder, aFolder())).toMatchObject({ code: 0, stderr: "" });
  });

  function seed(dataDir: string): void {
    inSqlite(
      { dataDir },
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${SEEDED})
       INSERT INTO messages (room_id, seq, rev, author_id, author_name, client_key, text, created_at)
       SELECT r.id, head + i, head + i, 1, 'ann', 'key-' || i, 'text ' || i, i FROM n, rooms r WHERE slug = 'public'`,
    );
    inSqlite({ dataDir }, `UPDATE rooms SET head = head + ${SEEDED} WHERE slug = 'public'`);
  }

  /** As fast as it goes, until they are told to be silent. */
  function talk(who: Client, name: string, signal: AbortSignal) {
    let said = 0;
    const goOn = async () => {
      while (!signal.aborted)
        for (const room of ["public", people.room]) await says(who, room, `${name} ${++said}`);
    };
    return { said: () => said, ended: goOn() };
  }
});

test("nothing is exported into a folder with something in it, nor from where there is nothing", async () => {
  const dataDir = aFolder();
  appendFileSync(join(dataDir, "notes"), "mine");
  const full = await exportTo(dataDir, home);
  expect([full.code, full.stderr]).toEqual([
    1,
    `${dataDir} is not empty: name a folder that is, or a new one.\nNothing was exported.\n`,
  ]);
  expect(readdirSync(dataDir)).toEqual(["notes"]);
  const none = await exportTo(join(dataDir, "export"), dataDir);
  expect([none.code, none.stderr]).toEqual([
    1,
    `There is no database at ${join(dataDir, "echochat.sqlite")}: is DATA_DIR right?\nNothing was exported.\n`,
  ]);
  const DATABASE_URL = await postgres.createDatabase();
  const empty = await exportTo(join(dataDir, "export"), dataDir, { DATABASE_URL });
  expect(empty.stderr).toBe("The database at DATABASE_URL is not one of EchoChat.\nNothing was exported.\n");
  expect(readdirSync(dataDir)).toEqual(["notes"]);
});

test("a value that the program does not write is named, and the folder is as it was", async () => {
  const dataDir = aFolder();
  cpSync(home, dataDir, { recursive: true });
  inSqlite({ dataDir }, "UPDATE messages SET created_at = 'noon' WHERE id = 2");
  const { code, stderr } = await exportTo(join(dataDir, "spoiled"), dataDir);
  expect([code, stderr]).toEqual([
    1,
    "The database has a value that the program does not write: messages 2, created_at.\nNothing was exported.\n",
  ]);
  expect(existsSync(join(dataDir, "spoiled"))).toBe(false);
});

test("nothing is exported that no import would read, and the message is named", async () => {
  const dataDir = aFolder();
  cpSync(join(home, "echochat.sqlite"), join(dataDir, "echochat.sqlite"));
  inSqlite({ dataDir }, "UPDATE messages SET text = printf('%.*c', 4200000, 'x') WHERE id = 2");
  const folder = join(dataDir, "export");
  const { code, stderr } = await exportTo(folder, dataDir);
  expect([code, stderr]).toEqual([
    1,
    "Of messages something cannot be written: number 2 is longer than 4 MiB.\nNothing was exported.\n",
  ]);
  expect(existsSync(folder)).toBe(false);
});

test.each([
  [["export"]],
  [["export", "a", "b"]],
  [["export", "--all"]],
  [["import"]],
  [["import", "jsonl"]],
  [["import", "csv", "a"]],
])("%p is answered with what to write", async (args) => {
  const { code, stdout, stderr } = await run(aFolder(), args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toStartWith("Usage:\n\n  echochat ");
});
