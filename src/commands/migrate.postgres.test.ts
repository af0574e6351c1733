import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { openPostgres } from "../db/postgres/open.ts";
import { MIGRATIONS } from "../resources.ts";
import { liveIn, ODD_TEXTS, says, type LivedIn } from "../testing/lived-in.ts";
import { startPostgres, type PostgresServer } from "../testing/postgres.ts";
import { makeDataDir, removeDataDir, runCommand, startProcess } from "../testing/world.ts";

setDefaultTimeout(60_000);

const TABLES = ["users", "rooms", "invitations", "members", "messages", "sessions", "audit", "installation"];
const NOTHING = "Nothing was copied.\n";

let server: PostgresServer;
let home: string;
let people: LivedIn;
beforeAll(async () => {
  server = await startPostgres();
  home = makeDataDir();
  people = await liveIn(home);
});
afterAll(async () => {
  await server.stop();
  removeDataDir(home);
});

const dataDirs: string[] = [];
const connections: Sql[] = [];
afterEach(async () => {
  for (const sql of connections.splice(0)) await sql.end({ timeout: 0 });
  for (const dataDir of dataDirs.splice(0)) removeDataDir(dataDir);
});

/** The same installation, to be spoiled. */
function anotherHome(): string {
  const dataDir = makeDataDir();
  dataDirs.push(dataDir);
  cpSync(home, dataDir, { recursive: true });
  return dataDir;
}

/** One statement in the file. */
function inFile<Row = Record<string, unknown>>(dataDir: string, statement: string): Row[] {
  const file = new Database(join(dataDir, "echochat.sqlite"), { readwrite: true, create: false });
  try {
    return file.query<Row, []>(statement).all();
  } finally {
    file.close();
  }
}

function connect(url: string, name = "a test"): Sql {
  const sql = postgres(url, { max: 2, onnotice: () => {}, connection: { application_name: name } });
  connections.push(sql);
  return sql;
}

const move = (url: string, dataDir = home) => runCommand(dataDir, ["migrate", "--to", url]);

/** As a first start leaves it. */
async function freshDatabase(): Promise<string> {
  const url = await server.createDatabase();
  const db = await openPostgres(
    { url, pool: 1, migrations: MIGRATIONS.postgres, nodeId: "a-test" },
    Date.now(),
  );
  await db.$client.end();
  return url;
}

const KEYS: Record<string, string> = { members: "room_id, user_id", sessions: `id COLLATE "C"` };

/** Every row of a table as texts, the same from both databases. */
async function rowsOf(url: string, table: string): Promise<Record<string, string | null>[]> {
  const rows = await server.run(`SELECT * FROM ${table} ORDER BY ${KEYS[table] ?? "id"}`, url);
  return rows.map(asTexts);
}
const rowsIn = (dataDir: string, table: string) =>
  inFile(dataDir, `SELECT * FROM ${table} ORDER BY ${KEYS[table]?.replace(/ COLLATE.*/, "") ?? "id"}`).map(
    asTexts,
  );
const asTexts = (row: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asText(value)]));
/** PostgreSQL has flags and SQLite numbers; numbers of eight bytes come as texts. */
const asText = (value: unknown) =>
  value === null ? null : typeof value === "boolean" ? String(Number(value)) : `${value as string | number}`;

/** A fresh database, or one that nobody has ever started on. */
async function expectUntouched(url: string): Promise<void> {
  const tables = await server.run("SELECT to_regclass('users') AS users", url);
  if (tables[0]?.["users"] === null) return;
  for (const table of ["users", "invitations", "members", "messages", "sessions", "audit"])
    expect(await rowsOf(url, table)).toEqual([]);
  expect(await rowsOf(url, "rooms")).toMatchObject([{ slug: "public", head: "0" }]);
}

describe("a lived-in installation", () => {
  test("is in PostgreSQL row for row, and the report says how many there are", async () => {
    const url = await server.createDatabase();
    const { code, stdout, stderr } = await move(url);
    expect([code, stderr]).toEqual([0, ""]);
    for (const table of TABLES) {
      const rows = rowsIn(home, table);
      expect(rows.length).toBeGreaterThan(0);
      expect(await rowsOf(url, table)).toEqual(rows);
      expect(stdout).toMatch(new RegExp(`^  ${table} +${rows.length}  [0-9a-f]{64}$`, "m"));
    }
    const texts = (await rowsOf(url, "messages")).map(({ text }) => text);
    expect(texts).toEqual(
      expect.arrayContaining([...ODD_TEXTS.map((text) => text.trim()), "was edited", ""]),
    );
    expect(stdout).toContain(join(home, "secret.key"));
    expect(stdout).not.toContain(new URL(url).password);
  });

  test("goes on counting where it was, and gives no id a second time", async () => {
    const dataDir = anotherHome();
    // The newest room is gone as a row; its id is not to come back.
    inFile(dataDir, "INSERT INTO rooms (id, slug, name, created_at) VALUES (7000, 'brief', '', 0)");
    inFile(dataDir, "DELETE FROM rooms WHERE id = 7000");
    const url = await server.createDatabase();
    expect((await move(url, dataDir)).code).toBe(0);
    const next = async (table: string) =>
      Number(
        (await server.run(`SELECT nextval(pg_get_serial_sequence('${table}', 'id')) AS id`, url))[0]?.["id"],
      );
    expect(await next("rooms")).toBe(7001);
    for (const table of ["users", "messages", "invitations", "audit"]) {
      const [last] = inFile<{ seq: number }>(
        dataDir,
        `SELECT seq FROM sqlite_sequence WHERE name = '${table}'`,
      );
      expect(await next(table)).toBe((last?.seq ?? 0) + 1);
    }
  });

  test("may go where a first start has made an epoch and a public room of its own", async () => {
    const url = await freshDatabase();
    const epochs = [await rowsOf(url, "installation"), rowsIn(home, "installation")] as const;
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect((await move(url)).code).toBe(0);
    expect(await rowsOf(url, "installation")).toEqual(epochs[1]);
    expect(await rowsOf(url, "rooms")).toEqual(rowsIn(home, "rooms"));
  });

  test("with more than fits into one reading is whole, too", async () => {
    const dataDir = anotherHome();
    inFile(
      dataDir,
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4321)
       INSERT INTO audit (at, action, actor_id, actor_name, subject, detail, address)
       SELECT i * 1000000000, 'many', CASE WHEN i % 3 THEN 9007199254740991 END, 'ann', i, '', '' FROM n`,
    );
    const url = await server.createDatabase();
    expect((await move(url, dataDir)).code).toBe(0);
    const copied = await rowsOf(url, "audit");
    expect(copied.length).toBeGreaterThan(4321);
    expect(copied).toEqual(rowsIn(dataDir, "audit"));
  });
});

describe("nothing is copied", () => {
  test("into a database that somebody has used", async () => {
    const url = await server.createDatabase();
    expect((await move(url)).code).toBe(0);
    expect(await move(url)).toEqual({
      code: 1,
      stdout: "",
      stderr: `The database is not empty: its table users has rows.\n${NOTHING}`,
    });
    const spoken = await freshDatabase();
    await server.run("UPDATE rooms SET head = 1", spoken);
    expect((await move(spoken)).stderr).toContain("its table rooms has rows");
  });

  test("into one of another program, which stays as it was", async () => {
    const url = await server.createDatabase();
    await server.run("CREATE TABLE recipes (id int)", url);
    expect((await move(url)).stderr).toBe(
      `The database has tables of something else, such as recipes.\n${NOTHING}`,
    );
    await server.run("ALTER TABLE recipes RENAME TO users", url);
    expect((await move(url)).stderr).toContain("something else, such as users");
    expect(await server.run("SELECT to_regclass('rooms') AS rooms", url)).toEqual([{ rooms: null }]);
  });

  test("into one that a later version has made", async () => {
    const url = await freshDatabase();
    await server.run(
      "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('x', 9999999999999)",
      url,
    );
    expect((await move(url)).stderr).toBe(
      `The database was made by a later version: give an empty one.\n${NOTHING}`,
    );
  });

  test("while a server runs on it", async () => {
    const url = await freshDatabase();
    const node = connect(url, "echochat 1234");
    await node`SELECT 1`;
    expect((await move(url)).stderr).toBe(`A server runs on the database: stop it first.\n${NOTHING}`);
    await node.end();
    expect((await move(url)).code).toBe(0);
  });

  test("from a folder without a database, or from another version's, or from another program's", async () => {
    const url = await server.createDatabase();
    const empty = makeDataDir();
    dataDirs.push(empty);
    const missing = await move(url, empty);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      `There is no database at ${join(empty, "echochat.sqlite")}: is DATA_DIR right?\n${NOTHING}`,
    ]);
    const complaint = async (statement: string) => {
      const dataDir = anotherHome();
      inFile(dataDir, statement);
      return (await move(url, dataDir)).stderr;
    };
    const newest = "(SELECT max(created_at) FROM __drizzle_migrations)";
    expect(await complaint(`DELETE FROM __drizzle_migrations WHERE created_at = ${newest}`)).toContain(
      "written by an earlier version: start this one on it once",
    );
    expect(
      await complaint(`INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', ${newest} + 1)`),
    ).toContain("written by a later version");
    expect(await complaint("DROP TABLE __drizzle_migrations")).toContain("is not a database of EchoChat");
    await Bun.write(join(empty, "echochat.sqlite"), "Dear diary");
    expect((await move(url, empty)).stderr).toContain("cannot be read");
    await expectUntouched(url);
  });

  test("where PostgreSQL cannot hold a value, and each is named", async () => {
    const dataDir = anotherHome();
    inFile(dataDir, "UPDATE messages SET text = 'a' || char(0) WHERE id = 3");
    inFile(dataDir, "UPDATE users SET last_seen_at = 9007199254740993 WHERE id = 2");
    inFile(dataDir, "UPDATE members SET joined_at = 'noon' WHERE user_id = 2");
    inFile(dataDir, "UPDATE sessions SET agent = CAST(x'00ff' AS BLOB)");
    const url = await server.createDatabase();
    const { code, stderr } = await move(url, dataDir);
    expect(code).toBe(1);
    for (const place of [
      "messages 3, text",
      "users 2, last_seen_at",
      "members 3/2, joined_at",
      "sessions, agent",
    ])
      expect(stderr).toContain(place);
    for (const { id } of rowsIn(dataDir, "sessions")) expect(stderr).not.toContain(id ?? "");
    await expectUntouched(url);
  });

  test("when a room's number is not that of its last change", async () => {
    const dataDir = anotherHome();
    inFile(dataDir, "UPDATE rooms SET head = head - 1 WHERE slug = 'public'");
    const url = await server.createDatabase();
    expect((await move(url, dataDir)).stderr).toMatch(
      /not in order: public stands at \d+, its last change is \d+\./,
    );
    await expectUntouched(url);
  });

  test.each([
    [[]],
    [["--to"]],
    [["--to", "mysql://a/b"]],
    [["--to", "postgres://a:%@b/c"]],
    [["--from", "x"]],
  ])("for whoever types %j, who is told how it goes", async (args) => {
    const { code, stdout, stderr } = await runCommand(home, ["migrate", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("echochat migrate --to postgres://");
  });

  test("with a wrong password, which is not shown either, or where nobody listens", async () => {
    const url = new URL(await server.createDatabase());
    url.password = "a-wrong-secret";
    const refused = await move(String(url));
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain("password authentication failed");
    url.port = "1";
    const unheard = await move(String(url));
    expect([unheard.code, unheard.stdout]).toEqual([1, ""]);
    for (const { stderr } of [refused, unheard]) {
      expect(stderr.trim().split("\n")).toHaveLength(2);
      expect(stderr).not.toContain("a-wrong-secret");
    }
  });
});

describe("in the middle of it", () => {
  const AT_THE_SESSIONS = "TRIGGER wait BEFORE INSERT ON sessions";
  const AT_THE_COMMIT =
    "CONSTRAINT TRIGGER wait AFTER INSERT ON installation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW";

  /** A copy that waits, with the people and their messages in it, until it is let go. */
  async function beginCopy(dataDir = home, trigger = AT_THE_SESSIONS) {
    const url = await freshDatabase();
    await server.run(
      `CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
       CREATE ${trigger} EXECUTE FUNCTION wait();`,
      url,
    );
    const sql = connect(url);
    const lock = await sql.reserve();
    await lock`SELECT pg_advisory_lock(1)`;
    const child = Bun.spawn([process.execPath, "--no-env-file", "src/main.ts", "migrate", "--to", url], {
      cwd: join(import.meta.dir, "..", ".."),
      env: { DATA_DIR: dataDir },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    const waiting = () => sql<{ pid: number }[]>`
      SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`;
    while ((await waiting()).length === 0) {
      if (child.exitCode !== null) throw new Error((await output).join(""));
      await Bun.sleep(10);
    }
    return {
      url,
      child,
      pid: (await waiting())[0]?.pid,
      letGo: () => lock`SELECT pg_advisory_unlock(1)`,
      async ended() {
        const [stdout, stderr] = await output;
        return { code: await child.exited, stdout, stderr };
      },
      /** Nobody is at it any more. */
      async over() {
        while ((await waiting()).length > 0) await Bun.sleep(10);
      },
    };
  }

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s calls it off, and the database is as before",
    async (signal) => {
      const copy = await beginCopy();
      copy.child.kill(signal);
      expect(await copy.ended()).toEqual({ code: 1, stdout: "", stderr: `It was called off.\n${NOTHING}` });
      await expectUntouched(copy.url);
      await copy.letGo();
      await server.run("DROP TRIGGER wait ON sessions", copy.url);
      expect((await move(copy.url)).code).toBe(0);
    },
  );

  test("a killed copy leaves nothing behind", async () => {
    const copy = await beginCopy();
    copy.child.kill("SIGKILL");
    await copy.child.exited;
    await copy.letGo();
    await copy.over();
    await expectUntouched(copy.url);
  });

  test("a lost connection is told, and leaves nothing behind", async () => {
    const copy = await beginCopy();
    await server.run(`SELECT pg_terminate_backend(${copy.pid})`);
    const { code, stdout, stderr } = await copy.ended();
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toEndWith(NOTHING);
    await expectUntouched(copy.url);
  });

  test("whose connection is lost at the commit itself says that it does not know", async () => {
    const copy = await beginCopy(home, AT_THE_COMMIT);
    await server.run(`SELECT pg_terminate_backend(${copy.pid})`);
    const { code, stdout, stderr } = await copy.ended();
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("a second try says which");
    expect(stderr).not.toContain(NOTHING);
    await expectUntouched(copy.url);
  });

  test("nobody else writes into the database, while everybody may read", async () => {
    const copy = await beginCopy();
    const other = connect(copy.url);
    const write = other.begin(async (tx) => {
      await tx`SET LOCAL lock_timeout = 100`;
      await tx`UPDATE rooms SET name = 'mine'`;
    });
    expect(String(await write.catch((error: unknown) => error))).toContain("lock timeout");
    expect(await other`SELECT slug FROM rooms`).toMatchObject([{ slug: "public" }]);
    await copy.letGo();
    expect((await copy.ended()).code).toBe(0);
  });

  test("a server that goes on writing is noticed, and the copy is of one moment", async () => {
    const dataDir = anotherHome();
    const running = await startProcess(dataDir);
    const before = rowsIn(dataDir, "messages");
    const copy = await beginCopy(dataDir);
    await says(people.ann.moveTo(running), "public", "too late");
    expect(rowsIn(dataDir, "messages")).toHaveLength(before.length + 1);
    await copy.letGo();
    const { code, stderr } = await copy.ended();
    expect(code).toBe(0);
    expect(stderr).toContain("Warning: a server wrote to the file meanwhile");
    expect(await rowsOf(copy.url, "messages")).toEqual(before);
    await running.stop();
  });
});
