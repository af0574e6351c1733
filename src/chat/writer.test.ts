import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { ClientKey, MessageId, RoomId, SessionId, UserId } from "../shared/ids.ts";
import { openSqliteStores, sessionOf, unique, type OpenStores } from "../testing/stores/open.ts";
import { edit, post, remove, scene } from "../testing/stores/scene.ts";
import { writerOver } from "../testing/stores/writer.ts";
import { StorageLost, type BusEvent, type Join, type MessageStore, type Write } from "./ports.ts";
import { Refused } from "./refusal.ts";
import type { Stored, Writer } from "./writer.ts";

type Changed = Extract<BusEvent, { type: "messages.changed" }>;

let stores: OpenStores;
let room: RoomId;
let other: RoomId;
let ann: UserId;
let bob: UserId;
let writer: Writer;
/** What happened, in its order: `3 stored`, `told 0-3`, `answered 1`. */
let events: string[];
let told: Changed[];
/** Sessions that everything here was told to be over. */
let over: SessionId[];
let failures: unknown[];

beforeAll(async () => {
  stores = await openSqliteStores();
});
afterAll(() => stores.close());

beforeEach(async () => {
  const here = await scene(stores);
  [room, other, ann, bob] = [here.room, here.other, here.ann.id, here.bob.id];
  writer = writing((batch) => stores.messages.write(batch));
});

describe("what is sent in one turn", () => {
  test("shares one transaction, one event and one turn of answers, in this order", async () => {
    await Promise.all([say("a"), say("b"), say("c")]);
    expect(events).toEqual(["3 stored", "told 0-3", "answered 1", "answered 2", "answered 3"]);
  });

  test("is one turn however deep the promises are that lead to it", async () => {
    const late = async (text: string, depth: number): Promise<Stored> => {
      for (let i = 0; i < depth; i++) await Promise.resolve();
      return say(text);
    };
    await Promise.all([late("c", 30), late("a", 0), late("b", 10)]);
    expect(events[0]).toBe("3 stored");
    expect(textsTold()).toEqual(["a", "b", "c"]);
  });

  test("gets its numbers in the order of the calls, whoever calls", async () => {
    const writers = Array.from({ length: 60 }, (_, i) => say(`${i}`, { author: i % 3 === 0 ? bob : ann }));
    const stored = await Promise.all(writers);
    expect(stored.map(({ message }) => [message.seq, message.text])).toEqual(
      writers.map((_, i) => [i + 1, `${i}`]),
    );
    expect(textsTold()).toEqual(writers.map((_, i) => `${i}`));
  });

  test("is told of by one event a room, each without a gap", async () => {
    await say("before");
    told = [];
    const batch = [room, other, other, room, room].map((place, i) => say(`${i}`, { room: place }));
    await Promise.all(batch);
    expect(told.map(({ roomId, from, to, changes }) => [roomId, from, to, changes.length])).toEqual([
      [room, 1, 4, 3],
      [other, 0, 2, 2],
    ]);
    for (const { from, changes } of told)
      expect(changes.map(({ rev }) => rev)).toEqual(changes.map((_, i) => from + 1 + i));
  });

  test("holds posts, edits and removals, each told as what it was", async () => {
    const [first, second] = await Promise.all([say("first"), say("second")]);
    told = [];
    const [one, two] = [first.message.id as MessageId, second.message.id as MessageId];
    await Promise.all([say("third"), writer.write(edit(one, ann, "better")), writer.write(remove(two, ann))]);
    expect(told).toMatchObject([{ from: 2, to: 5 }]);
    expect(told[0]?.changes.map(({ seq, rev, text }) => [seq, rev, text])).toEqual([
      [3, 3, "third"],
      [1, 4, "better"],
      [2, 5, ""],
    ]);
  });

  test("that is much is more than one transaction, still in order", async () => {
    await Promise.all(Array.from({ length: 600 }, (_, i) => say(`${i}`)));
    expect(events.filter((event) => event.endsWith("stored"))).toEqual([
      "256 stored",
      "256 stored",
      "88 stored",
    ]);
    expect(told.map(({ from, to }) => [from, to])).toEqual([
      [0, 256],
      [256, 512],
      [512, 600],
    ]);
    expect(textsTold()).toEqual(Array.from({ length: 600 }, (_, i) => `${i}`));
  });
});

test("what is sent while a transaction is on its way shares the next one", async () => {
  const { promise: slow, resolve: go } = Promise.withResolvers<void>();
  writer = writing(async (batch) => {
    await slow;
    return stores.messages.write(batch);
  });
  const sent = [say("first")];
  await turn();
  sent.push(say("second"));
  await turn();
  sent.push(say("third"));
  await turn();
  expect(events).toEqual([]);
  go();
  await Promise.all(sent);
  expect(events.filter((event) => event.endsWith("stored"))).toEqual(["1 stored", "2 stored"]);
  expect(textsTold()).toEqual(["first", "second", "third"]);
});

describe("a write that is refused", () => {
  test("shares one transaction up to so much text, which is one frame for all readers", async () => {
    await Promise.all(Array.from({ length: 6 }, (_, i) => say(`${i}`.repeat(40_000))));
    expect(events.filter((event) => event.endsWith("stored"))).toEqual(["2 stored", "2 stored", "2 stored"]);
    events = [];
    await Promise.all([say("x".repeat(200_000)), say("y")]);
    expect(events.filter((event) => event.endsWith("stored"))).toEqual(["1 stored", "1 stored"]);
  });

  test("hurts no other of its turn, and is told to its sender alone", async () => {
    const stranger = 1_000_000_000 as UserId;
    const sent = [say("1"), refusalOf(say("2", { author: stranger })), say("3")] as const;
    const [one, refused, three] = await Promise.all(sent);
    expect([one.message.rev, three.message.rev]).toEqual([1, 2]);
    expect(refused.code).toBe("login_required");
    expect(told).toMatchObject([{ from: 0, to: 2 }]);
    expect(textsTold()).toEqual(["1", "3"]);
    expect(failures).toEqual([]);
  });

  test("because its session is over ends that session here as well, before it is answered", async () => {
    await stores.sessions.remove(sessionOf(ann));
    const known: SessionId[][] = [];
    const tries = (write: Promise<unknown>) => refusalOf(write).then(() => known.push([...over]));
    const [posted] = await Promise.all([
      say("of bob", { author: bob }),
      tries(say("late")),
      tries(say("later")),
    ]);
    expect(new Set(over)).toEqual(new Set([sessionOf(ann)]));
    for (const each of known) expect(each).toContain(sessionOf(ann));
    await tries(writer.write(remove(posted.message.id as MessageId, ann)));
    await stores.accounts.update(bob, { isMuted: true });
    expect((await refusalOf(say("muted", { author: bob }))).code).toBe("muted");
    expect(new Set(over)).toEqual(new Set([sessionOf(ann)]));
    expect(known).toHaveLength(3);
    expect(textsTold()).toEqual(["of bob"]);
  });

  test("alone in its turn is nothing that anybody is told of, and neither is a repeat", async () => {
    const key = unique("key") as ClientKey;
    const first = await say("hello", { key });
    told = [];
    expect((await refusalOf(say("other", { key }))).code).toBe("key_reused");
    const again = await say("hello", { key });
    expect(again).toEqual({ ...first, repeat: true });
    expect(told).toEqual([]);
  });

  test("for its key within one turn leaves the first and repeats it", async () => {
    const key = unique("key") as ClientKey;
    const tries = [say("hello", { key }), say("hello", { key }), refusalOf(say("other", { key }))] as const;
    const [first, again, refused] = await Promise.all(tries);
    expect([first.repeat, again.repeat, refused.code]).toEqual([false, true, "key_reused"]);
    expect(again.message.id).toBe(first.message.id);
    expect(textsTold()).toEqual(["hello"]);
  });
});

describe("a store that fails", () => {
  test("makes everything of the turn unavailable, is reported once, and nobody hears of anything", async () => {
    const bad = say("bad", { key: null as never });
    const refusals = await Promise.all([say("1"), bad, say("2")].map(refusalOf));
    for (const { code, retryable } of refusals) expect([code, retryable]).toEqual(["unavailable", true]);
    expect(failures).toHaveLength(1);
    expect(told).toEqual([]);
    expect((await stores.messages.page(room, { limit: 10 })).messages).toEqual([]);
  });

  test("and works again goes on: the same keys are stored then", async () => {
    const key = unique("key") as ClientKey;
    const tries = [refusalOf(say("hello", { key })), refusalOf(say("bad", { key: null as never }))];
    for (const { code } of await Promise.all(tries)) expect(code).toBe("unavailable");
    expect(await say("hello", { key })).toMatchObject({ repeat: false, message: { rev: 1 } });
  });

  test("does not hold up what waited behind it", async () => {
    let isBroken = true;
    writer = writing(async (batch) => {
      await turn();
      if (isBroken) throw new Error("the disk is full");
      return stores.messages.write(batch);
    });
    const first = refusalOf(say("first"));
    await turn();
    const second = say("second");
    expect((await first).code).toBe("unavailable");
    isBroken = false;
    expect((await second).message.rev).toBe(1);
  });
});

describe("whoever joins while the store waits", () => {
  const inRoom = (write: Write) => write.kind === "post" && write.room === room;

  test("is of the same transaction, event and turn of answers, after those who were there before", async () => {
    writer = writing(async (batch, join) => {
      const late = ["b", "c"].map((text) => say(text));
      sent.push(...late);
      return stores.messages.write([...batch, ...(join?.(inRoom) ?? [])]);
    });
    const sent = [say("a")];
    await sent[0];
    await Promise.all(sent);
    expect(textsTold()).toEqual(["a", "b", "c"]);
    expect(told).toHaveLength(1);
    expect(events.slice(-3)).toEqual(["answered 1", "answered 2", "answered 3"]);
  });

  test("stands before the first that does not fit, and takes no more than one transaction holds", async () => {
    const sizes: number[] = [];
    let isFirst = true;
    const later: Promise<Stored>[] = [];
    writer = writing(async (batch, join) => {
      if (isFirst) {
        isFirst = false;
        later.push(...Array.from({ length: 300 }, (_, i) => say(`${i}`)));
        later.push(say("elsewhere", { room: other }), say("after it"));
      }
      const joined = join?.(inRoom) ?? [];
      sizes.push(batch.length + joined.length);
      return stores.messages.write([...batch, ...joined]);
    });
    await say("first");
    await Promise.all(later);
    expect(sizes).toEqual([256, 47]);
    expect(textsTold().slice(-2)).toEqual(["after it", "elsewhere"]);
  });

  test("is refused with the others when the store fails", async () => {
    const later: Promise<Refused>[] = [];
    writer = writing(async (_batch, join) => {
      later.push(refusalOf(say("joined")));
      expect(join?.(inRoom)).toHaveLength(1);
      throw new Error("the disk is full");
    });
    expect((await refusalOf(say("first"))).code).toBe("unavailable");
    expect((await later[0])?.code).toBe("unavailable");
    await writer.settled();
    expect(failures).toHaveLength(1);
  });
});

test("when nobody can say what the disk has taken, nobody is answered", async () => {
  writer = writing(async (batch) => {
    await stores.messages.write(batch);
    throw new StorageLost("the disk has failed");
  });
  let answered = 0;
  for (const sent of [say("a"), say("b")])
    void sent.then(
      () => answered++,
      () => answered++,
    );
  await writer.settled();
  await turn();
  expect(answered).toBe(0);
  expect(told).toEqual([]);
  expect(failures).toHaveLength(1);
});

describe("whoever waits until nothing is on its way", () => {
  test("waits for all that was sent", async () => {
    const sent = Array.from({ length: 300 }, (_, i) => say(`${i}`));
    await writer.settled();
    expect(told.at(-1)?.to).toBe(300);
    await Promise.all(sent);
  });

  test("does not wait for what is sent meanwhile", async () => {
    const later: Promise<Stored>[] = [];
    let isOver = false;
    writer = writing((batch) => {
      if (!isOver && later.length < 100) later.push(say("and on"));
      return stores.messages.write(batch);
    });
    void say("first");
    await writer.settled();
    isOver = true;
    expect(textsTold()).toEqual(["first"]);
    await Promise.all(later);
  });

  test("waits for nothing when nothing was sent, or all is done", async () => {
    await writer.settled();
    await say("a");
    await writer.settled();
    expect(told).toHaveLength(1);
  });
});

/** The writer over the real store, whatever happens to it on the way there. */
function writing(write: MessageStore["write"]): Writer {
  [events, told, over, failures] = [[], [], [], []];
  const bus = createMemoryBus();
  bus.subscribe((event) => {
    if (event.type === "sessions.ended") over.push(...event.sessions);
    if (event.type !== "messages.changed") return;
    told.push(event);
    events.push(`told ${event.from}-${event.to}`);
  });
  const store = {
    async write(batch: readonly Write[], join?: Join) {
      const written = await write(batch, join);
      events.push(`${batch.length} stored`);
      return written;
    },
  };
  return writerOver(store, bus, failures);
}

async function say(text: string, more: Partial<Parameters<typeof post>[0]> = {}): Promise<Stored> {
  const key = unique("key") as ClientKey;
  const stored = await writer.write(post({ room, author: ann, key, text, createdAt: 1, ...more }));
  events.push(`answered ${stored.message.rev}`);
  return stored;
}

function textsTold(): string[] {
  return told.flatMap(({ changes }) => changes.map(({ text }) => text));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function refusalOf(sent: Promise<unknown>): Promise<Refused> {
  const refused = await sent.catch((error: unknown) => error);
  if (refused instanceof Refused) return refused;
  throw new Error("it was not refused", { cause: refused });
}
