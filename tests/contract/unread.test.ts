import { afterAll, beforeAll, expect, test } from "bun:test";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { invite, join, makeRoom, press } from "../../src/testing/rooms.ts";
import { openGateway, type Gateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

let world: World;
let ann: Client;
let bob: Client;
let slug: string;

beforeAll(async () => {
  world = await startWorld();
  [ann, bob] = [await member(world, "ann"), await member(world, "bob")];
  slug = await makeRoom(ann, "Зал");
  await join(bob, await invite(ann, slug));
});
afterAll(() => world.stop());

test("what was written while somebody was away is counted, and what comes then is told without its text", async () => {
  const writer = await openGateway(ann);
  await writer.post("before you came back", undefined, slug);
  const page = await watching(bob);
  expect(await page.nextOf("unread")).toEqual({ type: "unread", rooms: [{ room: slug, unread: 1 }] });

  await writer.post("and one more", undefined, slug);
  expect(await page.nextOf("news")).toEqual({ type: "news", room: slug, authors: ["ann"] });
  await writer.post("in the room of all", undefined, "public");
  await page.settled();
  expect(await page.quiet(50)).toEqual([]);
  writer.close();
  page.close();
});

test("what somebody says to have read is not counted again, on any of their pages", async () => {
  const page = await watching(bob);
  expect(await page.nextOf("unread")).toMatchObject({ rooms: [{ room: slug, unread: 2 }] });
  page.send({ type: "read", room: slug, seq: 1 });
  await page.settled();
  const other = await watching(bob);
  expect(await other.nextOf("unread")).toMatchObject({ rooms: [{ room: slug, unread: 1 }] });
  page.send({ type: "read", room: slug, seq: 1_000_000 });
  await page.settled();
  other.send({ type: "unread" });
  expect(await other.nextOf("unread")).toMatchObject({ rooms: [{ room: slug, unread: 0 }] });
  page.close();
  other.close();
});

test("a removed message is neither counted nor told", async () => {
  const writer = await openGateway(ann);
  const posted = await writer.post("not for long", undefined, slug);
  const page = await watching(bob);
  expect(await page.nextOf("unread")).toMatchObject({ rooms: [{ unread: 1 }] });
  const id = posted.type === "ack" ? posted.id : 0;
  const permalink = `/rooms/${slug}/messages/${id}`;
  const form = await ann.openForm(permalink, { action: `${permalink}/remove` });
  expect((await ann.sendForm(form)).status).toBe(303);
  page.send({ type: "unread" });
  expect(await page.nextOf("unread")).toMatchObject({ rooms: [{ unread: 0 }] });
  expect(await page.quiet(50)).toEqual([]);
  writer.close();
  page.close();
});

test("guests have no rooms, and nobody hears of those they do not belong to", async () => {
  const [nobody, carl] = [await watching(await guest(world)), await watching(await member(world, "carl"))];
  for (const page of [nobody, carl])
    expect(await page.nextOf("unread")).toEqual({ type: "unread", rooms: [] });
  const [writer, page] = [await openGateway(ann), await watching(bob)];
  await page.nextOf("unread");
  await writer.post("just us", undefined, slug);
  await page.nextOf("news");
  for (const other of [nobody, carl]) expect(await other.quiet(0)).toEqual([]);
  for (const socket of [nobody, carl, writer, page]) socket.close();
});

test("whoever is put out hears of nothing more", async () => {
  const [writer, page] = [await openGateway(ann), await watching(bob)];
  await page.nextOf("unread");
  await writer.post("you are still here", undefined, slug);
  await page.nextOf("news");
  await press(ann, slug, "members/bob/remove");
  await writer.post("you are not", undefined, slug);
  await page.settled();
  page.send({ type: "unread" });
  expect(await page.nextOf("unread")).toEqual({ type: "unread", rooms: [] });
  expect(await page.quiet(50)).toEqual([]);
  writer.close();
  page.close();
});

async function watching(client: Client): Promise<Gateway> {
  const page = await openGateway(client, []);
  page.send({ type: "unread" });
  return page;
}
