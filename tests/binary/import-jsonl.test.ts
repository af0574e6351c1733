/** What the binary reads from JSON Lines into either database, and what keeps it from it besides the export. */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { binary, GENTLY } from "../../src/testing/binary.ts";
import { guest, stranger, type Client } from "../../src/testing/client.ts";
import { inSqlite } from "../../src/testing/database.ts";
import { says, type LivedIn } from "../../src/testing/lived-in.ts";
import { sharedPostgres, type Databases } from "../../src/testing/postgres.ts";
import { removeDataDir, type Environment, type Process } from "../../src/testing/world.ts";
import {
  changed,
  expectEqual,
  exportedHome,
  exportTo,
  field,
  importFrom,
  line,
  linesOf,
  NOTHING,
  run,
  serve,
  textOf,
  tidyUp,
} from "./export.ts";
import { aFolder } from "./folders.ts";

setDefaultTimeout(60_000);

let postgres: Databases;
let program: string;
let home: string;
let people: LivedIn;
let whole: string;
beforeAll(async () => {
  postgres = await sharedPostgres();
  program = await binary();
  ({ home, people, whole } = await exportedHome());
});
afterEach(tidyUp);
afterAll(() => removeDataDir(home));

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
    const dataDir = aFolder();
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

test("a file that was made and never filled is as good as none", async () => {
  const dataDir = aFolder();
  appendFileSync(join(dataDir, "echochat.sqlite"), "");
  expect(await importFrom(whole, dataDir)).toMatchObject({ code: 0, stderr: "" });
});

test("what a line has besides is passed over", async () => {
  const folder = changed(whole, line("messages.jsonl", 1, field("mood", "merry")));
  const dataDir = aFolder();
  expect((await importFrom(folder, dataDir)).code).toBe(0);
  expect((await exportTo(join(dataDir, "export"), dataDir)).code).toBe(0);
  expectEqual(join(dataDir, "export"), whole);
});

describe("nothing is imported", () => {
  test("into an installation that somebody has used", async () => {
    const everybody = () => inSqlite({ dataDir: home }, "SELECT * FROM users");
    const before = everybody();
    expect((await importFrom(whole, home)).stderr).toBe(
      `The database is not empty: its table users has rows.\n${NOTHING}`,
    );
    expect(everybody()).toEqual(before);
    const DATABASE_URL = await postgres.createDatabase();
    expect((await importFrom(whole, aFolder(), { DATABASE_URL })).code).toBe(0);
    expect((await importFrom(whole, aFolder(), { DATABASE_URL })).stderr).toBe(
      `The database is not empty: its table users has rows.\n${NOTHING}`,
    );
  });

  test("while another import has it, whatever that one does", async () => {
    const dataDir = aFolder();
    const other = new Database(join(dataDir, "echochat.sqlite"));
    other.run("CREATE TABLE begun (id)");
    other.run("BEGIN EXCLUSIVE");
    expect((await importFrom(whole, dataDir)).stderr).toBe(
      `${join(dataDir, "echochat.sqlite")} is in use: stop the server first.\n${NOTHING}`,
    );
    other.close();
  });

  test("while a server runs on it; when it has stopped, an import may follow", async () => {
    const dataDir = aFolder();
    const server = await serve(dataDir);
    expect((await importFrom(whole, dataDir)).stderr).toBe(
      `${join(dataDir, "echochat.sqlite")} is in use: stop the server first.\n${NOTHING}`,
    );
    expect((await stranger(server).get("/api/health/ready/")).status).toBe(200);
    await server.kill("SIGTERM");
    expect((await importFrom(whole, dataDir)).code).toBe(0);
  });
});

test.each(["SIGTERM", "SIGKILL"] as const)("an import that ends by %s leaves nothing", async (signal) => {
  const LONG = 150_000;
  const TABLES_BYTES = 50_000;
  const folder = changed(whole, (at) => {
    const [first = ""] = textOf(at, "messages.jsonl").split("\n");
    const more = (_: unknown, i: number) => {
      const places = { id: 100 + i, seq: 12 + i, rev: 12 + i };
      return `${JSON.stringify({ ...(JSON.parse(first) as object), ...places })}\n`;
    };
    appendFileSync(join(at, "messages.jsonl"), Array.from({ length: LONG }, more).join(""));
    line("rooms.jsonl", 1, field("head", 11 + LONG))(at);
  });
  const dataDir = aFolder();
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
