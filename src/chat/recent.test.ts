import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { ClientKey, MessageId, RoomId, UserId } from "../shared/ids.ts";
import type { MessageView } from "../shared/protocol.ts";
import { openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { edit, idOf, post, postedOf, remove, scene } from "../testing/stores/scene.ts";
import { writerOver } from "../testing/stores/writer.ts";
import type { Bus, MessageStore, RoomPlace } from "./ports.ts";
import { createRecent, type Recent } from "./recent.ts";
import type { Writer } from "./writer.ts";

let stores: OpenStores;
let room: RoomId;
let hall: RoomPlace;
let ann: UserId;
let bus: Bus;
let writer: Writer;
let recent: Recent;
/** How often the store was asked for changes. */
let reads: number;
/** Happens in the middle of each reading. */
let meanwhile: () => Promise<unknown>;

beforeAll(async () => {
  stores = await openSqliteStores();
});
afterAll(() => stores.close());

beforeEach(async () => {
  const here = await scene(stores);
  [room, hall, ann] = [here.room, placeOf(here.room), here.ann.id];
  bus = createMemoryBus();
  writer = writerOver(stores.messages, bus);
  [reads, meanwhile] = [0, async () => {}];
  const store: Pick<MessageStore, "changesSince" | "heads"> = {
    heads: (rooms) => stores.messages.heads(rooms),
    async changesSince(...asked) {
      reads++;
      const since = await stores.messages.changesSince(...asked);
      await meanwhile();
      return since;
    },
  };
  recent = createRecent({ store, bus });
});

test("however many come back at once, the store is asked once, and not again while it goes on", async () => {
  await say(5);
  const answers = await Promise.all(Array.from({ length: 100 }, () => recent.since(hall, 2)));
  for (const answer of answers) expect(answer?.changes.map(({ rev }) => rev)).toEqual([3, 4, 5]);
  await say(5);
  expect(await numbersAfter(5)).toEqual([6, 7, 8, 9, 10]);
  expect(await numbersAfter(10)).toEqual([]);
  expect(reads).toBe(1);
});

test("whoever has missed more than is kept, or claims more than there is, is the store's to answer", async () => {
  await say(300);
  expect(await numbersAfter(300 - 256)).toHaveLength(256);
  for (const rev of [300 - 257, 0, 301]) expect(await recent.since(hall, rev)).toBeNull();
  await say(100);
  expect(await numbersAfter(400 - 256)).toHaveLength(256);
  expect(await recent.since(hall, 400 - 257)).toBeNull();
  expect(reads).toBe(1);
});

test("what somebody edits or removes is kept nowhere as it was", async () => {
  const [first, second] = await say(3, "secret");
  expect(await numbersAfter(0)).toHaveLength(3);
  await Promise.all([
    writer.write(edit(idOf(first), ann, "better")),
    writer.write(remove(idOf(second), ann)),
  ]);
  const kept = await recent.since(hall, 0);
  expect(kept?.changes.map(({ rev, text }) => [rev, text])).toEqual([
    [3, "secret 3"],
    [4, "better"],
    [5, ""],
  ]);
  expect(kept?.to).toBe(5);
  expect(reads).toBe(1);
});

test("what is edited twice in one turn is kept once, as it is in the end", async () => {
  const [first] = await say(1);
  expect(await numbersAfter(0)).toEqual([1]);
  const texts = ["better", "best"].map((text) => writer.write(edit(idOf(first), ann, text)));
  await Promise.all(texts);
  const { changes } = (await recent.since(hall, 0)) ?? { changes: [] };
  expect(changes.map(({ rev, text }) => [rev, text])).toEqual([[3, "best"]]);
});

test("what is posted and removed in one turn leaves no text", async () => {
  await say(1);
  expect(await numbersAfter(0)).toEqual([1]);
  const next = (await stores.messages.page(room, { limit: 1 })).messages[0];
  const posted = say(1, "secret");
  const removed = writer.write(remove(((next?.id ?? 0) + 1) as MessageId, ann));
  await Promise.all([posted, removed]);
  expect(JSON.stringify(await recent.since(hall, 0))).not.toContain("secret");
  expect(await numbersAfter(0)).toEqual([1, 3]);
});

test("whoever takes another name has it in what is kept", async () => {
  await say(1);
  const nameOf = async () => (await recent.since(hall, 0))?.changes[0]?.author;
  const before = await nameOf();
  const name = unique("anna");
  await stores.accounts.update(ann, { name, nameKey: name });
  expect(await nameOf()).toBe(before as string);
  bus.publish({ type: "account.changed", userId: ann, name, avatar: null });
  expect(await nameOf()).toBe(name);
  const other = unique("anna");
  await stores.accounts.update(ann, { name: other, nameKey: other });
  bus.publish({ type: "accounts.reread" });
  expect(await nameOf()).toBe(other);
});

test("a room that is removed is not kept", async () => {
  await say(2);
  expect(await numbersAfter(0)).toEqual([1, 2]);
  await stores.rooms.remove(room);
  bus.publish({ type: "room.removed", roomId: room, room: "gone" });
  expect(JSON.stringify(await recent.since(hall, 0))).not.toContain("message");
});

test("of a room that was never there nothing is kept", async () => {
  expect(await recent.since(placeOf(1_000_000_000 as RoomId), 0)).toBeNull();
});

test("a change that nobody told of is found out by the next one, and read anew", async () => {
  await say(2);
  expect(await numbersAfter(0)).toEqual([1, 2]);
  await stores.messages.write([draft("from elsewhere")]);
  expect(await numbersAfter(0)).toEqual([1, 2]);
  await say(1);
  expect(await numbersAfter(0)).toEqual([1, 2, 3, 4]);
  expect(reads).toBe(2);
});

test("what changes while it is read makes the reading worthless: nobody is answered with it", async () => {
  await say(2);
  meanwhile = async () => {
    meanwhile = async () => {};
    await say(1);
  };
  const [early, late] = await Promise.all([recent.since(hall, 0), recent.since(hall, 1)]);
  expect([early, late]).toEqual([null, null]);
  expect(await numbersAfter(0)).toEqual([1, 2, 3]);
  expect(reads).toBe(2);
});

test("what a name is while it is read makes the reading worthless as well", async () => {
  await say(1);
  meanwhile = async () => {
    meanwhile = async () => {};
    bus.publish({ type: "accounts.reread" });
  };
  expect(await recent.since(hall, 0)).toBeNull();
  expect(await numbersAfter(0)).toEqual([1]);
});

test("a store that fails once is asked again", async () => {
  await say(1);
  meanwhile = () => Promise.reject(new Error("the store has failed"));
  expect(await recent.since(hall, 0).catch(() => "failed")).toBe("failed");
  meanwhile = async () => {};
  expect(await numbersAfter(0)).toEqual([1]);
});

test("of many rooms those asked for last are kept", async () => {
  const rooms: RoomId[] = [];
  for (let i = 0; i < 65; i++) rooms.push(await stores.addRoom(unique("room")));
  const [first, second, last] = [rooms[0] as RoomId, rooms[1] as RoomId, rooms[64] as RoomId];
  for (const each of rooms.slice(0, 64)) await recent.since(placeOf(each), 0);
  await recent.since(placeOf(first), 0);
  expect(reads).toBe(64);
  await recent.since(placeOf(last), 0);
  await recent.since(placeOf(first), 0);
  expect(reads).toBe(65);
  await recent.since(placeOf(second), 0);
  expect(reads).toBe(66);
});

describe("where others write as well", () => {
  /** From which number on each room is told here. */
  let served: [room: RoomPlace, rev: number][];
  /** What has been told here where that is more than was read. */
  let reached: number;
  const toldUpTo = (from: number, to: number, changes: MessageView[] = []) =>
    bus.publish({ type: "messages.changed", roomId: room, room: hall.slug, from, to, changes });

  beforeEach(() => {
    [served, reached] = [[], 0];
    bus.serve = (place, rev) => {
      served.push([place, rev]);
      return Math.max(reached, rev);
    };
  });

  test("what is kept of a room is kept current: the room is served from there on", async () => {
    await say(3);
    expect(await numbersAfter(1)).toEqual([2, 3]);
    expect(await numbersAfter(2)).toEqual([3]);
    expect(served).toEqual([[hall, 3]]);
  });

  test("a room that is served no longer is forgotten with all that was said in it, and read anew", async () => {
    const [first] = await say(2, "secret");
    expect(await numbersAfter(0)).toEqual([1, 2]);
    bus.publish({ type: "room.unserved", roomId: room });
    await stores.messages.write([remove(idOf(first), ann)]);
    expect((await recent.since(hall, 0))?.changes.map(({ text }) => text)).toEqual(["secret 2", ""]);
    expect(reads).toBe(2);
  });

  test("what was read while it was served no longer is worthless", async () => {
    await say(1);
    meanwhile = async () => bus.publish({ type: "room.unserved", roomId: room });
    expect(await recent.since(hall, 0)).toBeNull();
    expect(served).toEqual([]);
  });

  test("what has been told already ends nothing, and comes no second time", async () => {
    const messages = await say(3);
    expect(await numbersAfter(0)).toEqual([1, 2, 3]);
    toldUpTo(0, 2, messages.slice(0, 2));
    const [next] = postedOf(await stores.messages.write([draft("from elsewhere")]));
    toldUpTo(2, 4, [messages[2] as MessageView, next as MessageView]);
    expect(await numbersAfter(0)).toEqual([1, 2, 3, 4]);
    expect(reads).toBe(1);
  });

  test("nothing is kept that ends before what has been told", async () => {
    await say(2);
    reached = 3;
    expect(await recent.since(hall, 0)).toBeNull();
    reached = 0;
    expect(await numbersAfter(0)).toEqual([1, 2]);
  });
});

async function numbersAfter(rev: number): Promise<number[] | undefined> {
  return (await recent.since(hall, rev))?.changes.map((message) => message.rev);
}

const placeOf = (id: RoomId): RoomPlace => ({ id, slug: `room-${id}` });

function draft(text: string) {
  return post({ room, author: ann, key: unique("key") as ClientKey, text, createdAt: 1 });
}

async function say(count: number, text = "message") {
  const sent = Array.from({ length: count }, (_, i) => writer.write(draft(`${text} ${i + 1}`)));
  return (await Promise.all(sent)).map(({ message }) => message);
}
