import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { member } from "../../src/testing/client.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

// It is written every ten seconds.
setDefaultTimeout(30_000);

const SECOND = 1000;
const MINUTE = 60 * SECOND;

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

function seenAt(name: string): number | null {
  const database = new Database(join(dataDir, "echochat.sqlite"), { readonly: true });
  const query = database.query<{ at: number | null }, [string]>(
    "SELECT last_seen_at AS at FROM users WHERE name = ?",
  );
  const row = query.get(name);
  database.close();
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
  await ann.get("/api/auth/session/");
  const askedAt = Date.now();
  await bob.get("/api/auth/session/");
  await bob.logout();
  const loggedOutAt = Date.now();
  expect([seenAt("ann"), seenAt("bob"), seenAt("cleo")]).toEqual([null, null, null]);

  await Bun.sleep(11 * SECOND);
  expect(Math.abs((seenAt("ann") ?? 0) - askedAt)).toBeLessThan(SECOND);
  expect(Math.abs((seenAt("bob") ?? 0) - (loggedOutAt - 5 * MINUTE))).toBeLessThan(SECOND);
  const cleoAt = seenAt("cleo") ?? 0;
  expect(cleoAt).toBeGreaterThan(askedAt);
  expect(seenAt("dora")).toBeNull();

  // Nobody is told that they are somebody else now: the session goes on as it was.
  expect((await ann.get("/api/auth/session/")).json()).toMatchObject({ authenticated: true });
  const lastAt = Date.now();
  await server.kill("SIGTERM");
  expect(Math.abs((seenAt("ann") ?? 0) - lastAt)).toBeLessThan(SECOND);
  expect(seenAt("cleo") ?? 0).toBeGreaterThan(cleoAt);
});
