import { afterAll, expect, test } from "bun:test";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { tags } from "../../src/testing/html.ts";
import { shakeHands, type RawAnswer } from "../../src/testing/raw.ts";
import { openChat, openGateway, openPresence } from "../../src/testing/socket.ts";
import { startWorld, type Environment, type World } from "../../src/testing/world.ts";

const PATHS = ["/ws/", "/ws/presence/", "/ws/chat/public/"];

const worlds: World[] = [];
afterAll(async () => {
  for (const world of worlds) await world.stop();
});

async function start(env: Environment): Promise<World> {
  const world = await startWorld(env);
  worlds.push(world);
  return world;
}

const shake = (who: Client, path = "/ws/"): Promise<RawAnswer> => {
  const headers = { cookie: who.cookieHeader(), origin: who.origin };
  return shakeHands(who.place, path, headers);
};

function expectFull({ status, headers }: RawAnswer): void {
  expect([status, headers.get("retry-after")]).toEqual([429, "30"]);
}

/** Tries until a place that was left is free: the server hears of it a moment later. */
async function comesIn(who: Client): Promise<void> {
  while ((await shake(who)).status !== 101) await Bun.sleep(5);
}

test("a person opens so many sockets of all kinds, from wherever; others go on", async () => {
  const world = await start({ SOCKET_MAX_PER_USER: "3" });
  const [ann, bob] = [await member(world, "ann"), await member(world, "bob")];
  const phone = await guest(world, { headers: { "x-forwarded-for": "203.0.113.7" } });
  await phone.login("ann");
  const open = [await openGateway(ann), await openPresence(ann), await openChat(phone, "public")];
  for (const path of PATHS) for (const device of [ann, phone]) expectFull(await shake(device, path));
  for (const other of [bob, await guest(world)]) (await openGateway(other)).close();
  expect(open[0]?.isOpen()).toBe(true);

  open[1]?.close();
  await comesIn(ann);
  for (const socket of open) socket.close();
});

test("an address opens so many sockets, whoever they belong to; another address goes on", async () => {
  const world = await start({ SOCKET_MAX_PER_ADDRESS: "3" });
  const from = (address: string) => guest(world, { headers: { "x-forwarded-for": address } });
  const [ann, visitor, neighbour] = [
    await member(world, "ann"),
    await guest(world),
    await from("203.0.113.7"),
  ];
  const open = [await openGateway(ann), await openGateway(visitor), await openPresence(visitor)];
  for (const who of [ann, visitor]) for (const path of PATHS) expectFull(await shake(who, path));
  expect(
    (await shakeHands(world, "/ws/", { origin: world.url, "x-forwarded-for": "203.0.113.7" })).status,
  ).toBe(101);
  expect((await neighbour.get("/")).status).toBe(200);
  open[2]?.close();
  await comesIn(visitor);
  for (const socket of open) socket.close();
});

test("of many who knock at the same moment no more come in than there are places", async () => {
  const world = await start({ SOCKET_MAX: "5" });
  const visitor = await guest(world);
  const open = await Promise.allSettled(Array.from({ length: 40 }, () => openPresence(visitor)));
  const inside = open.flatMap((knock) => (knock.status === "fulfilled" ? [knock.value] : []));
  expect(inside).toHaveLength(5);
  for (const socket of inside) socket.close();
});

test("a whole network of IPv6 counts as one address", async () => {
  const world = await start({ SOCKET_MAX_PER_ADDRESS: "2" });
  const from = (address: string) =>
    shakeHands(world, "/ws/", { origin: world.url, "x-forwarded-for": address });
  const visitor = await guest(world, { headers: { "x-forwarded-for": "2001:db8:1:2::1" } });
  const headers = { "x-forwarded-for": "2001:db8:1:2::1" };
  const open = [await openPresence(visitor, headers), await openPresence(visitor, headers)];
  expectFull(await from("2001:db8:1:2:ffff::9"));
  expect((await from("2001:db8:1:3::1")).status).toBe(101);
  for (const socket of open) socket.close();
});

test("when all places are taken pages and logins are served as ever, and whoever is in stays", async () => {
  const world = await start({ SOCKET_MAX: "4" });
  const ann = await member(world, "ann");
  const open = [
    await openGateway(ann),
    await openGateway(ann),
    await openGateway(ann),
    await openGateway(ann),
  ];
  const bob = await guest(world);
  for (const path of PATHS) expectFull(await shake(bob, path));
  expect((await bob.get("/login", { accept: "text/html" })).status).toBe(200);
  expect((await bob.register("bob")).status).toBe(201);
  expectFull(await shake(bob));
  expect((await bob.submit("/rooms/public", { text: "by the form" })).status).toBe(303);
  const { changes } = await (open[0] as (typeof open)[0]).nextOf("changes");
  expect(changes).toMatchObject([{ text: "by the form" }]);
  const page = await bob.get("/rooms/public", { accept: "text/html" });
  expect(tags(page.text, ".message .text").map(({ text }) => text)).toContain("by the form");

  open[3]?.close();
  await comesIn(bob);
  for (const socket of open) socket.close();
});
