/** Archives that no restore takes: damaged, put together by somebody else, of a later version or another database. */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { headOf, padding } from "../../src/backup/tar.ts";
import { removeDataDir } from "../../src/testing/world.ts";
import { backedUpHome, backup, restore, verify } from "./backup.ts";
import { aFolder, removeFolders } from "./folders.ts";

setDefaultTimeout(60_000);

let home: string;
let whole: string;
beforeAll(async () => {
  ({ home, whole } = await backedUpHome());
});
afterEach(removeFolders);
afterAll(() => removeDataDir(home));

describe("a backup is not whole", () => {
  const damaged = async (bytes: Uint8Array) => {
    const file = join(aFolder(), "damaged.tar");
    writeFileSync(file, bytes);
    const { code, stdout, stderr } = await verify(file);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toStartWith(`${file} is damaged: `);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    const target = aFolder();
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
    const made = aFolder();
    await Bun.$`ln -s /etc/passwd link && mkdir sub && tar cf link.tar link && tar cf sub.tar sub`
      .cwd(made)
      .quiet();
    for (const name of ["link.tar", "sub.tar"])
      expect(await damaged(readFileSync(join(made, name)))).toContain("it is no backup of EchoChat");
  });

  test("when the database in it was not sound", async () => {
    const spoil = async (...statements: string[]) => {
      const dataDir = aFolder();
      cpSync(home, dataDir, { recursive: true });
      const file = new Database(join(dataDir, "echochat.sqlite"));
      file.run("PRAGMA foreign_keys = OFF");
      for (const statement of statements) file.run(statement);
      file.close();
      const spoiled = join(aFolder(), "unsound.tar");
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

describe("nothing is restored", () => {
  test("of a later version, or where the kind of the database is another", async () => {
    const url = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing" };
    expect((await restore(whole, aFolder(), url)).stderr).toContain("has nothing that listens");
    const sound = await remade(() => {});
    expect((await verify(sound)).code).toBe(0);
    const later = await remade(({ manifest }) => void (manifest["format"] = 2));
    expect((await restore(later, aFolder())).stderr).toContain("made by a later version");
    const tables = await remade(({ manifest, database }) => {
      const file = join(aFolder(), "newer.sqlite");
      writeFileSync(file, database);
      const newer = new Database(file);
      newer.run("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9999999999999)");
      newer.close();
      readFileSync(file).copy(database);
      (manifest["schema"] as number[]).push(9_999_999_999_999);
    });
    expect((await verify(tables)).code).toBe(0);
    expect((await restore(tables, aFolder())).stderr).toBe(
      "The backup was made by a later version: restore it with that one.\nNothing was restored.\n",
    );
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
  const file = join(aFolder(), "remade.tar");
  const sum = Buffer.from(`${sha256(content)}  manifest.json\n`);
  const last = [
    { name: "manifest.json", content },
    { name: "manifest.json.sha256", content: sum },
  ];
  writeFileSync(file, tarOf([...members.slice(0, 3), ...last]));
  return file;
}
