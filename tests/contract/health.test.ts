import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { expectJson, expectRefused, expectSecurityHeaders } from "../../src/testing/answers.ts";
import { member, stranger } from "../../src/testing/client.ts";
import { inDatabase, lockSqlite } from "../../src/testing/database.ts";
import { onNodes } from "../../src/testing/installation.ts";
import { ask } from "../../src/testing/raw.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

// A locked database is waited for.
setDefaultTimeout(30_000);

const MOMENT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/);
const FINE = { database: "ok", cache: "ok" };

let world: World;
let undo = async () => {};

/** What was being asked when the connections were cut has failed, and may have been logged. */
const CUT = /"code":"(57P01|25006|CONNECTION_\w+|ECONNRESET)"/;

/** Somebody else holds the file, or the database only lets itself be read. */
async function forbidWrites(): Promise<void> {
  if (!onNodes) {
    const lock = lockSqlite(world);
    undo = async () => lock.close();
    return;
  }
  // Connections keep what held when they were made.
  const set = (isReadOnly: boolean) =>
    inDatabase(
      world,
      `BEGIN READ WRITE;
      DO $$ BEGIN EXECUTE format(
        'ALTER DATABASE %I SET default_transaction_read_only = ${isReadOnly}', current_database()); END $$;
      COMMIT;
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
  await set(true);
  undo = async () => void (await set(false));
}

async function allowWrites(): Promise<void> {
  const act = undo;
  undo = async () => {};
  await act();
}

beforeAll(async () => {
  world = await startWorld();
});
afterEach(() => allowWrites());
afterAll(() => world.stop());

test("whoever watches is told that the program lives, and that all its parts work", async () => {
  const watcher = stranger(world);
  const live = await watcher.get("/api/health/live/");
  expectJson(live, 200, { status: "ok", check: "live", timestamp: MOMENT });
  const ready = await watcher.get("/api/health/ready/");
  expectJson(ready, 200, { status: "ok", check: "ready", timestamp: MOMENT, components: FINE });
  for (const answer of [live, ready]) {
    expectSecurityHeaders(answer);
    expect(answer.headers.getSetCookie()).toEqual([]);
  }
  expect((await watcher.get("/api/health/ready")).headers.get("location")).toBe("/api/health/ready/");
  expectRefused(await watcher.get("/api/health/"), 404);
});

test("a watcher is told of nothing else, whoever asks and with whatever cookie", async () => {
  const ann = await member(world, "ann");
  expect((await ann.get("/api/health/ready/")).json()).toEqual({
    status: "ok",
    check: "ready",
    timestamp: MOMENT,
    components: FINE,
  });
});

test("a host that is not served is not told how things stand either", async () => {
  const named = await startWorld({ ALLOWED_HOSTS: "chat.example" });
  for (const path of ["/api/health/live/", "/api/health/ready/"]) {
    expect((await ask(named, { path, headers: { host: "chat.example" } })).status).toBe(200);
    expect((await ask(named, { path, headers: { host: "evil.example" } })).status).toBe(400);
  }
  await named.stop();
});

test("a database that cannot be written is named, without its insides, and is fine again when it can", async () => {
  const watcher = stranger(world);
  expect((await watcher.get("/api/health/ready/")).status).toBe(200);
  await forbidWrites();
  await Bun.sleep(1_000);
  expectJson(await watcher.get("/api/health/ready/"), 503, {
    status: "error",
    check: "ready",
    timestamp: MOMENT,
    components: { database: "error", cache: "ok" },
  });
  expect((await watcher.get("/api/health/live/")).status).toBe(200);
  await allowWrites();
  await Bun.sleep(1_000);
  expect((await watcher.get("/api/health/ready/")).status).toBe(200);
  for (const error of world.takeErrors()) expect(error).toMatch(CUT);
});
