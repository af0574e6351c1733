import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { member, type Client } from "../../src/testing/client.ts";
import { says } from "../../src/testing/lived-in.ts";
import { startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { invite, join, makeRoom, press } from "../../src/testing/rooms.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

/** What a migration of the next version may do: it adds, and whatever it adds may be left out. */
const EXPANSION = `
  ALTER TABLE users ADD COLUMN pronouns text;
  ALTER TABLE messages ADD COLUMN pinned_at bigint;
  ALTER TABLE rooms ADD COLUMN is_loud boolean NOT NULL DEFAULT false;
  ALTER TABLE sessions ADD COLUMN device text NOT NULL DEFAULT '';
  CREATE TABLE reactions (message_id bigint NOT NULL REFERENCES messages(id) ON DELETE CASCADE, sign text NOT NULL);
  CREATE INDEX messages_pinned ON messages (pinned_at) WHERE pinned_at IS NOT NULL;
  INSERT INTO drizzle.__drizzle_migrations (hash, created_at)
    SELECT 'of the next version', max(created_at) + 1000 FROM drizzle.__drizzle_migrations`;

let server: PostgresServer;
const nodes: Process[] = [];
const dataDirs: string[] = [];
beforeAll(async () => {
  server = await startPostgres();
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  for (const dataDir of dataDirs.splice(0)) removeDataDir(dataDir);
});
afterAll(() => server.stop());

async function startNode(url: string): Promise<Process> {
  const dataDir = makeDataDir();
  dataDirs.push(dataDir);
  const node = await startProcess(dataDir, {
    DATABASE_URL: url,
    SECRET_KEY: "the same secret on every node, long",
  });
  nodes.push(node);
  return node;
}

/** What people do all day. */
async function liveOn(node: Process, ann: Client, bob: Client, name: string): Promise<void> {
  const socket = await openGateway(bob);
  const id = await says(ann, "public", `${name}: hello`);
  const { changes } = await socket.nextOf("changes");
  expect(changes).toMatchObject([{ text: `${name}: hello` }]);
  const path = `/api/chat/rooms/public/messages/${id}/`;
  expect((await ann.patch(path, { content: `${name}: hello, all` })).status).toBe(200);
  expect((await ann.delete(path)).status).toBe(204);
  const room = await makeRoom(ann, `${name}'s room`);
  await join(bob, await invite(ann, room));
  await says(bob, room, "inside");
  expect((await press(ann, room, "members/bob/remove")).status).toBe(303);
  expect((await bob.get(`/rooms/${room}`)).status).toBe(404);
  expect((await ann.logout()).status).toBe(200);
  expect((await ann.login("ann")).status).toBe(200);
  expect((await ann.get("/api/health/ready/")).status).toBe(200);
  socket.close();
}

test("a node goes on when the next version has expanded the database under it", async () => {
  const url = await server.createDatabase();
  const node = await startNode(url);
  const [ann, bob] = [await member(node, "ann"), await member(node, "bob")];
  await liveOn(node, ann, bob, "before");
  await server.run(EXPANSION, url);
  await liveOn(node, ann, bob, "after");
});

test("a node that starts on a database of the next version works, and changes nothing of it", async () => {
  const url = await server.createDatabase();
  const first = await startNode(url);
  const [ann, bob] = [await member(first, "ann"), await member(first, "bob")];
  await server.run(EXPANSION, url);
  const migrations = () => server.run("SELECT hash FROM drizzle.__drizzle_migrations ORDER BY id", url);
  const known = await migrations();
  const second = await startNode(url);
  await liveOn(second, ann.moveTo(second), bob.moveTo(second), "second");
  expect(await migrations()).toEqual(known);
  expect(known.at(-1)).toEqual({ hash: "of the next version" });
});
