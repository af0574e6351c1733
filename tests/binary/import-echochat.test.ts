/** People move from EchoChat's original: from both of its databases into both of ours. */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { binary, GENTLY } from "../../src/testing/binary.ts";
import { guest, type Client } from "../../src/testing/client.ts";
import {
  djangoPassword,
  mediaFolder,
  messageRows,
  originalFile,
  originalServer,
  roomRow,
  userRows,
  type OriginalInstallation,
} from "../../src/testing/original.ts";
import { startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import {
  makeDataDir,
  removeDataDir,
  runCommand,
  startProcess,
  type Environment,
  type Process,
} from "../../src/testing/world.ts";

setDefaultTimeout(120_000);

const LONG = "n".repeat(150);
const TEXT = "a long text ".repeat(250);

const PEOPLE = userRows([
  {
    id: 1,
    name: "Admin",
    password: djangoPassword("the admin one", 390_000),
    email: "Root@Example.ORG",
    superuser: true,
    joined: "2022-01-02 03:04:05.678901",
    image: "profile_pics/good.png",
    bio: "I keep <b>things</b>",
  },
  { id: 2, name: "ann", password: djangoPassword("pass of ann"), email: "root@example.org" },
  { id: 3, name: "ANN", password: djangoPassword("pass of ANN") },
  { id: 4, name: LONG, password: djangoPassword("pass of 4") },
  { id: 5, name: LONG.toUpperCase(), password: djangoPassword("pass of 5") },
  { id: 6, name: "old", password: "!aB3dE", image: null },
  { id: 7, name: "former", password: djangoPassword("pass of 7"), staff: true, active: false },
  { id: 8, name: "absolute", password: djangoPassword("pass of 8"), image: "https://x.example/media/a.png" },
  { id: 9, name: "broken", password: djangoPassword("pass of 9"), image: "profile_pics/broken.png" },
  { id: 10, name: "missing", password: djangoPassword("pass of 10"), image: "profile_pics/none.png" },
  { id: 11, name: "climber", password: djangoPassword("pass of 11"), image: "../secret.png" },
  { id: 12, name: "bad name!", password: djangoPassword("pass of 12") },
  { id: 13, name: "md5", password: "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99", staff: true },
]);

const ROOMS = [
  roomRow(1, "public", "Our hall", null),
  roomRow(2, "team", "ann", 2),
  roomRow(3, "a b/ü", "ANN", 3),
  roomRow(4, "orphan", "somebody", null),
].join("\n");

/** `odd`: a time that no calendar has. */
const messagesWith = (odd: string) =>
  messageRows([
    [1, "public", "ann", 2, "first", "2022-05-05 10:00:00"],
    [2, "public", "Admin", 1, "second", "2022-05-05 10:00:01.123456"],
    [4, "public", "ghost", null, "from beyond", "2022-05-05 10:00:02"],
    [5, "public", "ann", null, "from an earlier ann", "2022-05-05 10:00:03"],
    [6, "team", "ann", 2, "hello team", "2022-05-05 10:00:04"],
    [7, "team", "ANN", 3, "hello ann", "2022-05-05 10:00:05"],
    [8, "nowhere", "missing", 10, "is anybody here", "2022-05-05 10:00:06"],
    [9, "nowhere", "ann", 2, "I am", "2022-05-05 10:00:07"],
    [10, "orphan", "ann", 2, "poor room", "2022-05-05 10:00:08"],
    [11, "a b/ü", "ANN", 3, "odd slug", "2022-05-05 10:00:09"],
    [12, "public", "ann", 2, TEXT, "1999-12-31 23:59:59.9"],
    [13, "public", "ann", 2, "", "2022-05-05 10:00:10"],
    [14, "public", "ann", 2, "at no time", odd],
  ]);

let program: string;
let server: PostgresServer;
const folders: string[] = [];
const nodes: Process[] = [];

function newFolder(): string {
  const folder = makeDataDir();
  folders.push(folder);
  return folder;
}

beforeAll(async () => {
  [program, server] = await Promise.all([binary(), startPostgres()]);
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});
afterAll(async () => {
  await server.stop();
  for (const folder of folders) removeDataDir(folder);
});

/** Where an import goes. */
interface Home {
  dataDir: string;
  env: Environment;
  query(text: string): Promise<Record<string, unknown>[]>;
}

function fileHome(): Home {
  const dataDir = newFolder();
  const query = async (text: string) => {
    const db = new Database(join(dataDir, "echochat.sqlite"), { readonly: true });
    try {
      return db.query<Record<string, unknown>, []>(text).all();
    } finally {
      db.close();
    }
  };
  return { dataDir, env: {}, query };
}

async function serverHome(): Promise<Home> {
  const url = await server.createDatabase();
  return { dataDir: newFolder(), env: { DATABASE_URL: url }, query: (text) => server.run(text, url) };
}

async function makeOriginal(kind: "SQLite" | "PostgreSQL") {
  const folder = newFolder();
  const original = kind === "SQLite" ? await originalFile(folder) : await originalServer(server);
  await original.run(PEOPLE + ROOMS + messagesWith(kind === "SQLite" ? "yesterday" : "infinity"));
  return { original, media: mediaFolder(folder) };
}

const carry = (home: Home, original: OriginalInstallation, media: string, ...more: string[]) =>
  runCommand(
    home.dataDir,
    ["import", "echochat", "--database", original.database, "--media", media, ...more],
    { env: home.env, program },
  );

async function serve(home: Home): Promise<Process> {
  const node = await startProcess(home.dataDir, home.env, program);
  nodes.push(node);
  return node;
}

const DUMPED = {
  users: "id",
  rooms: "id",
  members: "room_id, user_id",
  messages: "id",
  origins: "kind, original",
};

/** Everything that an import writes, in order. */
async function dump({ query }: Home): Promise<string> {
  const tables = Object.entries(DUMPED).map(async ([table, order]) =>
    JSON.stringify(await query(`SELECT * FROM ${table} ORDER BY ${order}`)),
  );
  return (await Promise.all(tables)).join("\n");
}

/** The numbers of a line of the report. */
function numbersOf(report: string, table: string): number[] {
  const line = new RegExp(`^ +${table} +(.*)$`, "m").exec(report)?.[1] ?? "";
  return line.split(/ +/).map((number) => Number(number.replaceAll(",", "")));
}

interface Shown {
  username: string;
  content: string;
  createdAt: string;
}

async function history(who: Client, room: string): Promise<[string, string, string][]> {
  const answer = await who.get(`/api/chat/rooms/${room}/messages/?limit=200`);
  expect(answer.status).toBe(200);
  const { messages } = answer.json() as { messages: Shown[] };
  return messages.map(({ username, content, createdAt }) => [username, content, createdAt]);
}

async function loggedIn(node: Process, name: string, password: string): Promise<Client> {
  const client = await guest(node);
  expect((await client.login(name, password)).status).toBe(200);
  return client;
}

const oneLine = ({ code, stdout, stderr }: Awaited<ReturnType<typeof runCommand>>) => {
  expect([code, stdout, stderr.trimEnd().split("\n").length]).toEqual([1, "", 1]);
  return stderr;
};

const ways = (["SQLite", "PostgreSQL"] as const).flatMap((from) =>
  (["SQLite", "PostgreSQL"] as const).map((to) => ({ from, to })),
);

describe.each(ways)("from $from into $to", ({ from, to }) => {
  let home: Home;
  let original: OriginalInstallation;
  let media: string;
  beforeAll(async () => {
    home = to === "SQLite" ? fileHome() : await serverHome();
    ({ original, media } = await makeOriginal(from));
  });

  test("a dry run says what an import says, and leaves nothing behind", async () => {
    const rehearsed = await carry(home, original, media, "--dry-run");
    expect([rehearsed.code, rehearsed.stderr]).toEqual([0, ""]);
    expect(readdirSync(home.dataDir)).toEqual([]);
    if (to === "PostgreSQL")
      expect(await home.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
    const done = await carry(home, original, media);
    expect([done.code, done.stderr]).toEqual([0, ""]);
    const facts = ({ stdout }: { stdout: string }) =>
      stdout.replace(/^.*arried over from.*$/m, "").replace(/in [\d.]+ s/, "");
    expect(facts(rehearsed)).toBe(facts(done));

    for (const table of ["auth_user", "users_profile", "chat_room", "chat_message"]) {
      const [read, ...outcomes] = numbersOf(done.stdout, table);
      expect(outcomes.reduce((sum, number) => sum + number, 0)).toBe(read ?? -1);
    }
    expect(numbersOf(done.stdout, "auth_user")).toEqual([13, 13, 0, 0]);
    expect(numbersOf(done.stdout, "users_profile")).toEqual([12, 12, 0, 0]);
    expect(numbersOf(done.stdout, "chat_room")).toEqual([4, 3, 1, 0]);
    expect(numbersOf(done.stdout, "chat_message")).toEqual([13, 13, 0, 0]);
    for (const line of [
      'user 2 "ann": without its e-mail address: another account has it',
      'user 3 "ANN": renamed to "ANN-2": another account has this name',
      `user 5 "${LONG.toUpperCase()}": renamed to "${"N".repeat(148)}-2": another account has this name`,
      'user 6 "old": without a password: it has none',
      'user 6 "old": without bio and picture: it has no profile',
      'user 8 "absolute": without its picture "https://x.example/media/a.png": it is an address, not a file',
      'user 9 "broken": without its picture "profile_pics/broken.png": it is not a picture, or not a whole one',
      'user 10 "missing": without its picture "profile_pics/none.png": there is no such file',
      'user 11 "climber": without its picture "../secret.png": it lies outside of the folder of media',
      'user 12 "bad name!": renamed to "bad_name_": it has characters that names here do not have',
      'user 13 "md5": without a password: it is not of the kind pbkdf2_sha256',
      'author "ann", whose account is gone: renamed to "ann-3": another account has this name',
      "message 14: its time cannot be read, and becomes that of the message before it",
    ])
      expect(done.stdout.split("\n")).toContain(line);
    expect(done.stdout).toMatch(
      /^room 3 "a b\/ü": its slug becomes "room-[0-9a-f]{12}": no room here has such a slug$/m,
    );
  });

  test("people log in by their old passwords, which are kept as argon2id from then on", async () => {
    const hashOf = async (name: string) =>
      String(
        (await home.query(`SELECT password_hash FROM users WHERE name = '${name}'`))[0]?.["password_hash"],
      );
    expect(await hashOf("Admin")).toStartWith("pbkdf2_sha256$390000$");
    const node = await serve(home);
    const nobody = await guest(node);
    expect((await nobody.login("Admin", "the wrong one")).status).toBe(400);
    expect(await hashOf("Admin")).toStartWith("pbkdf2_sha256$");
    for (const [name, password] of [
      ["Admin", "the admin one"],
      ["ANN-2", "pass of ANN"],
      [LONG, "pass of 4"],
      [`${"N".repeat(148)}-2`, "pass of 5"],
      ["bad_name_", "pass of 12"],
    ] as const) {
      await loggedIn(node, name, password);
      expect(await hashOf(name)).toStartWith("$argon2id$");
      await loggedIn(node, name, password);
    }
    for (const [name, password] of [
      ["ann", "pass of ANN"],
      ["old", "!aB3dE"],
      ["old", ""],
      ["former", "pass of 7"],
      ["md5", "password"],
      ["ghost", ""],
    ] as const)
      expect((await nobody.login(name, password)).status).toBe(400);

    const admin = await loggedIn(node, "Admin", "the admin one");
    const { user } = (await admin.get("/api/auth/session/")).json() as { user: Record<string, unknown> };
    expect(user).toMatchObject({
      username: "Admin",
      email: "Root@example.org",
      bio: "I keep <b>things</b>",
      registeredAt: "2022-01-02T03:04:05.678000+00:00",
      is_staff: true,
      is_superuser: true,
    });
    const picture = await fetch(String(user["profileImage"]));
    expect([picture.status, picture.headers.get("content-type")]).toEqual([200, "image/webp"]);
  });

  test("the history is there in its order, with its times and names, for those who wrote it", async () => {
    const node = await serve(home);
    const ann = await loggedIn(node, "ann", "pass of ann");
    expect(await history(ann, "public")).toEqual([
      ["ann", "first", "2022-05-05T10:00:00+00:00"],
      ["Admin", "second", "2022-05-05T10:00:01.123000+00:00"],
      ["ghost", "from beyond", "2022-05-05T10:00:02+00:00"],
      ["ann-3", "from an earlier ann", "2022-05-05T10:00:03+00:00"],
      ["ann", TEXT, "1999-12-31T23:59:59.900000+00:00"],
      ["ann", "", "2022-05-05T10:00:10+00:00"],
      ["ann", "at no time", "2022-05-05T10:00:10+00:00"],
    ]);
    expect(await history(ann, "team")).toEqual([
      ["ann", "hello team", "2022-05-05T10:00:04+00:00"],
      ["ANN-2", "hello ann", "2022-05-05T10:00:05+00:00"],
    ]);
    const other = await loggedIn(node, "ANN-2", "pass of ANN");
    expect(await history(other, "team")).toHaveLength(2);
    const stranger = await loggedIn(node, "absolute", "pass of 8");
    expect((await stranger.get("/api/chat/rooms/team/messages/")).status).toBe(404);
    // Of rooms that are nobody's the first who wrote is the owner.
    const roles = await home.query(
      `SELECT r.slug, u.name, m.role FROM members m JOIN rooms r ON r.id = m.room_id JOIN users u ON u.id = m.user_id
       WHERE r.slug IN ('nowhere', 'orphan', 'team') ORDER BY r.slug, m.joined_at, m.role`,
    );
    expect(roles.map((row) => Object.values(row).join(" ")).toSorted()).toEqual([
      "nowhere ann member",
      "nowhere missing owner",
      "orphan ann owner",
      "team ANN-2 member",
      "team ann owner",
    ]);
    // Nobody has a room full of unread messages that they know.
    expect(
      await home.query("SELECT 1 FROM members m JOIN rooms r ON r.id = m.room_id WHERE read_seq <> head"),
    ).toEqual([]);
    expect((await ann.post("/api/chat/rooms/team/messages/", { content: "we have moved" })).status).toBe(201);
    expect((await history(other, "team")).at(-1)?.slice(0, 2)).toEqual(["ann", "we have moved"]);
  });

  test("no import goes where a server runs", async () => {
    const node = await serve(home);
    const before = await dump(home);
    expect(oneLine(await carry(home, original, media))).toContain("stop the server first");
    expect(await dump(home)).toBe(before);
    await node.kill("SIGTERM");
    expect((await carry(home, original, media)).code).toBe(0);
  });

  test("a second import adds nothing, and one after more was written adds that and no more", async () => {
    const before = await dump(home);
    const again = await carry(home, original, media);
    expect(again.code).toBe(0);
    expect(numbersOf(again.stdout, "auth_user")).toEqual([13, 0, 13, 0]);
    expect(numbersOf(again.stdout, "chat_message")).toEqual([13, 0, 13, 0]);
    expect(again.stdout).toContain('user 3 "ANN": is here as "ANN-2"\n');
    expect(await dump(home)).toBe(before);

    await original.run(
      userRows([{ id: 20, name: "late", password: djangoPassword("pass of late") }]) +
        messageRows([
          [3, "team", "ann", 2, "was still on its way", "2022-05-05 10:00:02"],
          [30, "team", "late", 20, "am I late", "2022-07-05 10:00:00"],
          [31, "public", "ghost", null, "still here", "2022-07-05 10:00:01"],
        ]),
    );
    const third = await carry(home, original, media);
    expect(numbersOf(third.stdout, "chat_message")).toEqual([16, 3, 13, 0]);
    const node = await serve(home);
    const late = await loggedIn(node, "late", "pass of late");
    const texts = (await history(late, "team")).map(([name, text]) => `${name}: ${text}`);
    expect(texts).toEqual([
      "ann: hello team",
      "ANN-2: hello ann",
      "ann: we have moved",
      "ann: was still on its way",
      "late: am I late",
    ]);
    expect((await history(late, "public")).at(-1)?.slice(0, 2)).toEqual(["ghost", "still here"]);
  });

  test("a dry run on an installation that is in use leaves every byte of it", async () => {
    const node = await serve(home);
    await node.kill("SIGTERM");
    const bytes = () =>
      readdirSync(home.dataDir, { recursive: true })
        .map(String)
        .toSorted()
        .map((name) => {
          const file = join(home.dataDir, name);
          return statSync(file).isDirectory() ? name : `${name} ${Bun.hash(readFileSync(file))}`;
        });
    const rows = to === "PostgreSQL" ? await dump(home) : "";
    // Somebody has it open, and what they wrote last nobody has read yet.
    const other = to === "SQLite" ? new Database(join(home.dataDir, "echochat.sqlite")) : null;
    other?.run("UPDATE rooms SET topic = 'We have moved'");
    const files = bytes();
    await original.run(messageRows([[40, "team", "ann", 2, "not yet", "2022-08-05 10:00:00"]]));
    const rehearsed = await carry(home, original, media, "--dry-run");
    expect(rehearsed.stderr).toBe("");
    expect(numbersOf(rehearsed.stdout, "chat_message")).toEqual([17, 1, 16, 0]);
    expect(bytes()).toEqual(files);
    other?.close();
    if (to === "PostgreSQL") expect(await dump(home)).toBe(rows);
  });
});

describe.each(["SQLite", "PostgreSQL"] as const)("an import into %s that is killed", (to) => {
  const MESSAGES = 250_000;

  test("goes on where it was, and ends as if nothing had happened", async () => {
    const folder = newFolder();
    const original = await originalFile(folder);
    await original.run(
      `${PEOPLE}${ROOMS}
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MESSAGES})
       INSERT INTO chat_message (id, room, username, user_id, message_content, date_added)
       SELECT i, CASE i % 3 WHEN 0 THEN 'public' WHEN 1 THEN 'team' ELSE 'nowhere' END,
         'name' || (i % 5), CASE WHEN i % 7 = 0 THEN NULL ELSE 2 + i % 2 END, 'message ' || i,
         datetime(1600000000 + i, 'unixepoch') FROM n`,
    );
    const media = mediaFolder(folder);
    const [home, other] =
      to === "SQLite" ? [fileHome(), fileHome()] : [await serverHome(), await serverHome()];
    const written = async () => {
      if (to === "PostgreSQL") {
        const [there] = await home.query("SELECT to_regclass('messages') IS NOT NULL AS there");
        return (
          there?.["there"] === true &&
          Number((await home.query("SELECT count(*) AS n FROM messages"))[0]?.["n"]) > 0
        );
      }
      const log = join(home.dataDir, "echochat.sqlite-wal");
      return existsSync(log) && statSync(log).size > 24_000_000;
    };

    const { PATH, HOME, TMPDIR } = process.env;
    const child = Bun.spawn(
      [...GENTLY, program, "import", "echochat", "--database", original.database, "--media", media],
      {
        env: { PATH, HOME, TMPDIR, DATA_DIR: home.dataDir, ...home.env },
        stdio: ["ignore", "ignore", "ignore"],
      },
    );
    while (!(await written()) && child.exitCode === null) await Bun.sleep(1);
    child.kill("SIGKILL");
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    const half = Number((await home.query("SELECT count(*) AS n FROM messages"))[0]?.["n"]);
    expect(half).toBeGreaterThan(0);
    expect(half).toBeLessThan(MESSAGES);

    const rest = await carry(home, original, media);
    expect(numbersOf(rest.stdout, "chat_message")).toEqual([MESSAGES, MESSAGES - half, half, 0]);
    expect((await carry(other, original, media)).code).toBe(0);
    const seen = `SELECT r.slug, r.head, m.seq, m.rev, u.name, m.author_name, m.client_key, m.text, m.created_at
      FROM messages m JOIN rooms r ON r.id = m.room_id JOIN users u ON u.id = m.author_id ORDER BY m.id`;
    const [one, whole] = await Promise.all([home.query(seen), other.query(seen)]);
    expect(one.length).toBe(MESSAGES);
    expect(Bun.hash(JSON.stringify(one))).toBe(Bun.hash(JSON.stringify(whole)));
  });
});

describe("what cannot be imported is refused in one line, before anything is written", () => {
  let media: string;
  let original: OriginalInstallation;
  beforeAll(async () => {
    ({ original, media } = await makeOriginal("SQLite"));
  });

  const withDatabase = (database: string): OriginalInstallation => ({ database, run: async () => {} });

  test.each([
    ["a file that does not exist", () => join(media, "nothing.sqlite3"), "There is no database at"],
    [
      "a file that is no database",
      () => join(media, "profile_pics", "good.png"),
      "is no database of EchoChat's original",
    ],
    ["a server that does not listen", () => "postgres://ann:x@127.0.0.1:1/chat", "cannot be read"],
    ["another kind of server", () => "mysql://ann:x@127.0.0.1/chat", "--database takes"],
  ])("%s", async (_, database, words) => {
    const home = fileHome();
    expect(oneLine(await carry(home, withDatabase(database()), media))).toContain(words);
    expect(readdirSync(home.dataDir)).toEqual([]);
  });

  test("a wrong password, and a database of something else", async () => {
    const home = fileHome();
    const url = new URL(await server.createDatabase());
    expect(oneLine(await carry(home, withDatabase(url.href), media))).toContain("auth_user");
    url.password = "wrong";
    expect(oneLine(await carry(home, withDatabase(url.href), media))).toContain("password");
    const file = join(newFolder(), "other.sqlite3");
    new Database(file, { create: true }).run("CREATE TABLE auth_user (id integer)");
    expect(oneLine(await carry(home, withDatabase(file), media))).toContain("no such");
    expect(readdirSync(home.dataDir)).toEqual([]);
  });

  test("a folder of media that is not there", async () => {
    const home = fileHome();
    expect(oneLine(await carry(home, original, join(media, "nowhere")))).toContain(
      "There is no folder of media",
    );
    expect(readdirSync(home.dataDir)).toEqual([]);
  });

  test("another installation than the one that was imported before", async () => {
    const home = fileHome();
    expect((await carry(home, original, media)).code).toBe(0);
    const other = await originalFile(newFolder());
    await other.run(
      userRows([{ id: 1, name: "eve", password: "!", joined: "2020-01-01 00:00:00" }]) +
        roomRow(1, "public", "P", null),
    );
    const before = await dump(home);
    expect(oneLine(await carry(home, other, media))).toContain(
      "Another installation was imported here before",
    );
    expect(await dump(home)).toBe(before);
  });

  test("what is left out of the command, in two lines and more", async () => {
    for (const args of [
      [],
      ["echochat"],
      ["echochat", "--database", "x"],
      ["echochat", "--media", "x", "--what"],
    ]) {
      const { code, stderr } = await runCommand(newFolder(), ["import", ...args], { program });
      expect([code, stderr.split("\n")[0]]).toEqual([2, "Usage:"]);
    }
  });
});
