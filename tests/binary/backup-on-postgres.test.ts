/** Backups of an installation on PostgreSQL, put back into an empty database, and what it takes to make one. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary } from "../../src/testing/binary.ts";
import type { LivedIn } from "../../src/testing/lived-in.ts";
import { findPostgres, sharedPostgres, type Databases } from "../../src/testing/postgres.ts";
import { removeDataDir, runCommand, startProcess, type Environment } from "../../src/testing/world.ts";
import {
  backedUpHome,
  backup,
  expectAtHome,
  KEYS,
  picturesIn,
  place,
  restore,
  startLoad,
  TABLES,
  verify,
} from "./backup.ts";
import { aFolder, removeFolders } from "./folders.ts";

setDefaultTimeout(60_000);

let program: string;
let home: string;
let people: LivedIn;
let whole: string;
beforeAll(async () => {
  program = await binary();
  ({ home, people, whole } = await backedUpHome());
});
afterEach(removeFolders);
afterAll(() => removeDataDir(home));

describe.skipIf(!findPostgres())("on PostgreSQL", () => {
  const bin = findPostgres() ?? "";
  const PATH = `${bin}:${process.env["PATH"]}`;
  let server: Databases;
  let url: string;
  let env: Environment;
  beforeAll(async () => {
    server = await sharedPostgres();
    url = await server.createDatabase();
    env = { DATABASE_URL: url, PATH };
    expect((await runCommand(home, ["migrate", "--to", url], { program })).code).toBe(0);
  });

  const rowsOf = (table: string, database: string) =>
    server.run(
      `SELECT * FROM ${table} ORDER BY ${KEYS[table] ?? (table === "sessions" ? 'id COLLATE "C"' : "id")}`,
      database,
    );

  test("an installation is restored into an empty database as it was", async () => {
    const key = { SECRET_KEY: readFileSync(join(home, "secret.key"), "utf8") };
    const busy = await startProcess(home, { ...env, ...key }, program);
    const acknowledged: number[] = [];
    const load = startLoad(people.ann.moveTo(busy), acknowledged);
    while (acknowledged.length < 25) await Bun.sleep(10);
    const before = [...acknowledged];
    const file = join(aFolder(), "postgres.tar");
    const { code, stdout, stderr } = await backup(file, home, env);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).not.toContain(new URL(url).password);
    const after = acknowledged.length;
    while (acknowledged.length < after + 25) await Bun.sleep(10);
    await load.stop();
    await busy.kill("SIGTERM");
    expect((await verify(file, { PATH })).stdout).toMatch(/is whole: EchoChat \S+ on PostgreSQL/);
    expect((await verify(file, { PATH: "/nowhere" })).stdout).toContain("compared by its hash only");

    const target = await server.createDatabase();
    const dataDir = aFolder();
    const put = await restore(file, dataDir, { ...env, ...key, DATABASE_URL: target });
    expect([put.code, put.stderr]).toEqual([0, ""]);
    for (const table of TABLES.filter((name) => name !== "messages" && name !== "rooms" && name !== "users"))
      expect(await rowsOf(table, target)).toEqual(await rowsOf(table, url));
    const messages = await rowsOf("messages", target);
    expect((await rowsOf("messages", url)).slice(0, messages.length)).toEqual(messages);
    const ids = new Set(messages.map(({ id }) => Number(id)));
    expect(before.filter((id) => !ids.has(id))).toEqual([]);
    expect(picturesIn(dataDir)).toEqual(picturesIn(home));
    expect(await server.run("SELECT * FROM installation", target)).toEqual([]);
    await expectAtHome(dataDir, people, { DATABASE_URL: target, ...key });
    const [epoch] = await server.run("SELECT epoch FROM installation", target);
    expect(epoch).toBeDefined();
    expect(epoch).not.toEqual((await server.run("SELECT epoch FROM installation", url))[0]);

    const again = await restore(file, aFolder(), { ...env, DATABASE_URL: target });
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("The database is not empty")]);
  });

  test("a quiet one is equal in every row", async () => {
    const file = join(aFolder(), "quiet.tar");
    expect((await backup(file, home, env)).code).toBe(0);
    const target = await server.createDatabase();
    expect((await restore(file, aFolder(), { ...env, DATABASE_URL: target })).code).toBe(0);
    for (const table of TABLES) {
      const rows = await rowsOf(table, target);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows).toEqual(await rowsOf(table, url));
    }
    const [next] = await server.run("SELECT nextval('messages_id_seq') AS id", target);
    const [last] = await server.run("SELECT last_value AS id FROM messages_id_seq", url);
    expect(Number(next?.["id"])).toBe(Number(last?.["id"]) + 1);
    expect((await restore(file, place(home))).stderr).toBe(
      "The backup is of PostgreSQL: set DATABASE_URL to an empty database.\nNothing was restored.\n",
    );
    const empty = await server.createDatabase();
    expect((await restore(whole, aFolder(), { ...env, DATABASE_URL: empty })).stderr).toContain(
      "The backup is of SQLite: restore it without DATABASE_URL",
    );
  });

  test("whoever has no pg_dump, or one that is too old, is told so in one line", async () => {
    const bare = aFolder();
    const file = join(bare, "none.tar");
    const none = await backup(file, home, { DATABASE_URL: url, PATH: bare });
    expect([none.code, none.stderr]).toEqual([
      1,
      "There is no pg_dump on PATH: install the client programs of PostgreSQL, of the server's version or a newer one.\nThere is no backup.\n",
    ]);
    const old = join(bare, "pg_dump");
    writeFileSync(
      old,
      `#!/bin/sh
echo "pg_dump: error: aborting because of server version mismatch" >&2
echo "pg_dump: detail: server version: 17.1; pg_dump version: 13.2" >&2
exit 1
`,
    );
    chmodSync(old, 0o755);
    const mismatch = await backup(file, home, { DATABASE_URL: url, PATH: bare });
    expect([mismatch.code, mismatch.stderr]).toEqual([
      1,
      "pg_dump says: error: aborting because of server version mismatch; detail: server version: 17.1; pg_dump version: 13.2\nThere is no backup.\n",
    ]);
    expect(readdirSync(bare)).toEqual(["pg_dump"]);
  });
});
