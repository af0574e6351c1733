/** Backups of the installation, taken, checked and put back by the binary. */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join as inFolder } from "node:path";
import { headOf, padding } from "../../src/backup/tar.ts";
import { binary, GENTLY } from "../../src/testing/binary.ts";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { inSqlite } from "../../src/testing/database.ts";
import { liveIn, says, type LivedIn } from "../../src/testing/lived-in.ts";
import { findPostgres, startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { join } from "../../src/testing/rooms.ts";
import { mountDisk } from "../../src/testing/small-disk.ts";
import { startS3 } from "../../src/testing/s3.ts";
import {
  makeDataDir,
  removeDataDir,
  runCommand,
  startProcess,
  type Environment,
} from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

const TABLES = ["users", "rooms", "invitations", "members", "messages", "sessions", "audit"];

let program: string;
let home: string;
let people: LivedIn;
/** Of the installation, and not to be changed. */
let whole: string;
beforeAll(async () => {
  program = await binary();
  home = makeDataDir();
  people = await liveIn(home);
  whole = inFolder(folder(), "whole.tar");
  folders.pop();
  expect(await backup(whole)).toMatchObject({ code: 0, stderr: "" });
});
afterAll(() => {
  removeDataDir(home);
  rmSync(inFolder(whole, ".."), { recursive: true });
});

const folders: string[] = [];
afterEach(() => {
  for (const some of folders.splice(0)) removeDataDir(some);
});

function folder(): string {
  const made = makeDataDir();
  folders.push(made);
  return made;
}

const backup = (file: string, dataDir = home, env: Environment = {}) =>
  runCommand(dataDir, ["backup", file], { program, env });
const verify = (file: string, env: Environment = {}) => runCommand("", ["verify", file], { program, env });
const restore = (file: string, dataDir: string, env: Environment = {}) =>
  runCommand(dataDir, ["restore", file], { program, env });

/** The installation, with so much in it that there is time to come in between. */
function large(): string {
  const dataDir = folder();
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

const KEYS: Record<string, string> = { members: "room_id, user_id" };
const epochOf = (dataDir: string) => inSqlite({ dataDir }, "SELECT epoch FROM installation");

/** Names and bytes of all pictures. */
function picturesIn(dataDir: string): Record<string, string> {
  const media = inFolder(dataDir, "media", "profile_pics");
  const read = (name: string) => readFileSync(inFolder(media, name), "base64");
  return Object.fromEntries(readdirSync(media).map((name) => [name, read(name)]));
}

function expectEqual(one: string, other: string): void {
  for (const table of [...TABLES, "sqlite_sequence"]) {
    const order = table === "sqlite_sequence" ? "name" : (KEYS[table] ?? "id");
    const rows = inSqlite({ dataDir: other }, `SELECT * FROM ${table} ORDER BY ${order}`);
    expect(rows.length).toBeGreaterThan(0);
    expect(inSqlite({ dataDir: one }, `SELECT * FROM ${table} ORDER BY ${order}`)).toEqual(rows);
  }
  expect(Object.keys(picturesIn(other)).length).toBeGreaterThan(1);
  expect(picturesIn(one)).toEqual(picturesIn(other));
}

/** People find what they left, and with the same key their sessions and invitations as well. */
async function expectAtHome(dataDir: string, env: Environment = {}): Promise<void> {
  const server = await startProcess(dataDir, env, program);
  try {
    const again = await guest(server);
    expect((await again.login("ann")).status).toBe(200);
    const history = await again.get(`/api/chat/rooms/${people.room}/messages/`);
    expect(history.text).toContain("hello");
    const ann = people.ann.moveTo(server);
    expect((await ann.get("/api/auth/session/")).text).toContain('"ann"');
    const profile = (await ann.get("/api/auth/profile/")).text;
    const picture = /\/media\/profile_pics\/[^"]+/.exec(profile)?.[0] ?? "no picture";
    expect((await ann.get(picture)).status).toBe(200);
    await join(await member(server, "zoe"), people.link);
    await says(ann, "public", "after it");
  } finally {
    expect(await server.kill("SIGTERM")).toBe(0);
  }
}

/** Where a new installation would begin, with the key of the old one. */
function place(): string {
  const dataDir = folder();
  cpSync(inFolder(home, "secret.key"), inFolder(dataDir, "secret.key"));
  return dataDir;
}

describe("an installation", () => {
  test("is restored elsewhere as it was, with a new epoch, and everybody is at home", async () => {
    const dataDir = place();
    const { code, stdout, stderr } = await restore(whole, dataDir);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Restored the backup of .*: 6 users, 5 rooms, 11 messages, 2 pictures\. Start/);
    expectEqual(dataDir, home);
    expect(readdirSync(dataDir).toSorted()).toEqual(["echochat.sqlite", "media", "secret.key"]);
    await expectAtHome(dataDir);
    expect(epochOf(dataDir)).toHaveLength(1);
    expect(epochOf(dataDir)).not.toEqual(epochOf(home));
  });

  test("is a tar of nobody else's, and what is in it is told", async () => {
    expect(statSync(whole).mode & 0o777).toBe(0o600);
    const names = (await Bun.$`tar tf ${whole}`.text()).trim().split("\n");
    expect(names).toHaveLength(5);
    expect(names.slice(2)).toEqual(["echochat.sqlite", "manifest.json", "manifest.json.sha256"]);
    const out = folder();
    await Bun.$`tar xf ${whole} && sha256sum --check --quiet manifest.json.sha256`.cwd(out).quiet();
    expect(readFileSync(whole).includes(readFileSync(inFolder(home, "secret.key")))).toBe(false);
    const { code, stdout } = await verify(whole);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /is whole: EchoChat \S+ on SQLite, .*; 6 users, 5 rooms, 11 messages, 3 files\.\n$/,
    );
  });

  test("is asked for its key where it is restored without it", async () => {
    const dataDir = folder();
    const { stdout } = await restore(whole, dataDir);
    expect(stdout).toContain(`put the key of the old installation into ${inFolder(dataDir, "secret.key")}`);
    expect((await restore(whole, folder(), { SECRET_KEY: "x".repeat(32) })).stdout).not.toContain("key");
  });

  test("is backed up while people write 50 messages a second, with all that was acknowledged before", async () => {
    const dataDir = folder();
    cpSync(home, dataDir, { recursive: true });
    const server = await startProcess(dataDir, {}, program);
    const ann = people.ann.moveTo(server);
    const acknowledged: number[] = [];
    const load = startLoad(ann, acknowledged);
    while (acknowledged.length < 25) await Bun.sleep(10);
    const before = [...acknowledged];
    const file = inFolder(folder(), "busy.tar");
    const [{ code, stderr }] = await Promise.all([backup(file, dataDir), changePicture(ann)]);
    expect([code, stderr]).toEqual([0, ""]);
    const after = acknowledged.length;
    while (acknowledged.length < after + 25) await Bun.sleep(10);
    await load.stop();
    await server.kill("SIGTERM");

    expect((await verify(file)).code).toBe(0);
    const restored = place();
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
    await expectAtHome(restored);
  });

  test("with a picture that is nowhere to be found is backed up all the same, and that is told", async () => {
    const dataDir = folder();
    cpSync(home, dataDir, { recursive: true });
    rmSync(inFolder(dataDir, "media"), { recursive: true });
    const file = inFolder(folder(), "bare.tar");
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
      const dataDir = folder();
      cpSync(home, dataDir, { recursive: true });
      rmSync(inFolder(dataDir, "media"), { recursive: true });
      const file = inFolder(folder(), "s3.tar");
      expect(await backup(file, dataDir, s3.env)).toMatchObject({ code: 0, stderr: "" });
      const restored = place();
      expect((await restore(file, restored)).code).toBe(0);
      expectEqual(restored, home);
      // And the other way.
      for (const name of s3.names()) await s3.client.delete(name);
      expect((await restore(file, place(), s3.env)).code).toBe(0);
      expect(s3.names()).toHaveLength(2);
    } finally {
      await s3.stop();
    }
  });
});

/** One message every 20 ms, whatever the others wait for. */
function startLoad(who: Client, acknowledged: number[]) {
  const under: Promise<void>[] = [];
  let sent = 0;
  const timer = setInterval(
    () => under.push(says(who, "public", `load ${++sent}`).then((id) => void acknowledged.push(id))),
    20,
  );
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
    },
  };
}

async function changePicture(who: Client): Promise<void> {
  const { png } = await import("../../src/testing/pictures.ts");
  const image = new File([png(30, 30, [1, 2, 3])], "b.png");
  const answer = await who.post("/api/auth/profile/", { username: "ann", image }, { as: "multipart" });
  expect(answer.status).toBe(200);
}

describe("a backup is not whole", () => {
  const damaged = async (bytes: Uint8Array) => {
    const file = inFolder(folder(), "damaged.tar");
    writeFileSync(file, bytes);
    const { code, stdout, stderr } = await verify(file);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toStartWith(`${file} is damaged: `);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    const target = folder();
    const put = await restore(file, target);
    expect([put.code, put.stderr]).toEqual([1, `${stderr}Nothing was restored.\n`]);
    expect(readdirSync(target)).toEqual([]);
    return stderr;
  };

  test("when a byte of it is another one, wherever it is", async () => {
    const bytes = readFileSync(whole);
    const of = (text: string) => bytes.indexOf(text);
    const regions = {
      "a picture's head": 3,
      "a time in a head": 140,
      "a picture": 512 + 10,
      "what fills a block up": 512 + 300,
      "the database's head": of("echochat.sqlite\0"),
      "the database": of("SQLite format 3") + 70_000,
      "the manifest's head": of("manifest.json\0") + 130,
      "the manifest": of('"madeAt"') + 12,
      "a hash": of('"sha256": ') + 14,
      "the manifest's hash": of("  manifest.json\n") - 5,
      "its end": bytes.length - 3,
    };
    for (const [region, at] of Object.entries(regions)) {
      const spoiled = Buffer.from(bytes);
      spoiled.writeUInt8(spoiled.readUInt8(at) ^ 4, at);
      expect([region, await damaged(spoiled)]).toEqual([region, expect.stringContaining("damaged")]);
    }
  });

  test("when it is cut short, wherever", async () => {
    const bytes = readFileSync(whole);
    for (const length of [
      0,
      100,
      512,
      700,
      60_000,
      bytes.length - 2048,
      bytes.length - 512,
      bytes.length - 1,
    ])
      expect(await damaged(bytes.subarray(0, length))).toContain("it is cut short");
    expect(await damaged(Buffer.concat([bytes, Buffer.alloc(1)]))).toContain("something behind its end");
  });

  test("when a file is missing, comes twice, or is one more", async () => {
    const members = await membersIn(whole);
    const [picture, other, database, manifest, sum] = members;
    if (!picture || !other || !database || !manifest || !sum) throw new Error("there are five");
    expect(await damaged(tarOf([picture, database, manifest, sum]))).toContain(`${other.name} is missing`);
    expect(await damaged(tarOf([picture, other, manifest, sum]))).toContain("echochat.sqlite is missing");
    expect(await damaged(tarOf([picture, other, database]))).toContain("manifest.json is missing");
    expect(await damaged(tarOf([picture, other, database, manifest]))).toContain("not as it was written");
    expect(await damaged(tarOf([picture, ...members]))).toContain("twice");
    const more = { ...picture, name: "media/profile_pics/more.webp" };
    expect(await damaged(tarOf([more, ...members]))).toContain("more.webp is not in the manifest");
    expect(await damaged(tarOf([{ ...database, name: "echochat.dump" }, ...members]))).toContain(
      "two databases",
    );
  });

  test("when it leads somewhere else", async () => {
    const members = await membersIn(whole);
    const evil = (name: string) => tarOf([{ name, content: Buffer.from("evil") }, ...members]);
    for (const name of [
      "../evil",
      "/tmp/evil",
      "media/../../evil",
      "media/profile_pics/../evil",
      "media/profile_pics/a/b",
      `media/profile_pics/${"x".repeat(120)}/../../../evil`,
      "secret.key",
    ])
      expect(await damaged(evil(name))).toContain("does not belong there");
    // As other programs make them: links and folders.
    const made = folder();
    await Bun.$`ln -s /etc/passwd link && mkdir sub && tar cf link.tar link && tar cf sub.tar sub`
      .cwd(made)
      .quiet();
    for (const name of ["link.tar", "sub.tar"])
      expect(await damaged(readFileSync(inFolder(made, name)))).toContain("it is no backup of EchoChat");
  });

  test("when the database in it was not sound", async () => {
    const spoil = async (...statements: string[]) => {
      const dataDir = folder();
      cpSync(home, dataDir, { recursive: true });
      const file = new Database(inFolder(dataDir, "echochat.sqlite"));
      file.run("PRAGMA foreign_keys = OFF");
      for (const statement of statements) file.run(statement);
      file.close();
      const spoiled = inFolder(folder(), "unsound.tar");
      expect((await backup(spoiled, dataDir)).code).toBe(0);
      const { code, stderr } = await verify(spoiled);
      expect(code).toBe(1);
      return stderr;
    };
    expect(await spoil("UPDATE rooms SET head = head + 1 WHERE slug = 'public'")).toContain(
      "numbers of public",
    );
    expect(await spoil("DELETE FROM messages WHERE text = 'NULL'")).toContain("numbers of public");
    expect(await spoil("DELETE FROM users WHERE name = 'bob'")).toContain(
      "to one of users that does not exist",
    );
    const spoiled = await remade(({ database }) => void database.fill(0, 4096 * 4, 4096 * 5));
    expect((await verify(spoiled)).stderr).toContain("its database is not sound");
  });
});

interface Part {
  name: string;
  content: Buffer;
}

async function membersIn(file: string): Promise<Part[]> {
  const names = (await Bun.$`tar tf ${file}`.text()).trim().split("\n");
  const contentOf = async (name: string) => Buffer.from(await Bun.$`tar xOf ${file} ${name}`.arrayBuffer());
  return Promise.all(names.map(async (name) => ({ name, content: await contentOf(name) })));
}

function tarOf(parts: readonly Part[]): Buffer {
  const blocks = parts.flatMap(({ name, content }) => [
    headOf({ name, size: content.length, time: 1_700_000_000 }),
    content,
    Buffer.alloc(padding(content.length)),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Another backup, with a manifest that is right for what it has. */
async function remade(change: (of: { database: Buffer; manifest: Record<string, unknown> }) => void) {
  const members = await membersIn(whole);
  const sha256 = (bytes: Buffer) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  const database = members[2]?.content ?? Buffer.alloc(0);
  const manifest = JSON.parse(members[3]?.content.toString() ?? "") as Record<string, unknown>;
  change({ database, manifest });
  const entries = manifest["members"] as { name: string; sha256: string }[];
  for (const entry of entries) if (entry.name === "echochat.sqlite") entry.sha256 = sha256(database);
  const content = Buffer.from(JSON.stringify(manifest));
  const file = inFolder(folder(), "remade.tar");
  const sum = Buffer.from(`${sha256(content)}  manifest.json\n`);
  const last = [
    { name: "manifest.json", content },
    { name: "manifest.json.sha256", content: sum },
  ];
  writeFileSync(file, tarOf([...members.slice(0, 3), ...last]));
  return file;
}

describe("nothing is restored", () => {
  test("over a database, or beside what is left of one", async () => {
    for (const name of ["echochat.sqlite", "echochat.sqlite-wal"]) {
      const dataDir = place();
      writeFileSync(inFolder(dataDir, name), "somebody's");
      const { code, stderr } = await restore(whole, dataDir);
      expect([code, stderr]).toEqual([
        1,
        `There is ${inFolder(dataDir, name)} already: move it away, or give an empty DATA_DIR.\nNothing was restored.\n`,
      ]);
      expect(readFileSync(inFolder(dataDir, name), "utf8")).toBe("somebody's");
      expect(existsSync(inFolder(dataDir, "media"))).toBe(false);
    }
  });

  test("among the pictures of others", async () => {
    const dataDir = place();
    const media = inFolder(dataDir, "media", "profile_pics");
    mkdirSync(media, { recursive: true });
    writeFileSync(inFolder(media, "other.webp"), "a picture");
    const { code, stderr } = await restore(whole, dataDir);
    expect([code, stderr]).toEqual([
      1,
      "Where pictures lie there is profile_pics/other.webp already: give an empty place for them.\nNothing was restored.\n",
    ]);
    expect(readdirSync(media)).toEqual(["other.webp"]);
    expect(readdirSync(dataDir).toSorted()).toEqual(["media", "secret.key"]);
  });

  test("of a later version, or where the kind of the database is another", async () => {
    const url = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing" };
    expect((await restore(whole, folder(), url)).stderr).toContain("has nothing that listens");
    const sound = await remade(() => {});
    expect((await verify(sound)).code).toBe(0);
    const later = await remade(({ manifest }) => void (manifest["format"] = 2));
    expect((await restore(later, folder())).stderr).toContain("made by a later version");
    const tables = await remade(({ manifest, database }) => {
      const file = inFolder(folder(), "newer.sqlite");
      writeFileSync(file, database);
      const newer = new Database(file);
      newer.run("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9999999999999)");
      newer.close();
      readFileSync(file).copy(database);
      (manifest["schema"] as number[]).push(9_999_999_999_999);
    });
    expect((await verify(tables)).code).toBe(0);
    expect((await restore(tables, folder())).stderr).toBe(
      "The backup was made by a later version: restore it with that one.\nNothing was restored.\n",
    );
  });

  test("twice, but where it was interrupted it goes on", async () => {
    const dataDir = place();
    // What a restore leaves that is killed among the pictures.
    cpSync(inFolder(home, "media"), inFolder(dataDir, "media"), { recursive: true });
    rmSync(inFolder(dataDir, "media", "profile_pics", Object.keys(picturesIn(home))[0] ?? ""));
    mkdirSync(inFolder(dataDir, "restore.partial"));
    writeFileSync(inFolder(dataDir, "restore.partial", "database"), "half of it");
    expect((await restore(whole, dataDir)).code).toBe(0);
    expectEqual(dataDir, home);
    expect(readdirSync(dataDir).toSorted()).toEqual(["echochat.sqlite", "media", "secret.key"]);
    expect((await restore(whole, dataDir)).code).toBe(1);
  });
});

describe("while a restore is under way", () => {
  let file: string;
  beforeAll(async () => {
    const dataDir = large();
    file = inFolder(folder(), "large.tar");
    folders.splice(0);
    expect((await backup(file, dataDir)).code).toBe(0);
    rmSync(dataDir, { recursive: true });
  });
  afterAll(() => rmSync(inFolder(file, ".."), { recursive: true }));

  const begun = (dataDir: string) =>
    held(dataDir, ["restore", file], inFolder(dataDir, "restore.partial", "database"));

  test("another one into the same place is refused, and the first is whole", async () => {
    const dataDir = folder();
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
    const dataDir = folder();
    const first = await begun(dataDir);
    const server = await startProcess(dataDir, {}, program);
    const made = inFolder(dataDir, "echochat.sqlite");
    expect(await first.goOn()).toEqual({
      code: 1,
      stderr: `Somebody has made ${made} meanwhile: stop the server, and move it away.\nNothing was restored.\n`,
    });
    await member(server, "first");
    await server.kill("SIGTERM");
    expect(inSqlite({ dataDir }, "SELECT name FROM users")).toEqual([{ name: "first" }]);
  });
});

let whyNoDisk = "";
try {
  mountDisk(1).remove();
} catch (error) {
  whyNoDisk = String(error);
}

describe("no backup is made", () => {
  test("over a file that is there", async () => {
    const file = inFolder(folder(), "there.tar");
    writeFileSync(file, "precious");
    const { code, stderr } = await backup(file);
    expect([code, stderr]).toEqual([
      1,
      `${file} exists: give another name, or move it away.\nThere is no backup.\n`,
    ]);
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  test("of nothing, into nowhere, or for whoever types something else", async () => {
    const empty = folder();
    const file = inFolder(empty, "a.tar");
    expect((await backup(file, empty)).stderr).toBe(
      `There is no database at ${inFolder(empty, "echochat.sqlite")}: is DATA_DIR right?\nThere is no backup.\n`,
    );
    expect((await backup(inFolder(empty, "no", "a.tar"))).stderr).toContain("It cannot be done: ENOENT");
    expect(readdirSync(empty)).toEqual([]);
    for (const command of ["backup", "verify", "restore"])
      for (const args of [[], ["--all"], ["a", "b"]]) {
        const { code, stdout, stderr } = await runCommand(empty, [command, ...args], { program });
        expect([code, stdout]).toEqual([2, ""]);
        expect(stderr).toContain(`echochat ${command} <file>`);
      }
    expect((await verify(file)).stderr).toContain("cannot be read");
  });

  test("into a file that another one is being written to, which goes on", async () => {
    const dataDir = large();
    const beside = folder();
    const file = inFolder(beside, "one.tar");
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
      const { code, stderr } = await backup(inFolder(disk.path, "a.tar"), large());
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
    const beside = folder();
    const file = inFolder(beside, "killed.tar");
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

describe.skipIf(!findPostgres())("on PostgreSQL", () => {
  const bin = findPostgres() ?? "";
  const PATH = `${bin}:${process.env["PATH"]}`;
  let server: PostgresServer;
  let url: string;
  let env: Environment;
  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    env = { DATABASE_URL: url, PATH };
    expect((await runCommand(home, ["migrate", "--to", url], { program })).code).toBe(0);
  });
  afterAll(() => server.stop());

  const rowsOf = (table: string, database: string) =>
    server.run(
      `SELECT * FROM ${table} ORDER BY ${KEYS[table] ?? (table === "sessions" ? 'id COLLATE "C"' : "id")}`,
      database,
    );

  test("an installation is restored into an empty database as it was", async () => {
    const key = { SECRET_KEY: readFileSync(inFolder(home, "secret.key"), "utf8") };
    const busy = await startProcess(home, { ...env, ...key }, program);
    const acknowledged: number[] = [];
    const load = startLoad(people.ann.moveTo(busy), acknowledged);
    while (acknowledged.length < 25) await Bun.sleep(10);
    const before = [...acknowledged];
    const file = inFolder(folder(), "postgres.tar");
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
    const dataDir = folder();
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
    await expectAtHome(dataDir, { DATABASE_URL: target, ...key });
    const [epoch] = await server.run("SELECT epoch FROM installation", target);
    expect(epoch).toBeDefined();
    expect(epoch).not.toEqual((await server.run("SELECT epoch FROM installation", url))[0]);

    const again = await restore(file, folder(), { ...env, DATABASE_URL: target });
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("The database is not empty")]);
  });

  test("a quiet one is equal in every row", async () => {
    const file = inFolder(folder(), "quiet.tar");
    expect((await backup(file, home, env)).code).toBe(0);
    const target = await server.createDatabase();
    expect((await restore(file, folder(), { ...env, DATABASE_URL: target })).code).toBe(0);
    for (const table of TABLES) {
      const rows = await rowsOf(table, target);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows).toEqual(await rowsOf(table, url));
    }
    const [next] = await server.run("SELECT nextval('messages_id_seq') AS id", target);
    const [last] = await server.run("SELECT last_value AS id FROM messages_id_seq", url);
    expect(Number(next?.["id"])).toBe(Number(last?.["id"]) + 1);
    expect((await restore(file, place())).stderr).toBe(
      "The backup is of PostgreSQL: set DATABASE_URL to an empty database.\nNothing was restored.\n",
    );
    const empty = await server.createDatabase();
    expect((await restore(whole, folder(), { ...env, DATABASE_URL: empty })).stderr).toContain(
      "The backup is of SQLite: restore it without DATABASE_URL",
    );
  });

  test("whoever has no pg_dump, or one that is too old, is told so in one line", async () => {
    const bare = folder();
    const file = inFolder(bare, "none.tar");
    const none = await backup(file, home, { DATABASE_URL: url, PATH: bare });
    expect([none.code, none.stderr]).toEqual([
      1,
      "There is no pg_dump on PATH: install the client programs of PostgreSQL, of the server's version or a newer one.\nThere is no backup.\n",
    ]);
    const old = inFolder(bare, "pg_dump");
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
