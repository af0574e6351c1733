/** Whoever is signed out while their handshake waits for the database comes in as whoever they are by then. */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { member, type Client } from "../../src/testing/client.ts";
import { holdUp } from "../../src/testing/hold-up.ts";
import { startNode, type Node } from "../../src/testing/nodes.ts";
import { startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
import { openChat, type ChatFrame, type Socket } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir } from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

let postgres: PostgresServer;
let url: string;
let dataDir: string;
let node: Node;
let ann: Client;
let bob: Client;
let slug: string;
let people = 0;

beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.createDatabase();
  dataDir = makeDataDir();
  node = await startNode({ dataDir, databaseUrl: url });
  ann = await member(node, "ann");
  slug = await makeRoom(ann, "Hall");
});
afterAll(async () => {
  await node.stop();
  await postgres.stop();
  removeDataDir(dataDir);
  expect(node.complaints).toEqual([]);
});
beforeEach(async () => {
  bob = await member(node, `bob${++people}`);
  await join(bob, await invite(ann, slug));
});

/** Opens a socket of the room whose handshake finds out only after this who may come in; null when it was refused. */
async function openAfter(act: () => Promise<unknown>, room: string): Promise<Socket<ChatFrame> | null> {
  const others = await holdUp(url, "LOCK TABLE members IN ACCESS EXCLUSIVE MODE");
  const opening = openChat(bob, room).catch(() => null);
  await others.isFelt();
  await act();
  await others.end();
  return opening;
}

test("they are not let into a private room", async () => {
  expect(await openAfter(() => bob.logout(), slug)).toBeNull();
});

test("they read the public room like any guest, and say nothing there", async () => {
  const [socket, hers] = [await openAfter(() => bob.logout(), "public"), await openChat(ann, "public")];
  socket?.send({ message: "still me" });
  hers.send({ message: "hello" });
  expect(await socket?.next()).toMatchObject({ message: "hello", username: "ann" });
  expect(await hers.quiet(0)).toMatchObject([{ message: "hello" }]);
});

test("whoever is still signed in comes in, however many others leave meanwhile", async () => {
  const carl = await member(node, "carl");
  const [socket, hers] = [await openAfter(() => carl.logout(), slug), await openChat(ann, slug)];
  hers.send({ message: "welcome" });
  expect(await socket?.next()).toMatchObject({ message: "welcome" });
});
