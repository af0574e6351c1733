/** Backups and restores that are met half-way: by another one, by a server, by a signal, or by the end of the disk. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary, GENTLY } from "../../src/testing/binary.ts";
import { member } from "../../src/testing/client.ts";
import { inSqlite } from "../../src/testing/database.ts";
import { mountDisk } from "../../src/testing/small-disk.ts";
import { makeDataDir, removeDataDir, startProcess } from "../../src/testing/world.ts";
import { backedUpHome, backup, expectEqual, picturesIn, place, restore, verify } from "./backup.ts";
import { aFolder, removeFolders } from "./folders.ts";

setDefaultTimeout(60_000);

let program: string;
let home: string;
let whole: string;
beforeAll(async () => {
  program = await binary();
  ({ home, whole } = await backedUpHome());
});
afterEach(removeFolders);
afterAll(() => removeDataDir(home));

/** The installation, with so much in it that there is time to come in between. */
function large(): string {
  const dataDir = aFolder();
  cpSync(home, dataDir, { recursive: true });
  inSqlite(
    { dataDir },
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
     INSERT INTO audit (at, action, actor_name, subject, detail, address)
     SELECT i, 'many', 'ann', printf('%0200d', i), '', '' FROM n`,
  );
  return dataDir;
}

/** Runs a command and holds it where this file has come to be; `goOn` answers with its exit code. */
async function held(dataDir: string, args: string[], until: string) {
  const child = Bun.spawn([...GENTLY, program, ...args], {
    env: { DATA_DIR: dataDir },
    stdio: ["ignore", "ignore", "pipe"],
  });
  while (!existsSync(until) && child.exitCode === null) await Bun.sleep(1);
  child.kill("SIGSTOP");
  return {
    async goOn() {
      child.kill("SIGCONT");
      const [stderr, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
      return { code, stderr };
    },
  };
}

describe("while a restore is under way", () => {
  let file: string;
  beforeAll(async () => {
    file = join(makeDataDir(), "large.tar");
    expect((await backup(file, large())).code).toBe(0);
    removeFolders();
  });
  afterAll(() => removeDataDir(join(file, "..")));

  const begun = (dataDir: string) =>
    held(dataDir, ["restore", file], join(dataDir, "restore.partial", "database"));

  test("another one into the same place is refused, and the first is whole", async () => {
    const dataDir = aFolder();
    const first = await begun(dataDir);
    const second = await restore(whole, dataDir);
    expect([second.code, second.stderr]).toEqual([
      1,
      `Another restore into ${dataDir} is under way.\nNothing was restored.\n`,
    ]);
    expect(await first.goOn()).toEqual({ code: 0, stderr: "" });
    expect(inSqlite({ dataDir }, "SELECT count(*) AS n FROM audit WHERE action = 'many'")).toEqual([
      { n: 200_000 },
    ]);
    expect(readdirSync(dataDir).toSorted()).toEqual(["echochat.sqlite", "media"]);
  });

  test("a server that starts keeps what it has made, and the restore says so", async () => {
    const dataDir = aFolder();
    const first = await begun(dataDir);
    const server = await startProcess(dataDir, {}, program);
    const made = join(dataDir, "echochat.sqlite");
    expect(await first.goOn()).toEqual({
      code: 1,
      stderr: `Somebody has made ${made} meanwhile: stop the server, and move it away.\nNothing was restored.\n`,
    });
    await member(server, "first");
    await server.kill("SIGTERM");
    expect(inSqlite({ dataDir }, "SELECT name FROM users")).toEqual([{ name: "first" }]);
  });
});

describe("nothing is restored", () => {
  test("twice, but where it was interrupted it goes on", async () => {
    const dataDir = place(home);
    // What a restore leaves that is killed among the pictures.
    cpSync(join(home, "media"), join(dataDir, "media"), { recursive: true });
    rmSync(join(dataDir, "media", "profile_pics", Object.keys(picturesIn(home))[0] ?? ""));
    mkdirSync(join(dataDir, "restore.partial"));
    writeFileSync(join(dataDir, "restore.partial", "database"), "half of it");
    expect((await restore(whole, dataDir)).code).toBe(0);
    expectEqual(dataDir, home);
    expect(readdirSync(dataDir).toSorted()).toEqual(["echochat.sqlite", "media", "secret.key"]);
    expect((await restore(whole, dataDir)).code).toBe(1);
  });
});

let whyNoDisk = "";
try {
  mountDisk(1).remove();
} catch (error) {
  whyNoDisk = String(error);
}

describe("no backup is made", () => {
  test("into a file that another one is being written to, which goes on", async () => {
    const dataDir = large();
    const beside = aFolder();
    const file = join(beside, "one.tar");
    const first = await held(dataDir, ["backup", file], `${file}.partial`);
    const second = await backup(file, dataDir);
    expect([second.code, second.stderr]).toEqual([
      1,
      `Another backup into ${file} is under way.\nThere is no backup.\n`,
    ]);
    expect(await first.goOn()).toEqual({ code: 0, stderr: "" });
    expect(readdirSync(beside)).toEqual(["one.tar"]);
    expect((await verify(file)).code).toBe(0);
  });

  test.skipIf(whyNoDisk !== "")("where there is no room, and nothing is left of it", async () => {
    const disk = mountDisk(8);
    try {
      const { code, stderr } = await backup(join(disk.path, "a.tar"), large());
      expect([code, stderr]).toEqual([
        1,
        "It cannot be done: database or disk is full\nThere is no backup.\n",
      ]);
      expect(readdirSync(disk.path)).toEqual([]);
    } finally {
      disk.remove();
    }
  });

  test("by one that is killed, and the next one begins anew", async () => {
    const dataDir = large();
    const beside = aFolder();
    const file = join(beside, "killed.tar");
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const child = Bun.spawn([...GENTLY, program, "backup", file], {
        env: { DATA_DIR: dataDir },
        stdio: ["ignore", "ignore", "ignore"],
      });
      while (!existsSync(`${file}.partial`) && child.exitCode === null) await Bun.sleep(1);
      child.kill(signal);
      await child.exited;
      expect(existsSync(file)).toBe(false);
      if (signal === "SIGTERM") expect([child.exitCode, readdirSync(beside)]).toEqual([1, []]);
      else expect([child.signalCode, existsSync(`${file}.partial`)]).toEqual(["SIGKILL", true]);
    }
    expect((await backup(file, dataDir)).code).toBe(0);
    expect(readdirSync(beside)).toEqual(["killed.tar"]);
    expect((await verify(file)).code).toBe(0);
  });
});
