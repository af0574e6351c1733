/** Two nodes without Redis: each finds by asking, a little later, what is written on the other. */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { member, type Client } from "../../src/testing/client.ts";
import { startNode, type Node } from "../../src/testing/nodes.ts";
import { startPostgres, type PostgresServer } from "../../src/testing/postgres.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
import {
  newKey,
  openChat,
  openGateway,
  type ChatFrame,
  type Gateway,
  type Socket,
} from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir } from "../../src/testing/world.ts";

setDefaultTimeout(60_000);

/** A node asks five times a second; which rooms it asks for shows nowhere. */
const NEXT_POLLS_MS = 700;

let postgres: PostgresServer;
let dataDir: string;
let one: Node;
let two: Node;
let ann: Client;
/** Signed in on the other node, both of them. */
let bob: Client;
let carl: Client;

/** A room of the three, and the socket on which ann writes there. */
let slug: string;
let hers: Gateway;

beforeAll(async () => {
  postgres = await startPostgres();
  dataDir = makeDataDir();
  const shared = { dataDir, databaseUrl: await postgres.createDatabase() };
  [one, two] = [await startNode(shared), await startNode(shared)];
  ann = await member(one, "ann");
  [bob, carl] = [await member(two, "bob"), await member(two, "carl")];
});
afterAll(async () => {
  await Promise.all([one, two].map((node) => node.stop()));
  await postgres.stop();
  removeDataDir(dataDir);
});

beforeEach(async () => {
  slug = await makeRoom(ann, "Hall");
  const link = await invite(ann, slug);
  for (const client of [bob, carl]) await join(client, link);
  hers = await openGateway(ann, []);
});

async function say(text: string): Promise<{ id: number; rev: number }> {
  const answer = await hers.post(text, undefined, slug);
  if (answer.type !== "ack") throw new Error(`not stored: ${answer.code}`);
  return answer;
}

/** Comes back to the room on the other node, holding everything up to `rev`. */
async function comeBack(client: Client, rev: number): Promise<Gateway> {
  const page = await openGateway(client, [{ room: slug, epoch: hers.epoch, rev }]);
  await page.nextOf("caught-up");
  return page;
}

async function watchUnread(client: Client): Promise<{ page: Gateway; unread: number | undefined }> {
  const page = await openGateway(client, []);
  page.send({ type: "unread" });
  const { rooms } = await page.nextOf("unread");
  return { page, unread: rooms.find(({ room }) => room === slug)?.unread };
}

/** Everybody leaves the other node, which serves the room no longer. */
async function leave(page: Gateway): Promise<void> {
  page.close();
  await page.closed;
  await Bun.sleep(NEXT_POLLS_MS);
}

/** What is heard up to and including `last`. */
async function heardUntil(last: string, original: Socket<ChatFrame>): Promise<(string | undefined)[]> {
  const heard: (string | undefined)[] = [];
  while (heard.at(-1) !== last) heard.push((await original.next()).message);
  return heard;
}

/** The authors that have been announced so far. */
async function announcedTo(page: Gateway): Promise<string[]> {
  await page.settled();
  return (await page.quiet(0)).flatMap((frame) => (frame.type === "news" ? frame.authors : []));
}

test("what was removed while nobody was there is gone for whoever comes back", async () => {
  const first = await say("first");
  const secret = await say("secret");
  await leave(await comeBack(bob, 0));
  hers.send({ type: "remove", room: slug, key: newKey(), id: secret.id });
  await hers.nextOf("ack");

  const page = await openGateway(carl, [{ room: slug, epoch: hers.epoch, rev: first.rev }]);
  expect(await page.nextOf("changes")).toMatchObject({ changes: [{ seq: 2, rev: 3, text: "" }] });
  expect(await page.nextOf("caught-up")).toMatchObject({ rev: 3 });
  for (const socket of [page, hers]) socket.close();
});

test("whoever comes back after everybody was gone brings nothing old to those who came before", async () => {
  const before = await say("before");
  await leave(await comeBack(bob, 0));
  for (const text of ["old", "older"]) await say(text);
  const original = await openChat(carl, slug);
  const { page } = await watchUnread(carl);

  const back = await comeBack(bob, before.rev);
  await say("new");
  expect(await heardUntil("new", original)).toEqual(["new"]);
  expect(await announcedTo(page)).toEqual(["ann"]);
  for (const socket of [original, page, back, hers]) socket.close();
});

test("what was there already is neither announced nor told again, and nothing after it is missed", async () => {
  await say("first");
  // The node has told up to here, and no further.
  const { page: other } = await watchUnread(bob);
  for (let round = 1; round <= 5; round++) {
    await say(`before ${round}`);
    const { page, unread } = await watchUnread(carl);
    const original = await openChat(carl, slug);
    await say(`after ${round}`);
    expect(unread).toBe(2 * round);
    expect(await heardUntil(`after ${round}`, original)).toEqual([`after ${round}`]);
    expect(await announcedTo(page)).toEqual(["ann"]);
    for (const socket of [page, original]) socket.close();
  }
  for (const socket of [other, hers]) socket.close();
});
