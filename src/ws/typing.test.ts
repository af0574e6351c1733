import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import { createAccess, type Actor } from "../chat/access.ts";
import type { Word } from "../chat/ports.ts";
import { serveHub, type HubServer, type HubSocket } from "../testing/hub.ts";
import { entryOf } from "../testing/stores/hall.ts";
import { actorIn, openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { createHub } from "./hub.ts";
import { createTyping, type Typing } from "./typing.ts";

const hub = createHub(createMemoryBus());
let stores: OpenStores;
let server: HubServer;
let typing: Typing;
let now: number;
let slug: string;
let ann: HubSocket;
let bob: HubSocket;
let name: string;
/** What the other nodes were told. */
let words: Word[];

beforeAll(async () => {
  stores = await openSqliteStores();
  server = serveHub(hub);
});
afterAll(async () => {
  await server.stop();
  await stores.close();
});

beforeEach(async () => {
  words = [];
  now = 1_795_339_770_247;
  typing = createTyping({
    access: createAccess(stores.rooms),
    clock: { now: () => now },
    hub,
    nodes: { tell: (word) => void words.push(word) },
  });
  slug = unique("room");
  await stores.addRoom(slug);
  const [hers, his] = [await actorIn(stores, slug), await actorIn(stores, slug)];
  name = hers.name;
  [ann, bob] = [await follower(hers), await follower(his)];
});

async function follower(actor: Actor): Promise<HubSocket> {
  const opened = await server.opens({ actor });
  const { room } = await entryOf(stores, slug, null);
  hub.follow(opened.socket, room, room.head, hub.removals());
  return opened;
}

describe("whoever writes", () => {
  test("is shown by name to the other members in the room, and not to guests or to themselves", async () => {
    const guest = await follower({ kind: "guest" });
    await typing.show(ann.socket, slug);
    expect(await bob.heard()).toEqual([{ type: "typing", room: slug, name }]);
    for (const { heard } of [guest, ann]) expect(await heard()).toEqual([]);
    const { room } = await entryOf(stores, slug, null);
    expect(words).toEqual([{ type: "typing", roomId: room.id, room: slug, name }]);
  });

  test("is shown at most once in two seconds", async () => {
    for (let i = 0; i < 20; i++) await typing.show(ann.socket, slug);
    expect(await bob.heard()).toHaveLength(1);
    now += 1_999;
    await typing.show(ann.socket, slug);
    expect(await bob.heard()).toEqual([]);
    now += 1;
    await typing.show(ann.socket, slug);
    expect(await bob.heard()).toHaveLength(1);
  });
});

describe("nobody is shown", () => {
  test("who is a guest, even in the public room", async () => {
    const { room } = await entryOf(stores, "public", null);
    const reader = await server.opens({ actor: await actorIn(stores, slug) });
    const guest = await server.opens();
    const member = await server.opens({ actor: await actorIn(stores, slug) });
    for (const { socket } of [reader, guest, member]) hub.follow(socket, room, room.head, hub.removals());
    await typing.show(member.socket, "public");
    expect(await reader.heard()).toHaveLength(1);
    await typing.show(guest.socket, "public");
    expect(await reader.heard()).toEqual([]);
  });

  test.each([
    ["is muted", (id: number) => stores.accounts.update(id as never, { isMuted: true })],
    [
      "is in a room that is closed",
      async () => stores.rooms.update((await entryOf(stores, slug, null)).room.id, { isClosed: true }),
    ],
    [
      "is no member any more",
      async (id: number) =>
        stores.members.setRole((await entryOf(stores, slug, null)).room.id, id as never, "removed"),
    ],
  ])("who %s", async (_, happen) => {
    await typing.show(ann.socket, slug);
    expect(await bob.heard()).toHaveLength(1);
    const { actor } = ann.socket.data;
    await happen(actor.kind === "member" ? actor.id : 0);
    now += 10_000;
    await typing.show(ann.socket, slug);
    expect(await bob.heard()).toEqual([]);
  });

  test("in a room that is not, or is not theirs", async () => {
    const other = unique("room");
    await stores.addRoom(other);
    for (const room of ["nowhere", other]) {
      now += 10_000;
      await typing.show(ann.socket, room);
    }
    expect(await bob.heard()).toEqual([]);
  });

  test("whose socket does not follow the room, though they may write there", async () => {
    const elsewhere = await server.opens({ actor: ann.socket.data.actor });
    await typing.show(elsewhere.socket, slug);
    expect(await bob.heard()).toEqual([]);
    await typing.show(ann.socket, slug);
    expect(await bob.heard()).toHaveLength(1);
  });
});
