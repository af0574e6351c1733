import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIGRATIONS } from "../../resources.ts";
import { startPostgres, type PostgresServer } from "../../testing/postgres.ts";
import { isUnavailable } from "./failures.ts";
import { openPostgres, type PostgresDatabase } from "./open.ts";
import { createProbe } from "./probe.ts";
import { Unopened } from "./unopened.ts";

let server: PostgresServer;
let url: string;
const opened: PostgresDatabase[] = [];

beforeAll(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
});
afterEach(async () => {
  for (const db of opened.splice(0)) await db.$client.end({ timeout: 1 });
});
afterAll(() => server.stop());

async function open(to = url, migrations = MIGRATIONS.postgres, pool = 2): Promise<PostgresDatabase> {
  const db = await openPostgres({ url: to, pool, migrations, nodeId: "node7" }, 1);
  opened.push(db);
  return db;
}

/** The database's URL with one part of it changed. */
function wrong(
  parts: Partial<Record<"username" | "password" | "hostname" | "port" | "pathname", string>>,
): string {
  return Object.assign(new URL(url), parts).href;
}

/** What is said of a URL that cannot be opened. */
async function complaintOf(to: string): Promise<string> {
  const error = await open(to).then(
    () => new Error("it was opened"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Unopened)) throw error;
  return error.message;
}

describe("a database that cannot be used says why, and where", () => {
  test.each([
    ["a wrong password", { password: "wrong" }, /says: password authentication failed for user "echochat"$/],
    ["an unknown user", { username: "nobody" }, /says: password authentication failed for user "nobody"$/],
    ["an unknown database", { pathname: "/nowhere" }, /says: database "nowhere" does not exist$/],
    [
      "an unknown host",
      { hostname: "nowhere.invalid" },
      /^nowhere.invalid:\d+ is no host that is known here$/,
    ],
    ["a port where nothing is", { port: "1" }, /^127.0.0.1:1 has nothing that listens$/],
  ])("%s", async (_, parts, words) => {
    await open();
    const complaint = await complaintOf(wrong(parts));
    expect(complaint).toMatch(words);
    expect(complaint).not.toContain("\n");
    expect(complaint).not.toContain(new URL(wrong(parts)).password);
  });

  test("a server that takes the connection and says nothing", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const start = performance.now();
    expect(await complaintOf(wrong({ port: `${silent.port}` }))).toEndWith("does not answer");
    expect(performance.now() - start).toBeLessThan(8_000);
    silent.stop(true);
  });

  test("a server that hangs up, as others than PostgreSQL do", async () => {
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("hello") });
    expect(await complaintOf(wrong({ port: `${other.port}` }))).toContain("hangs up: it is not PostgreSQL");
    await other.stop(true);
  });

  test("a server without TLS where it is asked for", async () => {
    expect(await complaintOf(`${url}?sslmode=require`)).toContain("or has no TLS where sslmode asks for it");
  });

  test("an old server", async () => {
    const old = serveAs("13.22 (Debian 13.22-1)", "130022");
    expect(await complaintOf(wrong({ port: `${old.port}` }))).toEndWith(
      "is PostgreSQL 13.22 (Debian 13.22-1); version 14 or newer is needed",
    );
    old.stop(true);
  });

  test("a database in another encoding", async () => {
    await server.run(
      "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
    );
    expect(await complaintOf(wrong({ pathname: "/latin" }))).toEndWith(
      "has this database in LATIN1; one in UTF8 is needed",
    );
  });

  test("a database that takes no writes, or none of this user's", async () => {
    await server.run("CREATE DATABASE copy");
    await server.run("ALTER DATABASE copy SET default_transaction_read_only = on");
    expect(await complaintOf(wrong({ pathname: "/copy" }))).toContain("in a read-only transaction");
    await server.run("CREATE ROLE poor LOGIN PASSWORD 'poor'");
    expect(await complaintOf(wrong({ username: "poor", password: "poor" }))).toContain(
      "says: permission denied",
    );
  });
});

test("a migration that fails leaves the tables as they were, and a line says so", async () => {
  const fresh = await server.createDatabase();
  await open(fresh);
  const folder = mkdtempSync(join(tmpdir(), "echochat-"));
  cpSync(MIGRATIONS.postgres, folder, { recursive: true });
  const journal = join(folder, "meta", "_journal.json");
  const { entries, ...rest } = JSON.parse(readFileSync(journal, "utf8")) as { entries: { when: number }[] };
  const when = Math.max(...entries.map((entry) => entry.when)) + 1;
  const entry = { idx: entries.length, version: "7", when, tag: "broken", breakpoints: true };
  writeFileSync(journal, JSON.stringify({ ...rest, entries: [...entries, entry] }));
  const broken = "ALTER TABLE users ADD motto text;--> statement-breakpoint\nINSERT INTO nowhere VALUES (1);";
  writeFileSync(join(folder, "broken.sql"), broken);
  const error = await open(fresh, folder).catch(String);
  rmSync(folder, { recursive: true });
  expect(error).toEndWith(
    'says: relation "nowhere" does not exist: its tables could not be brought up to date, and are as they were before',
  );
  const [motto] = await server.run(
    "SELECT count(*)::int AS n FROM information_schema.columns WHERE column_name = 'motto'",
    fresh,
  );
  expect(motto).toEqual({ n: 0 });
  await open(fresh);
});

describe("an open database", () => {
  test("knows each node by its name, and bounds how long it may hold others up", async () => {
    const { $client: sql } = await open();
    const settings = await sql`
      SELECT name, setting FROM pg_settings WHERE name IN
        ('application_name', 'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`;
    expect(settings.map(({ name, setting }) => [name, setting])).toEqual([
      ["application_name", "echochat node7"],
      ["idle_in_transaction_session_timeout", "5000"],
      ["lock_timeout", "7000"],
      ["statement_timeout", "30000"],
    ]);
  });

  test("is made once by five nodes that start at once", async () => {
    const fresh = await server.createDatabase();
    await Promise.all(Array.from({ length: 5 }, () => open(fresh)));
    const { $client: sql } = await open(fresh);
    expect(await sql`SELECT count(*) FROM installation`).toEqual([{ count: 1 }] as never);
    expect(await sql`SELECT slug, name FROM rooms`).toEqual([
      { slug: "public", name: "Public Chat" },
    ] as never);
  });

  test("keeps its epoch and what is in it at the next start", async () => {
    const epochs = async () => (await open()).$client`SELECT epoch FROM installation`;
    expect(await epochs()).toEqual(await epochs());
  });

  test("finds nothing by a text that it cannot hold", async () => {
    const { $client: sql } = await open();
    expect(await sql`SELECT slug FROM rooms WHERE slug = ${"public"}`).toHaveLength(1);
    for (const text of ["public\0", "\0", "a\ud800"])
      expect(await sql`SELECT slug FROM rooms WHERE slug = ${text}`).toHaveLength(0);
  });

  test("lets nobody wait long after its server was started anew", async () => {
    const { $client: sql } = await open(url, MIGRATIONS.postgres, 8);
    const restarts = { left: 3 };
    let longest = 0;
    const ask = async () => {
      while (restarts.left > 0) {
        const start = performance.now();
        const failure = await sql`SELECT pg_sleep(0.002)`.catch((error: unknown) => error);
        if (failure instanceof Error) expect(isUnavailable(failure)).toBe(true);
        longest = Math.max(longest, performance.now() - start);
        if (failure instanceof Error) await Bun.sleep(5);
      }
    };
    const asking = Array.from({ length: 16 }, ask);
    for (; restarts.left > 0; restarts.left--) await server.restart("fast");
    await Promise.all(asking);
    expect(longest).toBeLessThan(4_000);
    // The end of the old connections may only just arrive.
    await sql`SELECT 1`.catch(() => {});
    expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }] as never);
  }, 60_000);
});

describe("the probe", () => {
  const probeOf = (db: PostgresDatabase) => createProbe(db, MIGRATIONS.postgres);
  const failure = (probe: () => Promise<void>) =>
    probe().then(
      () => null,
      (error: unknown) => error,
    );

  test("passes a database that can be written, and leaves it as it is", async () => {
    const db = await open();
    const epoch = () => db.$client`SELECT epoch FROM installation`;
    const before = await epoch();
    await probeOf(db)();
    expect(await epoch()).toEqual(before);
  });

  test("fails while the server is away, and passes when it is back", async () => {
    const probe = probeOf(await open());
    await probe();
    await server.halt();
    expect(isUnavailable(await failure(probe))).toBe(true);
    await server.start();
    await probe();
  });

  test("fails where nothing can be written", async () => {
    const place = await server.createDatabase();
    const db = await open(place);
    const probe = probeOf(db);
    await probe();
    await db.$client`SET default_transaction_read_only = on`;
    await server.run(
      `ALTER DATABASE ${new URL(place).pathname.slice(1)} SET default_transaction_read_only = on`,
    );
    await server.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'echochat%'",
    );
    await failure(probe);
    expect(isUnavailable(await failure(probe))).toBe(true);
  });

  test("fails in a database that is older than the program", async () => {
    const db = await open(await server.createDatabase());
    const probe = probeOf(db);
    await probe();
    await db.$client`DELETE FROM drizzle.__drizzle_migrations`;
    expect(await failure(probe)).toBeInstanceOf(Error);
  });

  test("passes in one that the next version has added to", async () => {
    const place = await server.createDatabase();
    const folder = mkdtempSync(join(tmpdir(), "echochat-"));
    await open(place, expanded(folder));
    const db = await open(place);
    expect(await db.$client`SELECT mood FROM users`).toHaveLength(0);
    await probeOf(db)();
    rmSync(folder, { recursive: true });
  });
});

/** The migrations, and one more that adds a column. */
function expanded(folder: string): string {
  cpSync(MIGRATIONS.postgres, folder, { recursive: true });
  const file = join(folder, "meta", "_journal.json");
  const journal = JSON.parse(readFileSync(file, "utf8")) as { entries: { when: number }[] };
  const when = Math.max(...journal.entries.map((entry) => entry.when)) + 1;
  const entry = { idx: journal.entries.length, version: "7", when, tag: "next", breakpoints: true };
  writeFileSync(file, JSON.stringify({ ...journal, entries: [...journal.entries, entry] }));
  writeFileSync(join(folder, "next.sql"), "ALTER TABLE users ADD mood text");
  return folder;
}

/** A server that lets everybody in and says its version, in the protocol that all versions share. */
function serveAs(version: string, number: string) {
  const message = (kind: string, ...parts: (Buffer | string)[]) => {
    const body = Buffer.concat(
      parts.map((part) => (typeof part === "string" ? Buffer.from(`${part}\0`) : part)),
    );
    const head = Buffer.alloc(5);
    head.write(kind);
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const short = (value: number) => Buffer.from([value >> 8, value & 0xff]);
  const long = (value: number) => Buffer.from([0, 0, value >> 8, value & 0xff]);
  const ready = message("Z", Buffer.from("I"));
  const columns = { number, version, encoding: "UTF8" };
  const described = Object.keys(columns).map((name) =>
    Buffer.concat([Buffer.from(`${name}\0`), long(0), short(0), long(25), short(0xffff), long(0), short(0)]),
  );
  const values = Object.values(columns).map((value) =>
    Buffer.concat([long(value.length), Buffer.from(value)]),
  );
  const answer = [
    message("T", short(described.length), ...described),
    message("D", short(values.length), ...values),
    message("C", "SELECT 1"),
    ready,
  ];
  return Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, data) {
        const isQuery = data[0] === "Q".charCodeAt(0);
        socket.write(Buffer.concat(isQuery ? answer : [message("R", long(0)), ready]));
      },
    },
  });
}
