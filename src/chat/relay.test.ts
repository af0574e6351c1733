import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import { RESUME_FRAME_CHANGES } from "../shared/limits.ts";
import type { ClientKey, RoomId, UserId } from "../shared/ids.ts";
import type { MessageView } from "../shared/protocol.ts";
import { openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { edit, idOf, post, postedOf, remove, scene } from "../testing/stores/scene.ts";
import type { BusEvent, Nodes, RoomPlace, Word, Write } from "./ports.ts";
import { createRelay, type Relay } from "./relay.ts";

type Changed = Extract<BusEvent, { type: "messages.changed" }>;
type Hint = Extract<Word, { type: "messages.changed" }>;

let stores: OpenStores;
let room: RoomPlace;
let ann: UserId;
let relay: Relay;
/** What listeners here were told, and what the other nodes were. */
let told: Changed[];
let words: Word[];
let unserved: RoomId[];
let others: Parameters<Nodes["listen"]>[0];
/** What waits for its time. */
let tasks: { at: number; task: () => void }[];
let now: number;
let reads: number;
let looks: number;
let failures: unknown[];
let broken: Error | null;

beforeAll(async () => {
  stores = await openSqliteStores();
});
afterAll(() => stores.close());

beforeEach(async () => {
  const here = await scene(stores);
  room = { id: here.room, slug: "hall" };
  ann = here.ann.id;
  [told, words, unserved, tasks, failures] = [[], [], [], [], []];
  [now, reads, looks, broken] = [0, 0, 0, null];
  start({
    isReachable: () => true,
    tell: (word) => void words.push(word),
    listen: (listener) => (others = listener),
  });
});

function start(nodes: Nodes | null): void {
  const local = createMemoryBus();
  local.subscribe((event) => {
    if (event.type === "messages.changed") told.push(event);
    if (event.type === "room.unserved") unserved.push(event.roomId);
  });
  const failing = () => {
    if (broken) throw broken;
  };
  relay = createRelay({
    local,
    nodes,
    store: {
      async heads(rooms) {
        looks++;
        failing();
        return stores.messages.heads(rooms);
      },
      async changesSince(...asked) {
        reads++;
        failing();
        return stores.messages.changesSince(...asked);
      },
    },
    after: (milliseconds, task) => void tasks.push({ at: now + milliseconds, task }),
    now: () => now,
    onFailure: (error) => void failures.push(error),
  });
}

/** Time goes by, and everything that was begun in it is done. */
async function wait(milliseconds: number): Promise<void> {
  const end = now + milliseconds;
  for (await settle(); ; await settle()) {
    const due = tasks.toSorted((one, other) => one.at - other.at)[0];
    if (!due || due.at > end) break;
    tasks.splice(tasks.indexOf(due), 1);
    now = Math.max(now, due.at);
    due.task();
  }
  now = end;
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

/** Written through another node. */
async function write(...batch: Write[]): Promise<MessageView[]> {
  return postedOf(await stores.messages.write(batch));
}

const draft = (text: string) =>
  post({ room: room.id, author: ann, key: unique("key") as ClientKey, text, createdAt: 1 });

const say = (count: number) => write(...Array.from({ length: count }, (_, i) => draft(`message ${i + 1}`)));

/** As the node tells it through which it was written. */
function hintOf(changes: readonly MessageView[]): Hint {
  const [first, last] = [changes[0], changes.at(-1)];
  const numbers = { from: (first?.rev ?? 1) - 1, to: last?.rev ?? 0 };
  return { type: "messages.changed", roomId: room.id, room: room.slug, ...numbers, changes: [...changes] };
}

const hint = (changes: readonly MessageView[]) => others(hintOf(changes), "another node");
const numbersOnly = (changes: readonly MessageView[]) =>
  others({ ...hintOf(changes), changes: null }, "another node");
const commitHere = (changes: readonly MessageView[]) =>
  relay.publish({ ...hintOf(changes), changes: [...changes] });

const stretches = () => told.map(({ from, to }) => [from, to]);
const revs = () => told.flatMap(({ changes }) => changes.map(({ rev }) => rev));
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

/** As it is when nobody has written meanwhile. */
async function serve(rev: number): Promise<void> {
  relay.serve(room, rev);
  await wait(10);
  [reads, looks] = [0, 0];
}

describe("what is written through other nodes", () => {
  test("is told here in the moment its hint comes, and nothing is read", async () => {
    await serve(0);
    const [first, second, third] = (await say(3)) as [MessageView, MessageView, MessageView];
    hint([first]);
    hint([second, third]);
    expect(stretches()).toEqual([
      [0, 1],
      [1, 3],
    ]);
    expect(revs()).toEqual([1, 2, 3]);
    expect(told[0]).toMatchObject({ roomId: room.id, room: "hall", changes: [first] });
    await wait(1_000);
    expect(reads).toBe(0);
  });

  test("is told in its order, whatever the order of the hints", async () => {
    await serve(0);
    const [first, second, third] = (await say(3)) as [MessageView, MessageView, MessageView];
    for (const message of [third, second]) hint([message]);
    expect(told).toEqual([]);
    hint([first]);
    expect(revs()).toEqual([1, 2, 3]);
    await wait(1_000);
    expect(reads).toBe(0);
  });

  test("is told once, however often and however late its hint comes again", async () => {
    await serve(0);
    const messages = await say(4);
    hint(messages.slice(0, 2));
    hint(messages.slice(0, 2));
    hint(messages.slice(1, 3));
    expect(revs()).toEqual([1, 2, 3]);
    await wait(30_000);
    hint(messages);
    for (const message of messages) hint([message]);
    expect(revs()).toEqual([1, 2, 3, 4]);
    expect(stretches().at(-1)).toEqual([3, 4]);
  });

  test("is read once where a hint is missing, after a moment in which it could have come", async () => {
    await serve(0);
    const messages = await say(5);
    for (const message of messages.slice(2)) hint([message]);
    await wait(4);
    expect([reads, told.length]).toEqual([0, 0]);
    await wait(1);
    expect(revs()).toEqual([1, 2, 3, 4, 5]);
    expect(reads).toBe(1);
    hint(messages.slice(0, 2));
    await wait(1_000);
    expect([reads, revs().length]).toEqual([1, 5]);
  });

  test("is read where the hint has numbers only", async () => {
    await serve(0);
    const messages = await say(2);
    numbersOnly(messages);
    await settle();
    expect(revs()).toEqual([1, 2]);
    expect(reads).toBe(1);
  });

  test("is told whole while more and more comes in the middle of the reading", async () => {
    await serve(0);
    const messages = await say(6);
    numbersOnly(messages.slice(0, 2));
    hint(messages.slice(4));
    hint(messages.slice(2, 4));
    await wait(100);
    expect(revs()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("comes in frames that readers can take, with turns for others in between", async () => {
    await serve(0);
    const count = 2.5 * RESUME_FRAME_CHANGES;
    numbersOnly(await say(count));
    await settle();
    expect(stretches()).toEqual([[0, RESUME_FRAME_CHANGES]]);
    const [late] = await say(1);
    hint([late as MessageView]);
    expect(told).toHaveLength(1);
    await wait(1_000);
    expect(revs()).toEqual(upTo(count + 1));
    expect(told.map(({ from }) => from)).toEqual([0, ...told.slice(0, -1).map(({ to }) => to)]);
  });

  test("is not told in rooms that nobody follows here", async () => {
    hint(await say(1));
    await wait(1_000);
    expect(told).toEqual([]);
  });
});

describe("in a room that is being written in here", () => {
  test("what comes from others is told with the next that is written here", async () => {
    await serve(0);
    const messages = await say(6);
    commitHere(messages.slice(0, 1));
    hint(messages.slice(1, 3));
    hint(messages.slice(3, 4));
    expect(revs()).toEqual([1]);
    commitHere(messages.slice(4));
    expect(stretches()).toEqual([
      [0, 1],
      [1, 6],
    ]);
    expect(revs()).toEqual(upTo(6));
    await wait(1_000);
    expect([told.length, reads]).toEqual([2, 0]);
  });

  test("it is told after a moment where nothing more is written here", async () => {
    await serve(0);
    const messages = await say(4);
    commitHere(messages.slice(0, 1));
    for (const message of messages.slice(1)) hint([message]);
    await wait(9);
    expect(revs()).toEqual([1]);
    await wait(1);
    expect(stretches().at(-1)).toEqual([1, 4]);
    await wait(20);
    hint(await say(1));
    expect(revs()).toEqual(upTo(5));
    expect(reads).toBe(0);
  });

  test("it does not wait where something written here waits for it", async () => {
    await serve(0);
    const [first, second, third] = (await say(3)) as [MessageView, MessageView, MessageView];
    commitHere([first]);
    commitHere([third]);
    expect(revs()).toEqual([1]);
    hint([second]);
    expect(revs()).toEqual([1, 2, 3]);
  });

  test("what is missing is read all the same", async () => {
    await serve(0);
    const messages = await say(4);
    commitHere(messages.slice(0, 1));
    hint(messages.slice(3));
    await wait(15);
    expect(revs()).toEqual(upTo(4));
    expect(reads).toBe(1);
  });

  test("a frame holds no more than readers can take", async () => {
    await serve(0);
    const messages = await say(2 * RESUME_FRAME_CHANGES);
    commitHere(messages.slice(0, 1));
    for (const message of messages.slice(1, 60)) hint([message]);
    commitHere(messages.slice(60));
    expect(stretches()).toEqual([
      [0, 1],
      [1, 60],
      [60, 2 * RESUME_FRAME_CHANGES],
    ]);
  });
});

describe("while nobody would tell whose rights end", () => {
  const unheard = () => relay.publish({ type: "rights.unheard" });
  const known = () => relay.publish({ type: "rights.known" });

  test("nothing of a private room is told, by hint, by reading or by writing; then all of it", async () => {
    await serve(0);
    const messages = await say(6);
    hint(messages.slice(0, 1));
    unheard();
    hint(messages.slice(1, 2));
    numbersOnly(messages.slice(2, 4));
    commitHere(messages.slice(4));
    await relay.poll([room]);
    await wait(1_000);
    expect(revs()).toEqual([1]);
    expect(reads).toBe(0);
    known();
    await wait(5);
    expect(revs()).toEqual(upTo(6));
  });

  test("a reading that is under way tells nothing more", async () => {
    await serve(0);
    numbersOnly(await say(2.5 * RESUME_FRAME_CHANGES));
    await settle();
    expect(told).toHaveLength(1);
    unheard();
    await wait(1_000);
    expect(told).toHaveLength(1);
    known();
    await wait(1_000);
    expect(revs()).toEqual(upTo(2.5 * RESUME_FRAME_CHANGES));
  });

  test("the public room goes on: everybody may read it", async () => {
    room = { ...room, slug: "public" };
    await serve(0);
    unheard();
    hint(await say(2));
    expect(revs()).toEqual([1, 2]);
  });
});

describe("whoever hears nothing of edits", () => {
  const fresh = () => told.flatMap(({ fresh: news = [] }) => news.map(({ seq, text }) => `${seq} ${text}`));

  test("hears once, and in its place, of a message that was edited before it was read", async () => {
    await serve(0);
    const [first, second] = await say(2);
    await write(edit(idOf(first), ann, "better"));
    numbersOnly(await say(1));
    await wait(10);
    expect(revs()).toEqual([2, 3, 4]);
    expect(fresh()).toEqual(["1 better", `2 ${second?.text}`, "4 message 1"]);
  });

  test("hears of it in its place where it is told in a later frame", async () => {
    await serve(0);
    const [first] = await say(RESUME_FRAME_CHANGES);
    numbersOnly(await write(edit(idOf(first), ann, "better"), draft("last")));
    await wait(10);
    expect(told.length).toBeGreaterThan(1);
    expect(fresh()).toHaveLength(RESUME_FRAME_CHANGES + 1);
    expect([fresh()[0], fresh().at(-1)]).toEqual(["1 better", `${RESUME_FRAME_CHANGES + 2} last`]);
  });

  test("hears nothing of what was removed before, or told before", async () => {
    await serve(0);
    const [first, second] = await say(2);
    hint([first as MessageView]);
    told.splice(0);
    numbersOnly(await write(edit(idOf(first), ann, "better"), remove(idOf(second), ann), draft("last")));
    await wait(10);
    expect(revs()).toEqual([3, 4, 5]);
    expect(fresh()).toEqual(["5 last"]);
  });
});

describe("what is written here", () => {
  test("is told here at once, and then to the others", async () => {
    await serve(0);
    const messages = await say(2);
    commitHere(messages);
    expect(revs()).toEqual([1, 2]);
    expect(words).toEqual([hintOf(messages)]);
  });

  test("waits for what was written before it through another node", async () => {
    await serve(0);
    const [first, second] = (await say(2)) as [MessageView, MessageView];
    commitHere([second]);
    expect(told).toEqual([]);
    hint([first]);
    expect(revs()).toEqual([1, 2]);
    expect(reads).toBe(0);
  });

  test("is told in rooms that nobody follows as well", async () => {
    commitHere(await say(1));
    expect(revs()).toEqual([1]);
    expect(words).toHaveLength(1);
  });

  test("is hinted at by its numbers when it is long", async () => {
    await serve(0);
    const long = await write(...Array.from({ length: 40 }, () => draft("x".repeat(1_000))));
    commitHere(long);
    expect(revs()).toEqual(upTo(40));
    expect(words).toEqual([{ ...hintOf(long), changes: null }]);
  });

  test("that is no message stays here", async () => {
    relay.publish({ type: "sessions.ended", sessions: [] });
    expect(words).toEqual([]);
  });
});

describe("rooms that are followed", () => {
  test("are looked at when the first comes, together, and not again for the next at the same number", async () => {
    const other = { id: await stores.addRoom(unique("room")), slug: "other" };
    await say(2);
    relay.serve(room, 1);
    relay.serve(other, 0);
    relay.serve(room, 1);
    await wait(10);
    expect(revs()).toEqual([2]);
    expect([looks, reads]).toEqual([1, 1]);
    relay.serve(room, 2);
    await wait(10);
    expect(looks).toBe(1);
  });

  test("are told from one number on, which whoever is let in at another one hears, and nothing twice", async () => {
    await say(3);
    expect([relay.serve(room, 2), relay.serve(room, 3), relay.serve(room, 1)]).toEqual([2, 2, 2]);
    await wait(10);
    expect(stretches()).toEqual([[2, 3]]);
    expect(relay.serve(room, 2)).toBe(3);
    hint(await say(1));
    await wait(10);
    expect(stretches()).toEqual([
      [2, 3],
      [3, 4],
    ]);
    expect(relay.serve(room, 4)).toBe(4);
  });

  test("catch up with whoever is let in at a number that is not told yet, with no further question", async () => {
    await serve(0);
    const messages = await say(3);
    hint(messages.slice(0, 1));
    expect(relay.serve(room, 3)).toBe(1);
    hint(messages.slice(1, 2));
    await wait(5);
    expect(revs()).toEqual([1, 2, 3]);
    expect([looks, reads]).toEqual([0, 1]);
  });

  test("are forgotten when a poll does not name them any more, which is told here", async () => {
    await serve(0);
    hint(await say(1));
    expect(revs()).toEqual([1]);
    await relay.poll([room]);
    expect(unserved).toEqual([]);
    await relay.poll([]);
    expect(unserved).toEqual([room.id]);
    hint(await say(1));
    await wait(100);
    expect(revs()).toEqual([1]);
    await relay.poll([]);
    expect(unserved).toHaveLength(1);
    expect(relay.serve(room, 2)).toBe(2);
  });

  test("tell nothing of what waited when they were forgotten, to those who come after", async () => {
    await serve(0);
    const messages = await say(2);
    commitHere(messages.slice(0, 1));
    hint(messages.slice(1));
    await relay.poll([]);
    relay.serve(room, 2);
    await wait(100);
    expect(stretches()).toEqual([[0, 1]]);
  });

  test("tell nothing of what waited for rights to be known, either", async () => {
    await serve(0);
    relay.publish({ type: "rights.unheard" });
    const messages = await say(2);
    hint(messages);
    await relay.poll([]);
    relay.serve(room, 2);
    relay.publish({ type: "rights.known" });
    await wait(100);
    expect(told).toEqual([]);
  });

  test("that are removed are told of nothing more", async () => {
    await serve(0);
    relay.publish({ type: "room.removed", roomId: room.id, room: room.slug });
    hint(await say(1));
    await wait(100);
    expect(told).toEqual([]);
  });
});

describe("a poll", () => {
  test("finds what no hint has told of, with one question for all rooms", async () => {
    start(null);
    const other = { id: await stores.addRoom(unique("room")), slug: "other" };
    relay.serve(room, 0);
    relay.serve(other, 0);
    await wait(10);
    looks = 0;
    await say(3);
    await relay.poll([room, other]);
    await wait(5);
    expect(revs()).toEqual([1, 2, 3]);
    expect([looks, reads]).toEqual([1, 1]);
    await relay.poll([room, other]);
    await wait(5);
    expect([looks, reads]).toEqual([2, 1]);
  });

  test("reads nothing that its hint or its writer tells a moment later", async () => {
    await serve(0);
    const messages = await say(2);
    await relay.poll([room]);
    hint(messages);
    await wait(100);
    expect(revs()).toEqual([1, 2]);
    expect(reads).toBe(0);
  });

  test("goes on after the database was away, which is told once", async () => {
    await serve(0);
    const messages = await say(2);
    broken = new Error("the database is away");
    for (let i = 0; i < 3; i++) await relay.poll([room]);
    numbersOnly(messages);
    await wait(100);
    expect(failures).toEqual([broken]);
    expect(told).toEqual([]);
    broken = null;
    await relay.poll([room]);
    await wait(5);
    expect(revs()).toEqual([1, 2]);
    broken = new Error("away again");
    await relay.poll([room]);
    expect(failures).toHaveLength(2);
  });

  test("does not go on asking for numbers that the database has never given", async () => {
    await serve(0);
    const [first] = await say(1);
    numbersOnly([{ ...(first as MessageView), rev: 900 }]);
    await wait(1_000);
    expect(revs()).toEqual([1]);
    expect(reads).toBeLessThan(4);
    hint(await say(1));
    expect(revs()).toEqual([1, 2]);
  });
});

test("somebody who writes on another node is told of here, and changes nothing else", () => {
  const local = createMemoryBus();
  const heard: BusEvent[] = [];
  local.subscribe((event) => void heard.push(event));
  let listener: typeof others = () => {};
  createRelay({
    local,
    nodes: { isReachable: () => true, tell() {}, listen: (given) => (listener = given) },
    store: stores.messages,
    after() {},
    now: () => now,
    onFailure() {},
  });
  const typing: Word = { type: "typing", roomId: room.id, room: room.slug, name: "ann" };
  listener(typing, "another node");
  listener({ type: "presence.asked" }, "another node");
  expect(heard.splice(0)).toEqual([typing]);

  local.publish({ type: "rights.unheard" });
  listener(typing, "another node");
  expect(heard).toEqual([{ type: "rights.unheard" }]);
});
