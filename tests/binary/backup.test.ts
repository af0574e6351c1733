/** Backups of the installation, taken, checked and put back by the binary, but never over what somebody has. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { binary } from "../../src/testing/binary.ts";
import type { Client } from "../../src/testing/client.ts";
import { inSqlite } from "../../src/testing/database.ts";
import type { LivedIn } from "../../src/testing/lived-in.ts";
import { png } from "../../src/testing/pictures.ts";
import { startS3 } from "../../src/testing/s3.ts";
import { removeDataDir, runCommand, startProcess } from "../../src/testing/world.ts";
import {
  backedUpHome,
  backup,
  expectAtHome,
  expectEqual,
  picturesIn,
  place,
  restore,
  startLoad,
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

const epochOf = (dataDir: string) => inSqlite({ dataDir }, "SELECT epoch FROM installation");

describe("an installation", () => {
  test("is restored elsewhere as it was, with a new epoch, and everybody is at home", async () => {
    const dataDir = place(home);
    const { code, stdout, stderr } = await restore(whole, dataDir);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Restored the backup of .*: 6 users, 5 rooms, 11 messages, 2 pictures\. Start/);
    expectEqual(dataDir, home);
    expect(readdirSync(dataDir).toSorted()).toEqual(["echochat.sqlite", "media", "secret.key"]);
    await expectAtHome(dataDir, people);
    expect(epochOf(dataDir)).toHaveLength(1);
    expect(epochOf(dataDir)).not.toEqual(epochOf(home));
  });

  test("is a tar of nobody else's, and what is in it is told", async () => {
    expect(statSync(whole).mode & 0o777).toBe(0o600);
    const names = (await Bun.$`tar tf ${whole}`.text()).trim().split("\n");
    expect(names).toHaveLength(5);
    expect(names.slice(2)).toEqual(["echochat.sqlite", "manifest.json", "manifest.json.sha256"]);
    const out = aFolder();
    await Bun.$`tar xf ${whole} && sha256sum --check --quiet manifest.json.sha256`.cwd(out).quiet();
    expect(readFileSync(whole).includes(readFileSync(join(home, "secret.key")))).toBe(false);
    const { code, stdout } = await verify(whole);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /is whole: EchoChat \S+ on SQLite, .*; 6 users, 5 rooms, 11 messages, 3 files\.\n$/,
    );
  });

  test("is asked for its key where it is restored without it", async () => {
    const dataDir = aFolder();
    const { stdout } = await restore(whole, dataDir);
    expect(stdout).toContain(`put the key of the old installation into ${join(dataDir, "secret.key")}`);
    expect((await restore(whole, aFolder(), { SECRET_KEY: "x".repeat(32) })).stdout).not.toContain("key");
  });

  test("is backed up while people write 50 messages a second, with all that was acknowledged before", async () => {
    const dataDir = aFolder();
    cpSync(home, dataDir, { recursive: true });
    const server = await startProcess(dataDir, {}, program);
    const ann = people.ann.moveTo(server);
    const acknowledged: number[] = [];
    const load = startLoad(ann, acknowledged);
    while (acknowledged.length < 25) await Bun.sleep(10);
    const before = [...acknowledged];
    const file = join(aFolder(), "busy.tar");
    const [{ code, stderr }] = await Promise.all([backup(file, dataDir), changePicture(ann)]);
    expect([code, stderr]).toEqual([0, ""]);
    const after = acknowledged.length;
    while (acknowledged.length < after + 25) await Bun.sleep(10);
    await load.stop();
    await server.kill("SIGTERM");

    expect((await verify(file)).code).toBe(0);
    const restored = place(home);
    expect((await restore(file, restored)).code).toBe(0);
    const said = (where: string) =>
      inSqlite<{ id: number; seq: number }>(
        { dataDir: where },
        "SELECT * FROM messages WHERE room_id = (SELECT id FROM rooms WHERE slug = 'public') ORDER BY id",
      );
    const rows = said(restored);
    // A beginning of what there is in the end: nothing is missing in between, and nothing is half.
    expect(said(dataDir).slice(0, rows.length)).toEqual(rows);
    expect(said(dataDir).length).toBeGreaterThan(rows.length);
    const ids = new Set(rows.map(({ id }) => id));
    expect(before.filter((id) => !ids.has(id))).toEqual([]);
    await expectAtHome(restored, people);
  });

  test("with a picture that is nowhere to be found is backed up all the same, and that is told", async () => {
    const dataDir = aFolder();
    cpSync(home, dataDir, { recursive: true });
    rmSync(join(dataDir, "media"), { recursive: true });
    const file = join(aFolder(), "bare.tar");
    const { code, stderr } = await backup(file, dataDir);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Warning: 2 pictures of people could not be found, such as profile_pics\//);
    expect((await verify(file)).stdout).toContain("2 pictures of people were missing when it was made.");
  });

  test("has its pictures in a bucket, and in a folder after the restore", async () => {
    const s3 = await startS3();
    try {
      for (const [name, bytes] of Object.entries(picturesIn(home)))
        await s3.client.write(`profile_pics/${name}`, Buffer.from(bytes, "base64"));
      const dataDir = aFolder();
      cpSync(home, dataDir, { recursive: true });
      rmSync(join(dataDir, "media"), { recursive: true });
      const file = join(aFolder(), "s3.tar");
      expect(await backup(file, dataDir, s3.env)).toMatchObject({ code: 0, stderr: "" });
      const restored = place(home);
      expect((await restore(file, restored)).code).toBe(0);
      expectEqual(restored, home);
      // And the other way.
      for (const name of s3.names()) await s3.client.delete(name);
      expect((await restore(file, place(home), s3.env)).code).toBe(0);
      expect(s3.names()).toHaveLength(2);
    } finally {
      await s3.stop();
    }
  });
});

async function changePicture(who: Client): Promise<void> {
  const image = new File([png(30, 30, [1, 2, 3])], "b.png");
  const answer = await who.post("/api/auth/profile/", { username: "ann", image }, { as: "multipart" });
  expect(answer.status).toBe(200);
}

describe("nothing is restored", () => {
  test("over a database, or beside what is left of one", async () => {
    for (const name of ["echochat.sqlite", "echochat.sqlite-wal"]) {
      const dataDir = place(home);
      writeFileSync(join(dataDir, name), "somebody's");
      const { code, stderr } = await restore(whole, dataDir);
      expect([code, stderr]).toEqual([
        1,
        `There is ${join(dataDir, name)} already: move it away, or give an empty DATA_DIR.\nNothing was restored.\n`,
      ]);
      expect(readFileSync(join(dataDir, name), "utf8")).toBe("somebody's");
      expect(existsSync(join(dataDir, "media"))).toBe(false);
    }
  });

  test("among the pictures of others", async () => {
    const dataDir = place(home);
    const media = join(dataDir, "media", "profile_pics");
    mkdirSync(media, { recursive: true });
    writeFileSync(join(media, "other.webp"), "a picture");
    const { code, stderr } = await restore(whole, dataDir);
    expect([code, stderr]).toEqual([
      1,
      "Where pictures lie there is profile_pics/other.webp already: give an empty place for them.\nNothing was restored.\n",
    ]);
    expect(readdirSync(media)).toEqual(["other.webp"]);
    expect(readdirSync(dataDir).toSorted()).toEqual(["media", "secret.key"]);
  });
});

describe("no backup is made", () => {
  test("over a file that is there", async () => {
    const file = join(aFolder(), "there.tar");
    writeFileSync(file, "precious");
    const { code, stderr } = await backup(file, home);
    expect([code, stderr]).toEqual([
      1,
      `${file} exists: give another name, or move it away.\nThere is no backup.\n`,
    ]);
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  test("of nothing, into nowhere, or for whoever types something else", async () => {
    const empty = aFolder();
    const file = join(empty, "a.tar");
    expect((await backup(file, empty)).stderr).toBe(
      `There is no database at ${join(empty, "echochat.sqlite")}: is DATA_DIR right?\nThere is no backup.\n`,
    );
    expect((await backup(join(empty, "no", "a.tar"), home)).stderr).toContain("It cannot be done: ENOENT");
    expect(readdirSync(empty)).toEqual([]);
    for (const command of ["backup", "verify", "restore"])
      for (const args of [[], ["--all"], ["a", "b"]]) {
        const { code, stdout, stderr } = await runCommand(empty, [command, ...args], { program });
        expect([code, stdout]).toEqual([2, ""]);
        expect(stderr).toContain(`echochat ${command} <file>`);
      }
    expect((await verify(file)).stderr).toContain("cannot be read");
  });
});
