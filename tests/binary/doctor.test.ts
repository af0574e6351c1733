/** What the doctor finds in installations that are well, and in those that are not. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary } from "../../src/testing/binary.ts";
import { inSqlite } from "../../src/testing/database.ts";
import { liveIn } from "../../src/testing/lived-in.ts";
import { mountDisk } from "../../src/testing/small-disk.ts";
import {
  makeDataDir,
  removeDataDir,
  runCommand,
  startProcess,
  type Environment,
} from "../../src/testing/world.ts";
import { version } from "../../package.json";

setDefaultTimeout(60_000);

/** What this machine allows is not what is tested. */
const FEW = { SOCKET_MAX: "1000" };

let program: string;
const dataDir = makeDataDir();
const made: string[] = [dataDir];

beforeAll(async () => {
  program = await binary();
  await liveIn(dataDir);
});
afterAll(() => made.forEach(removeDataDir));

interface Report {
  code: number;
  text: string;
  /** What it says of this, each with its mark. */
  of(about: string): string[];
  /** Everything that is not well. */
  wrong: string[];
}

async function doctor(folder: string, env: Environment = {}): Promise<Report> {
  const { code, stdout, stderr } = await runCommand(folder, ["doctor"], { env: { ...FEW, ...env }, program });
  expect(stderr).toBe("");
  const lines = stdout.trim().split("\n");
  const findings = lines.slice(0, -2);
  for (const line of findings) expect(line).toMatch(/^(ok|!!) {2}\S/);
  const wrong = findings.filter((line) => line.startsWith("!!"));
  expect(lines.at(-1)).toBe(wrong.length === 0 ? "All is well." : `To be looked at: ${wrong.length}.`);
  expect(code).toBe(wrong.length === 0 ? 0 : 1);
  return {
    code,
    text: stdout,
    wrong,
    of: (about) => findings.filter((line) => line.slice(4).startsWith(about)),
  };
}

/** The installation that was lived in, for a hand to be laid on. */
function another(): string {
  const copy = makeDataDir();
  made.push(copy);
  cpSync(dataDir, copy, { recursive: true });
  return copy;
}

/** Names, sizes and times of all that is in there. */
function contentOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .toSorted()
    .map((name) => `${name} ${statSync(join(folder, name)).size} ${statSync(join(folder, name)).mtimeMs}`);
}

describe("of an installation that is well", () => {
  test("it finds the database wherever it is, whatever a folder is called", async () => {
    const odd = join(another(), "50% #1?");
    cpSync(dataDir, odd, { recursive: true });
    expect((await doctor(odd)).wrong).toEqual([]);
  });

  test("it says so, and leaves it as it was", async () => {
    const before = readdirSync(dataDir).filter((name) => name.includes("sqlite"));
    const content = readFileSync(join(dataDir, "echochat.sqlite"));
    const { code, of } = await doctor(dataDir);
    expect(code).toBe(0);
    expect(of("version")).toEqual([expect.stringContaining(`EchoChat ${version}, Bun ${Bun.version}`)]);
    expect(of("fsync")).toEqual([expect.stringMatching(/fsync takes \d+\.\d+ ms: something waits/)]);
    expect(of("numbers")).toEqual([expect.stringMatching(/rooms: 5, messages: \d\d; no room has a gap$/)]);
    for (const about of [
      "data folder",
      "disk room",
      "database",
      "migrations",
      "clock",
      "pictures",
      "open files",
    ])
      expect([about, of(about).length]).toEqual([about, 1]);
    expect(readdirSync(dataDir).filter((name) => name.includes("sqlite"))).toEqual(before);
    expect(readFileSync(join(dataDir, "echochat.sqlite"))).toEqual(content);
  });

  test("nothing that is kept there has changed", async () => {
    const copy = another();
    const before = contentOf(copy);
    await doctor(copy);
    // A probe changes the time of the folder of pictures, and who reads signs in beside the database.
    const after = contentOf(copy);
    const named = (content: string[]) => content.filter((line) => !/^media |-shm /.test(line));
    expect(named(after)).toEqual(named(before));
  });

  test("it says the same while the server runs, which goes on", async () => {
    const copy = another();
    const server = await startProcess(copy, {}, program);
    expect((await doctor(copy)).wrong).toEqual([]);
    expect((await fetch(`${server.url}/api/health/ready/`)).status).toBe(200);
    expect(await server.kill("SIGTERM")).toBe(0);
  });

  test("it reads what a server has left that was killed", async () => {
    const copy = another();
    const server = await startProcess(copy, {}, program);
    inSqlite({ dataDir: copy }, "UPDATE rooms SET topic = 'in the log'");
    await server.kill("SIGKILL");
    expect((await doctor(copy)).wrong).toEqual([]);
  });

  test("a place that is still empty stays empty", async () => {
    const folder = mkdtempSync(join(tmpdir(), "echochat-empty-"));
    made.push(folder);
    const { wrong, of } = await doctor(join(folder, "data"));
    expect(wrong).toEqual([]);
    expect(of("migrations")[0]).toContain("the first start makes it");
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("of numbers", () => {
  const LOST = "DELETE FROM messages WHERE room_id = 1 AND seq = 3";

  test.each([
    ["a message that is gone", [LOST], "public: number 3 is missing"],
    [
      "the last message gone",
      ["DELETE FROM messages WHERE rev = (SELECT max(rev) FROM messages WHERE room_id = 1) AND room_id = 1"],
      /public: stands at \d+, its last change is \d+/,
    ],
    [
      "the first message gone",
      ["DELETE FROM messages WHERE room_id = 1 AND seq = 1"],
      "public: begins with 2",
    ],
    [
      "all messages gone",
      ["DELETE FROM messages WHERE room_id = 1"],
      /public: stands at \d+ without a message/,
    ],
    [
      "a number that is there twice",
      [
        "UPDATE messages SET seq = (SELECT rev FROM messages WHERE room_id = 1 AND rev <> seq LIMIT 1) WHERE room_id = 1 AND seq = 3",
      ],
      /public: number (\d+ is there twice|3 is missing)/,
    ],
  ])("it tells of %s", async (_, damage, expected) => {
    const copy = another();
    expect((await doctor(copy)).wrong).toEqual([]);
    for (const statement of damage) inSqlite({ dataDir: copy }, statement);
    const { wrong } = await doctor(copy);
    expect(wrong).toEqual([expect.stringMatching(expected)]);
    expect(wrong[0]).toStartWith("!!  numbers");
  });

  test("a message that was edited many times leaves numbers that nothing shows, and is well", async () => {
    const copy = another();
    inSqlite({ dataDir: copy }, "UPDATE messages SET rev = 40 WHERE room_id = 1 AND seq = 1");
    inSqlite({ dataDir: copy }, "UPDATE rooms SET head = 40 WHERE id = 1");
    expect((await doctor(copy)).wrong).toEqual([]);
  });
});

test("a message from the future tells of a clock that was wrong", async () => {
  const copy = another();
  inSqlite({ dataDir: copy }, `UPDATE messages SET created_at = ${Date.now() + 3_600_000}`);
  expect((await doctor(copy)).wrong).toEqual([
    expect.stringMatching(/^!! {2}clock +the newest message is 3[56]\d\d\.\d s in the future/),
  ]);
});

test.each([
  [
    "earlier",
    "DELETE FROM __drizzle_migrations WHERE created_at = (SELECT max(created_at) FROM __drizzle_migrations)",
  ],
  ["later", "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9999999999999)"],
])("a database of an %s version is told of", async (which, statement) => {
  const copy = another();
  inSqlite({ dataDir: copy }, statement);
  const { wrong, of } = await doctor(copy);
  expect(wrong).toEqual([expect.stringContaining(`${which} version`)]);
  expect(of("migrations")).toEqual(wrong);
});

test("what is no database is named", async () => {
  const folder = makeDataDir();
  made.push(folder);
  writeFileSync(join(folder, "echochat.sqlite"), "something else, which somebody put there".repeat(100));
  expect((await doctor(folder)).wrong).toEqual([expect.stringContaining("echochat.sqlite cannot be read")]);
});

test("a folder that cannot be there is named", async () => {
  const file = join(dataDir, "secret.key");
  const { wrong } = await doctor(join(file, "data"), {});
  expect(wrong.map((line) => line.slice(4, 15).trim())).toContain("data folder");
});

let whyNoDisk = "";
try {
  mountDisk(1).remove();
} catch (error) {
  whyNoDisk = String(error);
}

test.skipIf(whyNoDisk !== "")("a folder in memory keeps nothing, and a small one has no room", async () => {
  const disk = mountDisk(8);
  const { wrong } = await doctor(disk.path);
  disk.remove();
  expect(wrong).toEqual([
    expect.stringMatching(/^!! {2}fsync +\S+ is in memory/),
    expect.stringMatching(/^!! {2}disk room +8 MB free.*make room/),
  ]);
});

describe("of settings", () => {
  test("it shows each that is set, and no secret", async () => {
    const { text, of } = await doctor(dataDir, {
      SECRET_KEY: "a secret that nobody may read here!",
      DATABASE_URL: "postgres://ann:hush/hush@hush@127.0.0.1:9/chat?sslmode=require&password=hush",
      REDIS_URL: "redis://:hush@127.0.0.1:9",
      POSTGRES_PASSWORD: "hush",
      RELAX_PASSWORDS: "1",
      PUBLIC_BASE_URL: "https://chat.example",
    });
    expect(text).not.toMatch(/hush|nobody may read/);
    expect(of("setting")).toEqual(
      expect.arrayContaining([
        "ok  setting      SECRET_KEY=(hidden)",
        "ok  setting      DATABASE_URL=postgres://ann:(hidden)@127.0.0.1:9/chat?sslmode=require&password=(hidden)",
        "ok  setting      REDIS_URL=redis://:(hidden)@127.0.0.1:9",
        "ok  setting      RELAX_PASSWORDS=1",
        "ok  setting      PUBLIC_BASE_URL=https://chat.example",
        expect.stringContaining("POSTGRES_PASSWORD=(hidden)  no effect"),
      ]),
    );
  });

  test.each([
    ["DATABASE_URL", "host=127.0.0.1 user=ann password=hush dbname=chat", "(hidden)"],
    ["DATABASE_URL", "postgres:ann:hush:chat", "(hidden)"],
    ["DATABASE_URL", "postgres://ann@127.0.0.1:9/chat", "postgres://ann@127.0.0.1:9/chat"],
    ["REDIS_URL", "redis://hush@127.0.0.1:9", "redis://(hidden)@127.0.0.1:9"],
    ["REDIS_URL", "rediss+sentinel://hush@s:1,t:1/main", "rediss+sentinel://(hidden)@s:1,t:1/main"],
    ["REDIS_URL", "redis://127.0.0.1:9/0#hush", "redis://127.0.0.1:9/0#(hidden)"],
  ])("it shows no secret in %s=%s, whatever form it has", async (name, value, shown) => {
    const { text, of } = await doctor(dataDir, {
      DATABASE_URL: "postgres://127.0.0.1:9/chat",
      [name]: value,
    });
    expect(text).not.toContain("hush");
    expect(of("setting")).toContain(`ok  setting      ${name}=${shown}`);
  });

  test("it shows the original's names with ours", async () => {
    const { wrong, of } = await doctor(dataDir, {
      DJANGO_PUBLIC_BASE_URL: "https://chat.example",
      DJANGO_LOG_LEVEL: "INFO",
    });
    expect(wrong).toEqual([]);
    expect(of("setting").join("\n")).toContain(
      "DJANGO_PUBLIC_BASE_URL=https://chat.example  is PUBLIC_BASE_URL here",
    );
    expect(of("setting").join("\n")).toContain("DJANGO_LOG_LEVEL=INFO  no effect");
  });

  test("it knows what was probably meant", async () => {
    const misspelt = {
      PROT: "3000",
      PUBLIC_BASE_URI: "x",
      TRUSTED_PROXYS: "x",
      CHAT_MESSAGE_LENGTH_MAX: "5",
      SOCKETS_MAX: "5",
      DJANGO_SECRETKEY: "x",
    };
    const { wrong } = await doctor(dataDir, {
      ...misspelt,
      HOSTNAME: "a",
      PWD: "/",
      LANG: "C",
      POSTGRES_INITDB_ARGS: "x",
    });
    expect(
      wrong.map((line) => /setting +(\S+) has no effect: is (\S+) meant/.exec(line)?.slice(1, 3)),
    ).toEqual([
      ["PROT", "PORT"],
      ["PUBLIC_BASE_URI", "PUBLIC_BASE_URL"],
      ["TRUSTED_PROXYS", "TRUSTED_PROXIES"],
      ["CHAT_MESSAGE_LENGTH_MAX", "CHAT_MESSAGE_MAX_LENGTH"],
      ["SOCKETS_MAX", "SOCKET_MAX"],
      ["DJANGO_SECRETKEY", "DJANGO_SECRET_KEY"],
    ]);
  });

  test("one that cannot be used is the end of it", async () => {
    const { wrong, of } = await doctor(dataDir, { PORT: "http" });
    expect(wrong).toEqual([expect.stringContaining("PORT must be a whole number")]);
    expect(of("database")).toEqual([]);
  });

  test("more sockets than the system has files are too many", async () => {
    expect((await doctor(dataDir, { SOCKET_MAX: "10" })).wrong).toEqual([]);
    const told = existsSync("/proc/self/limits") ? readFileSync("/proc/self/limits", "utf8") : "";
    if (!(Number(/^Max open files\s+\d+\s+(\d+)/m.exec(told)?.[1]) < 1_000_000)) return;
    expect((await doctor(dataDir, { SOCKET_MAX: "1000000" })).wrong).toEqual([
      expect.stringMatching(/open files.*LimitNOFILE/),
    ]);
  });
});

describe("of proxies", () => {
  const HTTPS = { PUBLIC_BASE_URL: "https://chat.example" };

  test.each([
    ["nobody but this machine reaches it", {}],
    ["a proxy of this machine is believed", HTTPS],
    ["the proxy is named", { ...HTTPS, HOST: "0.0.0.0", TRUSTED_PROXIES: "10.0.0.5" }],
  ])("it is well where %s", async (_, env: Environment) => {
    expect((await doctor(dataDir, env)).wrong).toEqual([]);
  });

  test.each([
    [
      "everybody private is believed at an address that others reach",
      { ...HTTPS, HOST: "0.0.0.0" },
      "every private",
    ],
    ["the proxy of this machine is not believed", { ...HTTPS, TRUSTED_PROXIES: "10.0.0.5" }, "add 127.0.0.1"],
    ["the whole world is believed", { TRUSTED_PROXIES: "0.0.0.0/0" }, "everybody in it"],
  ])("it is not where %s", async (_, env: Environment, expected) => {
    const { wrong } = await doctor(dataDir, env);
    expect(wrong).toEqual([expect.stringContaining(expected)]);
    expect(wrong[0]).toStartWith("!!  proxies");
  });
});

test("it takes no arguments", async () => {
  const { code, stderr } = await runCommand(dataDir, ["doctor", "--all"], { program });
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^Usage:/)]);
});
