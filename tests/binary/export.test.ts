/** An installation as JSON Lines: written by one binary, read by another, on either database. */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { encode, type Line } from "../../src/export/format.ts";
import { binary, GENTLY } from "../../src/testing/binary.ts";
import { guest, stranger, type Client } from "../../src/testing/client.ts";
import { inSqlite } from "../../src/testing/database.ts";
import { liveIn, ODD_TEXTS, says, type LivedIn } from "../../src/testing/lived-in.ts";
import { startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import {
  makeDataDir,
  removeDataDir,
  runCommand,
  startProcess,
  type Environment,
  type Process,
} from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

const FILES = ["people", "rooms", "members", "messages", "files"].map((kind) => `${kind}.jsonl`);
const NOTHING = "Nothing was imported.\n";

let program: string;
let postgres: PostgresServer;
let home: string;
let people: LivedIn;
/** What the lived-in installation is as an export. */
let whole: string;
beforeAll(async () => {
  program = await binary();
  postgres = await startPostgres();
  home = makeDataDir();
  people = await liveIn(home);
  whole = join(home, "export");
  expect((await exportTo(whole, home)).code).toBe(0);
});
const servers: Process[] = [];
const dataDirs: string[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  for (const dataDir of dataDirs.splice(0)) removeDataDir(dataDir);
});
afterAll(async () => {
  await postgres.stop();
  removeDataDir(home);
});

function aDataDir(): string {
  const dataDir = makeDataDir();
  dataDirs.push(dataDir);
  return dataDir;
}

const run = (dataDir: string, args: string[], env: Environment = {}) =>
  runCommand(dataDir, args, { env, program });
const exportTo = (folder: string, dataDir: string, env?: Environment) =>
  run(dataDir, ["export", folder], env);
const importFrom = (folder: string, dataDir: string, env?: Environment) =>
  run(dataDir, ["import", "jsonl", folder], env);

async function serve(dataDir: string, env: Environment = {}): Promise<Process> {
  const server = await startProcess(dataDir, env, program);
  servers.push(server);
  return server;
}

const textOf = (folder: string, file: string) => readFileSync(join(folder, file), "utf8");

function linesOf<Shape>(folder: string, file: string): Shape[] {
  const lines = textOf(folder, file).split("\n").slice(0, -1);
  return lines.map((text) => JSON.parse(text) as Shape);
}

/** Byte for byte, but for the time at which it was written. */
function expectEqual(folder: string, other: string): void {
  const names = (readdirSync(other, { recursive: true }) as string[]).toSorted();
  expect((readdirSync(folder, { recursive: true }) as string[]).toSorted()).toEqual(names);
  for (const name of names.filter((each) => statSync(join(other, each)).isFile())) {
    if (name === "manifest.json") continue;
    expect(readFileSync(join(folder, name)).equals(readFileSync(join(other, name)))).toBe(true);
  }
  const { exportedAt: _, ...manifest } = JSON.parse(textOf(folder, "manifest.json"));
  expect(JSON.parse(textOf(other, "manifest.json"))).toMatchObject(manifest);
}

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
    const { stdout, stderr } = await exportTo(join(aDataDir(), "again"), home);
    expect(stderr).toBe("");
    for (const file of FILES)
      expect(stdout).toMatch(
        new RegExp(`^  ${file.replace(".jsonl", "")} +${linesOf(whole, file).length}$`, "m"),
      );
  });

  test("goes from the file to PostgreSQL and back, and is the same each time", async () => {
    const DATABASE_URL = await postgres.createDatabase();
    const [there, back] = [aDataDir(), aDataDir()];
    expect(await importFrom(whole, there, { DATABASE_URL })).toMatchObject({ code: 0, stderr: "" });
    expect((await exportTo(join(there, "export"), there, { DATABASE_URL })).code).toBe(0);
    expectEqual(join(there, "export"), whole);

    expect(await importFrom(join(there, "export"), back)).toMatchObject({ code: 0, stderr: "" });
    expect((await exportTo(join(back, "export"), back)).code).toBe(0);
    expectEqual(join(back, "export"), whole);
  });

  test("is exported without the pictures that are lost, and says so", async () => {
    const dataDir = aDataDir();
    cpSync(home, dataDir, { recursive: true });
    rmSync(join(dataDir, "media"), { recursive: true });
    const folder = join(dataDir, "without");
    const { code, stderr } = await exportTo(folder, dataDir);
    expect(code).toBe(0);
    expect(stderr).toContain("missing from where pictures are kept: 1, such as profile_pics/");
    expect((await importFrom(folder, aDataDir())).code).toBe(0);
  });
});

describe.each(["the file", "PostgreSQL"])("the installation that was read into %s", (where) => {
  interface Shown {
    id: number;
    seq: number;
    content: string;
  }
  const messagesIn = async (who: Client, room: string) =>
    ((await who.get(`/api/chat/rooms/${room}/messages/?limit=200`)).json() as { messages: Shown[] }).messages;

  async function signIn(name: string, server: Process, dataDir: string, env: Environment): Promise<Client> {
    const { stdout } = await run(dataDir, ["user", "password", name, "--generate"], env);
    const client = await guest(server);
    const password = /Password: (\S+)/.exec(stdout)?.[1];
    expect((await client.login(name, password)).status).toBe(200);
    return client;
  }

  test("has its history and pictures, and goes on where it stopped", async () => {
    const dataDir = aDataDir();
    const env: Environment = where === "the file" ? {} : { DATABASE_URL: await postgres.createDatabase() };
    expect((await importFrom(whole, dataDir, env)).code).toBe(0);
    const before = await serve(home);
    const server = await serve(dataDir, env);

    expect((await (await guest(server)).login("ann")).status).toBe(400);
    const ann = await signIn("ann", server, dataDir, env);
    const known = people.ann.moveTo(before);
    for (const room of ["public", people.room]) {
      const history = await messagesIn(known, room);
      expect(history.length).toBeGreaterThan(0);
      const picture = JSON.stringify(history).replaceAll(before.url, server.url);
      expect(await messagesIn(ann, room)).toEqual(JSON.parse(picture));
    }

    const [person] = linesOf<{ username: string; profileImage: string }>(whole, "people.jsonl");
    const pictureFrom = async (url: string) =>
      await (await fetch(`${url}/media/${person?.profileImage}`)).bytes();
    expect(await pictureFrom(server.url)).toEqual(await pictureFrom(before.url));

    const last = (await messagesIn(ann, "public")).at(-1);
    const id = await says(ann, "public", "from the other side");
    expect(id).toBeGreaterThan(last?.id ?? 0);
    const direct = await ann.post("/users/bob/direct", {}, { as: "form" });
    const pair = linesOf<{ slug: string; direct: unknown }>(whole, "rooms.jsonl").find((room) => room.direct);
    expect(direct.headers.get("location")).toBe(`/rooms/${pair?.slug}`);
    for (const gone of ["carl", "CARL"])
      expect((await (await guest(server)).register(gone)).status).toBe(400);
    expect((await stranger(server).get("/api/health/ready/")).status).toBe(200);
  });
});

describe.each(["the file", "PostgreSQL"])("an export from %s while people write", (where) => {
  const SEEDED = 40_000;

  test("is of one moment", async () => {
    const dataDir = aDataDir();
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
    expect(await importFrom(folder, aDataDir())).toMatchObject({ code: 0, stderr: "" });
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

/** A copy of the export with something changed, and a manifest that knows of it. */
function changed(change: (folder: string) => void, knows = true): string {
  const folder = join(aDataDir(), "export");
  cpSync(whole, folder, { recursive: true });
  change(folder);
  if (!knows) return folder;
  const manifest = JSON.parse(textOf(folder, "manifest.json"));
  for (const file of FILES) {
    const text = textOf(folder, file);
    const sha256 = new Bun.CryptoHasher("sha256").update(text).digest("hex");
    manifest.files[file] = { lines: text.split("\n").length - 1, sha256 };
  }
  write(folder, "manifest.json", JSON.stringify(manifest));
  return folder;
}

function write(folder: string, file: string, text: string): void {
  rmSync(join(folder, file));
  appendFileSync(join(folder, file), text);
}

/** The line of this number, counted from 1, is another one. */
function line(file: string, number: number, change: (text: string) => string): (folder: string) => void {
  return (folder) => {
    const lines = textOf(folder, file).split("\n");
    const before = lines[number - 1] ?? "";
    lines[number - 1] = change(before);
    expect(lines[number - 1]).not.toBe(before);
    write(folder, file, lines.join("\n"));
  };
}

const field = (name: string, value: unknown) => (text: string) =>
  JSON.stringify({ ...(JSON.parse(text) as object), [name]: value });
const TWICE = (text: string) => `${text}\n${text}`;

describe("nothing is imported", () => {
  test.each<[string, (folder: string) => void, string]>([
    ["is no JSON", line("people.jsonl", 2, (text) => text.slice(1)), "people.jsonl, line 2: it is no JSON."],
    ["is no object", line("rooms.jsonl", 1, () => "[]"), "rooms.jsonl, line 1: it is no JSON object."],
    [
      "lacks a field",
      line("members.jsonl", 3, field("role", undefined)),
      'members.jsonl, line 3: "role" is missing.',
    ],
    [
      "has a value of another kind",
      line("messages.jsonl", 4, field("createdAt", "noon")),
      'messages.jsonl, line 4: "createdAt" has to be a time such as 2026-11-23T12:00:00.000Z.',
    ],
    [
      "has half a character",
      line("messages.jsonl", 2, field("content", "\ud800")),
      'messages.jsonl, line 2: "content" has to be a text without NUL and halves of characters.',
    ],
    [
      "is a person again",
      line("people.jsonl", 2, field("username", "ANN")),
      'people.jsonl, line 2: somebody before has the name "ANN".',
    ],
    [
      "has a name that nobody can have",
      line("people.jsonl", 2, field("username", "bob smith")),
      'people.jsonl, line 2: "bob smith" cannot be a name.',
    ],
    [
      "has a picture that is not there",
      line("people.jsonl", 2, field("profileImage", "profile_pics/bob.webp")),
      'people.jsonl, line 2: "profile_pics/bob.webp" is not in files.jsonl.',
    ],
    ["is a room again", line("rooms.jsonl", 2, TWICE), "rooms.jsonl, line 3: a room before has the slug"],
    [
      "is about a stranger",
      line("members.jsonl", 1, field("username", "nobody")),
      'members.jsonl, line 1: "nobody" is not in people.jsonl.',
    ],
    ["is a member again", line("members.jsonl", 1, TWICE), 'members.jsonl, line 2: "ann" is in'],
    [
      "is in a room that is not there",
      line("messages.jsonl", 3, field("room", "nowhere")),
      'messages.jsonl, line 3: "nowhere" is not in rooms.jsonl.',
    ],
    ["is a message again", line("messages.jsonl", 3, TWICE), 'messages.jsonl, line 4: "id" 3 comes after 3.'],
    [
      "has a number too many",
      line("messages.jsonl", 3, field("seq", 2)),
      'messages.jsonl, line 3: "seq" 2 comes after 2 in its room.',
    ],
    ["is missing", line("messages.jsonl", 3, () => ""), "messages.jsonl, line 3: it is no JSON."],
    [
      "leaves a gap",
      (folder) => write(folder, "messages.jsonl", textOf(folder, "messages.jsonl").replace(/^.*\n/, "")),
      'messages.jsonl, line 1: number 1 of its room is missing before "seq" 2.',
    ],
    [
      "tells of another last change",
      line("rooms.jsonl", 1, field("head", 99)),
      'rooms.jsonl, line 1: "head" is 99, and its last change in messages.jsonl is 11.',
    ],
    [
      "has a text that was removed",
      line("messages.jsonl", 8, field("content", "to be removed")),
      'messages.jsonl, line 8: "content" of a removed message is "".',
    ],
  ])("from a line that %s, and the place is told", async (_, change, words) => {
    const dataDir = aDataDir();
    const { code, stdout, stderr } = await importFrom(changed(change), dataDir);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toStartWith(words);
    expect(stderr).toEndWith(NOTHING);
    expect(
      existsSync(join(dataDir, "media", "profile_pics")) &&
        readdirSync(join(dataDir, "media", "profile_pics")),
    ).toBeOneOf([false, []]);
    expect((await importFrom(whole, dataDir)).code).toBe(0);
  });

  test("of it into PostgreSQL either", async () => {
    const DATABASE_URL = await postgres.createDatabase();
    const dataDir = aDataDir();
    // Everything is in by then, and has to go again.
    const folder = changed(line("messages.jsonl", 9, field("rev", 100)));
    const { code, stderr } = await importFrom(folder, dataDir, { DATABASE_URL });
    expect([code, stderr]).toEqual([
      1,
      `rooms.jsonl, line 1: "head" is 11, and its last change in messages.jsonl is 100.\n${NOTHING}`,
    ]);
    expect(await postgres.run("SELECT * FROM users", DATABASE_URL)).toEqual([]);
    expect((await importFrom(whole, dataDir, { DATABASE_URL })).code).toBe(0);
  });

  const [picture] = ["files/profile_pics"];
  const anyPicture = (folder: string) =>
    join(picture ?? "", readdirSync(join(folder, picture ?? ""))[0] ?? "");

  test.each<[string, (folder: string) => void, RegExp]>([
    [
      "changed byte",
      (folder) => write(folder, "messages.jsonl", textOf(folder, "messages.jsonl").replace("hello", "jello")),
      /^messages.jsonl was changed: its SHA-256 is not that of manifest.json\.$/m,
    ],
    [
      "missing line",
      (folder) => write(folder, "members.jsonl", textOf(folder, "members.jsonl").replace(/^.*\n/, "")),
      /^members.jsonl has 4 lines; manifest.json says 5\.$/m,
    ],
    ["missing file", (folder) => rmSync(join(folder, "rooms.jsonl")), /^rooms.jsonl is missing\.$/m],
    [
      "missing picture",
      (folder) => rmSync(join(folder, anyPicture(folder))),
      /^files.jsonl, line \d: files\/profile_pics\/\S+ is missing\.$/m,
    ],
    [
      "changed picture",
      (folder) => appendFileSync(join(folder, anyPicture(folder)), "!"),
      /^files.jsonl, line \d: files\/profile_pics\/\S+ was changed\.$/m,
    ],
    [
      "manifest of a later version",
      (folder) =>
        write(folder, "manifest.json", textOf(folder, "manifest.json").replace(/("version": )1/, "$12")),
      /^manifest.json: this program reads version 1, not 2\.$/m,
    ],
    [
      "manifest of something else",
      (folder) => write(folder, "manifest.json", "{}"),
      /^manifest.json: "format" is not "echochat-export"\.$/m,
    ],
    [
      "missing manifest",
      (folder) => rmSync(join(folder, "manifest.json")),
      /^There is no manifest.json in \S+: no export, or not a whole one\.$/m,
    ],
  ])("from a folder with a %s, before anything is made", async (_, change, words) => {
    const dataDir = aDataDir();
    const { code, stderr } = await importFrom(changed(change, false), dataDir);
    expect(code).toBe(1);
    expect(stderr).toMatch(words);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test("from a file that calls itself a picture", async () => {
    const folder = changed((at) => {
      const bytes = Buffer.from("<script>alert(1)</script>");
      appendFileSync(join(at, "files/profile_pics/eve.webp"), bytes);
      const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
      const told: Line<"files"> = { path: "profile_pics/eve.webp", bytes: bytes.length, sha256 };
      appendFileSync(join(at, "files.jsonl"), encode("files", told));
    });
    expect((await importFrom(folder, aDataDir())).stderr).toBe(
      `files.jsonl, line 3: files/profile_pics/eve.webp is no picture.\n${NOTHING}`,
    );
  });

  test("into an installation that somebody has used", async () => {
    const everybody = () => inSqlite({ dataDir: home }, "SELECT * FROM users");
    const before = everybody();
    expect((await importFrom(whole, home)).stderr).toBe(
      `The database is not empty: its table users has rows.\n${NOTHING}`,
    );
    expect(everybody()).toEqual(before);
    const DATABASE_URL = await postgres.createDatabase();
    expect((await importFrom(whole, aDataDir(), { DATABASE_URL })).code).toBe(0);
    expect((await importFrom(whole, aDataDir(), { DATABASE_URL })).stderr).toBe(
      `The database is not empty: its table users has rows.\n${NOTHING}`,
    );
  });

  test("while another import has it, whatever that one does", async () => {
    const dataDir = aDataDir();
    const other = new Database(join(dataDir, "echochat.sqlite"));
    other.run("CREATE TABLE begun (id)");
    other.run("BEGIN EXCLUSIVE");
    expect((await importFrom(whole, dataDir)).stderr).toBe(
      `${join(dataDir, "echochat.sqlite")} is in use: stop the server first.\n${NOTHING}`,
    );
    other.close();
  });

  test("while a server runs on it; when it has stopped, an import may follow", async () => {
    const dataDir = aDataDir();
    const server = await serve(dataDir);
    expect((await importFrom(whole, dataDir)).stderr).toBe(
      `${join(dataDir, "echochat.sqlite")} is in use: stop the server first.\n${NOTHING}`,
    );
    expect((await stranger(server).get("/api/health/ready/")).status).toBe(200);
    await server.kill("SIGTERM");
    expect((await importFrom(whole, dataDir)).code).toBe(0);
  });
});

test("a file that was made and never filled is as good as none", async () => {
  const dataDir = aDataDir();
  appendFileSync(join(dataDir, "echochat.sqlite"), "");
  expect(await importFrom(whole, dataDir)).toMatchObject({ code: 0, stderr: "" });
});

test.each(["SIGTERM", "SIGKILL"] as const)("an import that ends by %s leaves nothing", async (signal) => {
  const LONG = 150_000;
  const TABLES_BYTES = 50_000;
  const folder = changed((at) => {
    const [first = ""] = textOf(at, "messages.jsonl").split("\n");
    const more = (_: unknown, i: number) => {
      const places = { id: 100 + i, seq: 12 + i, rev: 12 + i };
      return `${JSON.stringify({ ...(JSON.parse(first) as object), ...places })}\n`;
    };
    appendFileSync(join(at, "messages.jsonl"), Array.from({ length: LONG }, more).join(""));
    line("rooms.jsonl", 1, field("head", 11 + LONG))(at);
  });
  const dataDir = aDataDir();
  const { PATH } = process.env;
  const child = Bun.spawn([...GENTLY, program, "import", "jsonl", folder], {
    env: { PATH, DATA_DIR: dataDir },
    stdio: ["ignore", "ignore", "pipe"],
  });
  // The tables are made, and the journal that takes everything back is there as soon as anything is written into them.
  const file = join(dataDir, "echochat.sqlite");
  const isBegun = () => existsSync(`${file}-journal`) && statSync(file).size >= TABLES_BYTES;
  while (!isBegun() && child.exitCode === null) await Bun.sleep(1);
  child.kill(signal);
  await child.exited;
  expect(await new Response(child.stderr).text()).toBe(
    signal === "SIGTERM" ? `It was called off.\n${NOTHING}` : "",
  );
  expect(child.signalCode ?? child.exitCode).toBe(signal === "SIGTERM" ? 1 : signal);
  expect(await importFrom(folder, dataDir)).toMatchObject({ code: 0, stderr: "" });
  expect(inSqlite<{ n: number }>({ dataDir }, "SELECT count(*) AS n FROM messages")[0]?.n).toBe(LONG + 11);
});

test("what a line has besides is passed over", async () => {
  const folder = changed(line("messages.jsonl", 1, field("mood", "merry")));
  const dataDir = aDataDir();
  expect((await importFrom(folder, dataDir)).code).toBe(0);
  expect((await exportTo(join(dataDir, "export"), dataDir)).code).toBe(0);
  expectEqual(join(dataDir, "export"), whole);
});

test("nothing is exported into a folder with something in it, nor from where there is nothing", async () => {
  const dataDir = aDataDir();
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
  const dataDir = aDataDir();
  cpSync(home, dataDir, { recursive: true });
  inSqlite({ dataDir }, "UPDATE messages SET created_at = 'noon' WHERE id = 2");
  const { code, stderr } = await exportTo(join(dataDir, "spoiled"), dataDir);
  expect([code, stderr]).toEqual([
    1,
    "The database has a value that the program does not write: messages 2, created_at.\nNothing was exported.\n",
  ]);
  expect(existsSync(join(dataDir, "spoiled"))).toBe(false);
});

test.each([
  [["export"]],
  [["export", "a", "b"]],
  [["export", "--all"]],
  [["import"]],
  [["import", "jsonl"]],
  [["import", "csv", "a"]],
])("%p is answered with what to write", async (args) => {
  const { code, stdout, stderr } = await run(aDataDir(), args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toStartWith("Usage:\n\n  echochat ");
});

test("nothing is exported that no import would read, and the message is named", async () => {
  const dataDir = aDataDir();
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
