import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { member } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

// It is written every ten seconds.
setDefaultTimeout(30_000);

const MINUTE = 60_000;

let dataDir: string;
let server: Process;

beforeAll(async () => {
  dataDir = makeDataDir();
  server = await startProcess(dataDir);
});
afterAll(async () => {
  await server.stop();
  removeDataDir(dataDir);
});

async function seenAt(name: string): Promise<number | null> {
  const sql = "SELECT last_seen_at AS at FROM users WHERE name = ?";
  const [row] = await inDatabase<{ at: number | null }>({ dataDir }, sql, name);
  return row?.at ?? null;
}

test("people were last seen when they last asked for something or had a page open, but not if they logged out", async () => {
  const [ann, bob, cleo] = [
    await member(server, "ann"),
    await member(server, "bob"),
    await member(server, "cleo"),
  ];
  await member(server, "dora");

  const page = await openGateway(cleo);
  page.send({ type: "presence" });
  await page.nextOf("presence");
  const askedFrom = Date.now();
  await ann.get("/api/auth/session/");
  const askedAt = Date.now();
  await bob.get("/api/auth/session/");
  const loggedOutFrom = Date.now();
  await bob.logout();
  const loggedOutAt = Date.now();
  expect([await seenAt("ann"), await seenAt("bob"), await seenAt("cleo")]).toEqual([null, null, null]);

  while ((await seenAt("ann")) === null) await Bun.sleep(200);
  expect(await seenAt("ann")).toBeWithin(askedFrom, askedAt + 1);
  expect(await seenAt("bob")).toBeWithin(loggedOutFrom - 5 * MINUTE, loggedOutAt - 5 * MINUTE + 1);
  const cleoAt = (await seenAt("cleo")) ?? 0;
  expect(cleoAt).toBeGreaterThan(askedAt);
  expect(await seenAt("dora")).toBeNull();

  // Nobody is told that they are somebody else now: the session goes on as it was.
  const lastFrom = Date.now();
  expect((await ann.get("/api/auth/session/")).json()).toMatchObject({ authenticated: true });
  const lastAt = Date.now();
  await server.kill("SIGTERM");
  expect(await seenAt("ann")).toBeWithin(lastFrom, lastAt + 1);
  expect((await seenAt("cleo")) ?? 0).toBeGreaterThan(cleoAt);
});
