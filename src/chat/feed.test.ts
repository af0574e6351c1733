import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { ClientKey, MessageId } from "../shared/ids.ts";
import { RESUME_FRAME_CHANGES, RESUME_FRAME_TEXT, RESUME_MAX_CHANGES } from "../shared/limits.ts";
import type { MessageView } from "../shared/protocol.ts";
import { actorIn, openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { edit, post, remove } from "../testing/stores/scene.ts";
import { writerOver } from "../testing/stores/writer.ts";
import { createAccess, type Reader, type SignedInActor } from "./access.ts";
import { createFeed, type Feed } from "./feed.ts";
import type { Write } from "./ports.ts";
import { createRecent, type Recent } from "./recent.ts";
import type { Writer } from "./writer.ts";

let stores: OpenStores;
let actor: SignedInActor;
let reader: Reader;
let epoch: string;
let writer: Writer;
let recent: Recent;
let feed: Feed;

beforeAll(async () => {
  stores = await openSqliteStores();
  epoch = stores.messages.epoch();
});
afterAll(() => stores.close());

beforeEach(async () => {
  const bus = createMemoryBus();
  writer = writerOver(stores.messages, bus);
  recent = createRecent({ store: stores.messages, bus });
  const slug = unique("room");
  await stores.addRoom(slug);
  actor = await actorIn(stores, slug);
  reader = await createAccess(stores.rooms).reader(actor, slug);
});

describe.each([
  ["from memory", () => recent],
  ["from the store", (): Recent => ({ since: async () => null })],
])("a reader who was away, answered %s,", (_, answering) => {
  beforeEach(() => {
    feed = createFeed({ store: stores.messages, recent: answering() });
  });

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

  test("gets a long sleep frame by frame, each as much as a frame takes", async () => {
    await write(1_050);
    const frames = await framesAfter(20);
    expect(frames.length).toBeLessThan(10);
    for (const { length } of frames) expect(length).toBeWithin(1, RESUME_FRAME_CHANGES + 1);
    expect(frames.flat().map(({ rev }) => rev)).toEqual(Array.from({ length: 1_030 }, (_one, i) => 21 + i));
  });

  test("gets long texts in more frames, and one that fills a frame alone", async () => {
    const halves = Array.from({ length: 5 }, () => "x".repeat(RESUME_FRAME_TEXT / 2));
    await write([...halves, "y".repeat(RESUME_FRAME_TEXT + 1), "z"]);
    const frames = await framesAfter(0);
    expect(frames.map((changes) => changes.map(({ rev }) => rev))).toEqual([[1, 2], [3, 4], [5], [6], [7]]);
  });

  test("gets what was edited and removed as it is now, in the order of the changes", async () => {
    const [first, second] = await write(3);
    const author = actor.id;
    await writeAll([edit(first as MessageId, author, "better"), remove(second as MessageId, author)]);
    await writeAll([edit(first as MessageId, author, "best")]);
    const shown = (changes: MessageView[]) => changes.map(({ seq, rev, text }) => [seq, rev, text]);
    expect(shown((await caughtUp(0)).changes)).toEqual([
      [3, 3, "2"],
      [2, 5, ""],
      [1, 6, "best"],
    ]);
    expect(await caughtUp(4)).toMatchObject({ from: 4, to: 6 });
    expect(shown((await caughtUp(4)).changes)).toEqual([
      [2, 5, ""],
      [1, 6, "best"],
    ]);
    expect(await caughtUp(6)).toEqual({ from: 6, to: 6, changes: [] });
  });

  test("for longer than a page can make good is told to load it anew", async () => {
    await write(RESUME_MAX_CHANGES + 1);
    expect((await framesAfter(1)).flat()).toHaveLength(RESUME_MAX_CHANGES);
    expect(await feed.catchUp(reader, { epoch, rev: 0 })).toEqual({ reset: "gap" });
  });

  test("and claims a number that does not exist yet is told to load the page anew", async () => {
    await write(2);
    expect((await caughtUp(2)).changes).toEqual([]);
    for (const rev of [3, Number.MAX_SAFE_INTEGER])
      expect(await feed.catchUp(reader, { epoch, rev })).toEqual({ reset: "ahead" });
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

test("memory and the store answer the same, whatever has happened in the room", async () => {
  const [memory, store] = [recent, { since: async () => null }].map((answering) =>
    createFeed({ store: stores.messages, recent: answering }),
  ) as [Feed, Feed];
  await memory.catchUp(reader, { epoch, rev: 0 });
  let ids: number[] = [];
  for (let round = 0; round < 40; round++) {
    const [author, old] = [actor.id, ids[(round * 7) % Math.max(1, ids.length)] as MessageId];
    if (round % 5 === 1) await writeAll([edit(old, author, `round ${round}`)]);
    else if (round % 5 === 3) await writeAll([remove(old, actor.id)]).catch(() => {});
    else ids = [...ids, ...(await write(12))];
    const { head } = await stores.messages.changesSince(reader.room.id, 0, 1);
    for (const rev of [0, 1, head - 130, head - 13, head - 1, head].filter((held) => held >= 0))
      expect(await memory.catchUp(reader, { epoch, rev })).toEqual(
        await store.catchUp(reader, { epoch, rev }),
      );
  }
});

test("the numbers of the last changes are those of the store", async () => {
  feed = createFeed({ store: stores.messages, recent });
  await write(3);
  expect(await feed.heads([reader.room.id, 1_000_000_000 as typeof reader.room.id])).toEqual(
    new Map([[reader.room.id, 3]]),
  );
});

async function caughtUp(rev: number) {
  const result = await feed.catchUp(reader, { epoch, rev });
  if ("reset" in result) throw new Error(`reset: ${result.reset}`);
  return result.changes;
}

/** What comes until nothing is missing, each beginning where the one before ended. */
async function framesAfter(rev: number): Promise<MessageView[][]> {
  const frames: MessageView[][] = [];
  for (let held = rev; ;) {
    const result = await feed.catchUp(reader, { epoch, rev: held });
    if ("reset" in result) throw new Error(`reset: ${result.reset}`);
    const { from, to, changes } = result.changes;
    expect(from).toBe(held);
    frames.push(changes);
    held = to;
    if (result.isWhole) return frames;
  }
}

/** Messages that say these texts, or so many that say their number; their ids. */
function write(texts: number | string[]): Promise<number[]> {
  const all = typeof texts === "number" ? Array.from({ length: texts }, (_, i) => `${i}`) : texts;
  const [room, author] = [reader.room.id, actor.id];
  return writeAll(
    all.map((text) => post({ room, author, key: unique("key") as ClientKey, text, createdAt: 1 })),
  );
}

async function writeAll(writes: Write[]): Promise<number[]> {
  const stored = await Promise.all(writes.map((one) => writer.write(one)));
  return stored.map(({ message }) => message.id);
}
