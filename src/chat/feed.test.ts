import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { ClientKey } from "../shared/ids.ts";
import { RESUME_MAX_CHANGES } from "../shared/limits.ts";
import { actorIn, addAccount, openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { createAccess, type Reader } from "./access.ts";
import { createFeed, type Feed } from "./feed.ts";

let stores: OpenStores;
let feed: Feed;
let reader: Reader;
let epoch: string;

beforeAll(async () => {
  stores = await openSqliteStores();
  feed = createFeed(stores.messages);
  epoch = feed.epoch();
});
afterAll(() => stores.close());

beforeEach(async () => {
  const slug = unique("room");
  await stores.addRoom(slug);
  reader = await createAccess(stores.rooms).reader(await actorIn(stores, slug), slug);
});

describe("a reader who was away", () => {
  test("gets everything after the number held, up to the head", async () => {
    await write(5);
    const { from, to, changes } = await caughtUp(2);
    expect([from, to]).toEqual([2, 5]);
    expect(changes.map(({ rev }) => rev)).toEqual([3, 4, 5]);
  });

  test("and missed nothing gets nothing", async () => {
    await write(2);
    expect(await caughtUp(2)).toEqual({ from: 2, to: 2, changes: [] });
  });

  test("of an empty room gets nothing", async () => {
    expect(await caughtUp(0)).toEqual({ from: 0, to: 0, changes: [] });
  });

  test("gets a thousand changes, and is told to load the page anew when there is one more", async () => {
    await write(RESUME_MAX_CHANGES + 1);
    expect((await caughtUp(1)).changes).toHaveLength(RESUME_MAX_CHANGES);
    expect(await feed.catchUp(reader, { epoch, rev: 0 })).toEqual({ reset: "gap" });
  });

  test("and claims a number that does not exist yet is told to load the page anew", async () => {
    await write(2);
    expect((await caughtUp(2)).changes).toEqual([]);
    expect(await feed.catchUp(reader, { epoch, rev: 3 })).toEqual({ reset: "ahead" });
    expect(await feed.catchUp(reader, { epoch, rev: Number.MAX_SAFE_INTEGER })).toEqual({ reset: "ahead" });
  });

  test("and comes from another history is told to load the page anew, whatever number is held", async () => {
    await write(2);
    expect((await caughtUp(0)).changes).toHaveLength(2);
    for (const rev of [0, 1, 2, 3, 1_000_000]) {
      for (const other of [unique("epoch"), "", epoch.toUpperCase()]) {
        expect(await feed.catchUp(reader, { epoch: other, rev })).toEqual({ reset: "epoch" });
      }
    }
  });
});

async function caughtUp(rev: number) {
  const result = await feed.catchUp(reader, { epoch, rev });
  if ("reset" in result) throw new Error(`reset: ${result.reset}`);
  return result.changes;
}

async function write(count: number): Promise<void> {
  const { id: author } = await addAccount(stores);
  const batch = Array.from({ length: count }, (_, i) => {
    return { room: reader.room.id, author, key: unique("key") as ClientKey, text: `${i}`, createdAt: i };
  });
  await stores.messages.append(batch);
}
