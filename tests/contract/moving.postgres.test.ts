import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { guest, member, PASSWORD, type Client } from "../../src/testing/client.ts";
import { liveIn, ODD_TEXTS, says, type LivedIn } from "../../src/testing/lived-in.ts";
import { startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { join as enter } from "../../src/testing/rooms.ts";
import { openGateway } from "../../src/testing/socket.ts";
import {
  makeDataDir,
  removeDataDir,
  runCommand,
  startProcess,
  type Process,
} from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

let server: PostgresServer;
let home: string;
let people: LivedIn;
let url: string;
const nodes: Process[] = [];
beforeAll(async () => {
  server = await startPostgres();
  home = makeDataDir();
  people = await liveIn(home);
  url = await server.createDatabase();
  expect((await runCommand(home, ["migrate", "--to", url])).code).toBe(0);
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});
afterAll(async () => {
  await server.stop();
  removeDataDir(home);
});

/** The program on the database that was copied to; the key of the sessions is where it was. */
async function startNode(): Promise<Process> {
  const node = await startProcess(home, { DATABASE_URL: url });
  nodes.push(node);
  return node;
}

interface Shown {
  id: number;
  seq: number;
  content: string;
}
const messagesIn = async (who: Client, room: string) => {
  const answer = await who.get(`/api/chat/rooms/${room}/messages/?limit=200`);
  expect(answer.status).toBe(200);
  return (answer.json() as { messages: Shown[] }).messages;
};
const nameOf = async (who: Client) =>
  ((await who.get("/api/auth/session/")).json() as { user: { username: string } | null }).user?.username;

test("after the move people are signed in as they were, and go on where they stopped", async () => {
  const node = await startNode();
  const [ann, bob] = [people.ann.moveTo(node), people.bob.moveTo(node)];
  expect([await nameOf(ann), await nameOf(bob)]).toEqual(["ann", "bob"]);

  const before = await messagesIn(ann, "public");
  expect(before.map(({ content }) => content)).toEqual(
    expect.arrayContaining([ODD_TEXTS[1], ODD_TEXTS[4], "was edited"]),
  );
  const id = await says(ann, "public", "from the other side");
  const after = await messagesIn(bob, "public");
  expect(after.slice(0, -1)).toEqual(before);
  expect(after.at(-1)).toMatchObject({ id, content: "from the other side" });
  expect(id).toBeGreaterThan(Math.max(...before.map((message) => message.id)));

  const own = before.find(({ content }) => content === "was edited")?.id;
  const edit = await ann.patch(`/api/chat/rooms/public/messages/${own}/`, { content: "was edited again" });
  expect(edit.status).toBe(200);
  await says(bob, people.room, "hello again");
  expect((await messagesIn(ann, people.room)).map(({ content }) => content)).toEqual([
    "hello",
    "hello again",
  ]);
});

test("after the move links let people in, passwords are the same, and who was out is out", async () => {
  const node = await startNode();
  const eve = await member(node, "eve");
  expect((await eve.get(`/rooms/${people.room}`)).status).toBe(404);
  await enter(eve, people.link);
  expect(await messagesIn(eve, people.room)).not.toEqual([]);
  const bob = await guest(node);
  expect((await bob.login("bob", PASSWORD)).status).toBe(200);
  for (const gone of ["carl", "emil"]) expect((await bob.login(gone, PASSWORD)).status).toBe(400);
  expect((await bob.register("carl")).status).toBe(400);
});

test("after the move a page that was open asks for what it missed, and is not told to load anew", async () => {
  const file = new Database(join(home, "echochat.sqlite"), { readonly: true });
  const read = (query: string) =>
    Object.values(file.query<Record<string, unknown>, []>(query).get() ?? {})[0];
  const [epoch, head] = [
    read("SELECT epoch FROM installation"),
    read("SELECT head FROM rooms WHERE slug = 'public'"),
  ];
  file.close();
  const node = await startNode();
  const late = await openGateway(people.bob.moveTo(node), [
    { room: "public", epoch: String(epoch), rev: Number(head) - 2 },
  ]);
  expect(late.epoch).toBe(String(epoch));
  const { changes } = await late.nextOf("changes");
  expect(changes[0]?.rev).toBeGreaterThan(Number(head) - 2);
  late.close();
});
