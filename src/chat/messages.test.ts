import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Account } from "../accounts/ports.ts";
import { createMemoryBus } from "../bus/memory.ts";
import { createMemoryLimit } from "../limits/memory.ts";
import type { ClientKey, MessageId } from "../shared/ids.ts";
import { PAGE_SIZE } from "../shared/limits.ts";
import { actorIn, addAccount, openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { writerOver } from "../testing/stores/writer.ts";
import { createAccess, type Member, type Reader } from "./access.ts";
import { createMessages, type Messages } from "./messages.ts";
import type { BusEvent } from "./ports.ts";
import { Refused } from "./refusal.ts";

const MAX_LENGTH = 1000;

let stores: OpenStores;
let slug: string;
let ann: Member;
let bob: Member;
let messages: Messages;
let published: BusEvent[];
let failures: unknown[];
let now: number;

beforeAll(async () => {
  stores = await openSqliteStores();
});
afterAll(() => stores.close());

beforeEach(async () => {
  slug = unique("room");
  await stores.addRoom(slug);
  [ann, bob] = [await memberOf(await addAccount(stores)), await memberOf(await addAccount(stores))];
  now = 1_795_339_770_247;
  messages = chatWith({ points: 1_000_000 });
});

describe("a message", () => {
  test("is stored without outer white space, at the time of the clock", async () => {
    const { message, repeat } = await messages.post(ann, draft("  hello\nthere \n"));
    expect(message).toMatchObject({ text: "hello\nthere", createdAt: now, seq: 1, rev: 1 });
    expect(repeat).toBe(false);
    expect(await textsOfRoom()).toEqual(["hello\nthere"]);
  });

  test("is published once, as the very change that its sender is answered with", async () => {
    await messages.post(ann, draft("first"));
    published = [];
    const { message } = await messages.post(bob, draft("second"));
    const numbers = { from: 1, to: 2 };
    expect(published).toEqual([
      { type: "messages.changed", roomId: ann.room.id, room: slug, ...numbers, changes: [message] },
    ]);
  });

  test("is on stable storage by the time it is published", async () => {
    const bus = createMemoryBus();
    const stored: Promise<string[]>[] = [];
    bus.subscribe(() => void stored.push(textsOfRoom()));
    await chatWith({ bus }).post(ann, draft("hello"));
    expect(await Promise.all(stored)).toEqual([["hello"]]);
  });

  test("keeps its place when the clock steps back", async () => {
    await messages.post(ann, draft("first"));
    now -= 60_000;
    await messages.post(ann, draft("second"));
    expect(await textsOfRoom()).toEqual(["first", "second"]);
  });

  test("of those sent at once keeps its sender's order", async () => {
    const texts = Array.from({ length: 20 }, (_, i) => `${i}`);
    await Promise.all(texts.map((text) => messages.post(ann, draft(text))));
    expect(await textsOfRoom()).toEqual(texts);
    expect(published).toMatchObject([{ type: "messages.changed", from: 0, to: 20 }]);
  });
});

describe("a text is refused, not stored and not published,", () => {
  test.each([
    ["blank", "nothing", ""],
    ["blank", "only white space", " \n\t\u3000\u0085\u001f"],
    ["too_long", "1001 characters", "x".repeat(MAX_LENGTH + 1)],
    ["too_long", "1001 emoji", "😀".repeat(MAX_LENGTH + 1)],
    ["bad_characters", "a NUL", "a\0b"],
    ["bad_characters", "half a pair", "a\ud83d"],
  ] as const)("as %s when it is %s", async (code, _, text) => {
    await messages.post(ann, draft(".".repeat(MAX_LENGTH)));
    published = [];
    expect(await refusalOf(messages.post(ann, draft(text)))).toMatchObject({ code, retryable: false });
    expect(published).toEqual([]);
    expect(await textsOfRoom()).toHaveLength(1);
  });

  test("but not when it is as long as allowed, white space around it not counted", async () => {
    const text = "😀".repeat(MAX_LENGTH);
    expect((await messages.post(ann, draft(`  ${text}\n`))).message.text).toBe(text);
  });
});

describe("the rate", () => {
  test("lets so many messages through, and says when the next one may come", async () => {
    const limited = chatWith({ points: 2, windowSeconds: 10 });
    await limited.post(ann, draft("1"));
    await limited.post(ann, draft("2"));
    published = [];
    const refused = await refusalOf(limited.post(ann, draft("3")));
    expect(refused).toMatchObject({ code: "rate_limited", retryable: true });
    expect(refused.retryAfterSeconds).toBeWithin(1, 11);
    expect(published).toEqual([]);
    expect(await textsOfRoom()).toEqual(["1", "2"]);
  });

  test("is each person's own, over all rooms", async () => {
    const limited = chatWith({ points: 1 });
    await limited.post(ann, draft("1"));
    await limited.post(bob, draft("2"));
    slug = unique("room");
    await stores.addRoom(slug);
    const elsewhere = await memberOf({ id: ann.author, name: "ann" });
    expect(await refusalOf(limited.post(elsewhere, draft("3")))).toMatchObject({ code: "rate_limited" });
  });

  test("does not count a text that may not be sent anyway", async () => {
    const limited = chatWith({ points: 1 });
    for (const text of ["", "x".repeat(MAX_LENGTH + 1), "\ud83d"])
      await refusalOf(limited.post(ann, draft(text)));
    expect((await limited.post(ann, draft("hello"))).message.text).toBe("hello");
    expect(await refusalOf(limited.post(ann, draft("again")))).toMatchObject({ code: "rate_limited" });
  });
});

describe("a message sent again", () => {
  test("is answered as the first time, marked as a repeat, and not published", async () => {
    const sent = draft("hello");
    const first = await messages.post(ann, sent);
    await messages.post(bob, draft("between"));
    published = [];
    now += 60_000;
    expect(await messages.post(ann, sent)).toEqual({ ...first, repeat: true });
    expect(await messages.post(ann, { ...sent, text: " hello " })).toEqual({ ...first, repeat: true });
    expect(published).toEqual([]);
    expect(await textsOfRoom()).toEqual(["hello", "between"]);
  });

  test("50 times at once is stored and published once", async () => {
    const sent = draft("hello");
    const posted = await Promise.all(Array.from({ length: 50 }, () => messages.post(ann, sent)));
    expect(posted.filter(({ repeat }) => !repeat)).toHaveLength(1);
    expect(new Set(posted.map(({ message }) => message.seq))).toEqual(new Set([1]));
    expect(published).toHaveLength(1);
  });

  test("with another text is refused, and so is its key in another room", async () => {
    const sent = draft("hello");
    await messages.post(ann, sent);
    published = [];
    expect(await refusalOf(messages.post(ann, { ...sent, text: "other" }))).toMatchObject({
      code: "key_reused",
      retryable: false,
    });
    slug = unique("room");
    await stores.addRoom(slug);
    const elsewhere = await memberOf({ id: ann.author, name: "ann" });
    expect(await refusalOf(messages.post(elsewhere, sent))).toMatchObject({ code: "key_reused" });
    expect(published).toEqual([]);
    expect(await textsOfRoom()).toEqual([]);
  });

  test("by somebody else with the same key is another message", async () => {
    const sent = draft("hello");
    await messages.post(ann, sent);
    expect(await messages.post(bob, { ...sent, text: "mine" })).toMatchObject({
      repeat: false,
      message: { seq: 2 },
    });
  });
});

describe("another text for a message", () => {
  const write = async (text = "first") => (await messages.post(ann, draft(text))).message;
  const actor = ({ author: id, session }: Member) =>
    ({ kind: "member", id, name: "ann", session, rank: "user" }) as const;

  test("is checked like a message, and is a change of the same place that all are told of", async () => {
    const { id, seq, rev } = await write();
    published = [];
    now += 60_000;
    const { message, repeat } = await messages.edit(actor(ann), id as MessageId, " second\n");
    expect(repeat).toBe(false);
    expect(message).toMatchObject({ id, seq, rev: rev + 1, text: "second", editedAt: now });
    const told = { roomId: ann.room.id, room: slug, from: rev, to: rev + 1, changes: [message] };
    expect(published).toEqual([{ type: "messages.changed", ...told }]);
    for (const [code, text] of [
      ["blank", " "],
      ["too_long", "x".repeat(MAX_LENGTH + 1)],
      ["bad_characters", "a\0b"],
    ] as const)
      expect(await refusalOf(messages.edit(actor(ann), id as MessageId, text))).toMatchObject({ code });
    expect(await textsOfRoom()).toEqual(["second"]);
  });

  test("is its author's alone, and not a guest's", async () => {
    const id = (await write()).id as MessageId;
    const codes = [
      (await refusalOf(messages.edit(actor(bob), id, "mine"))).code,
      (await refusalOf(messages.edit({ kind: "guest" }, id, "mine"))).code,
    ];
    expect(codes).toEqual(["forbidden", "login_required"]);
    expect(await messages.rights(actor(ann), id)).toEqual({ mayEdit: true, mayRemove: true });
    expect(await messages.rights(actor(bob), id)).toEqual({ mayEdit: false, mayRemove: false });
    expect(await messages.rights({ kind: "guest" }, id)).toEqual({ mayEdit: false, mayRemove: false });
    expect(await textsOfRoom()).toEqual(["first"]);
  });

  test("counts as often as a message does", async () => {
    const id = (await write()).id as MessageId;
    const limited = chatWith({ points: 1 });
    await limited.edit(actor(ann), id, "second");
    expect(await refusalOf(limited.edit(actor(ann), id, "third"))).toMatchObject({ code: "rate_limited" });
    expect(await refusalOf(limited.post(ann, draft("more")))).toMatchObject({ code: "rate_limited" });
  });

  test("has its place among what its author sends, and so has a removal", async () => {
    const [one, two] = [(await write("one")).id as MessageId, (await write("two")).id as MessageId];
    published = [];
    const placed = [
      await messages.submitRemoval(actor(ann), one),
      await messages.submitEdit(actor(ann), two, "better"),
      await messages.submit(ann, draft("three")),
    ];
    const done = await Promise.all(placed.map(({ stored }) => stored));
    expect(done.map(({ message }) => [message.seq, message.rev])).toEqual([
      [1, 3],
      [2, 4],
      [5, 5],
    ]);
    expect(published).toHaveLength(1);
  });
});

test("what could not be stored is neither acknowledged nor published", async () => {
  const broken = await openSqliteStores();
  await broken.addRoom(slug);
  const carl = await memberOf(await addAccount(broken), broken);
  const chat = chatWith({ store: broken.messages });
  expect(await chat.post(carl, draft("stored"))).toMatchObject({ repeat: false });
  published = [];
  await broken.close();
  expect(await refusalOf(chat.post(carl, draft("lost")))).toMatchObject({
    code: "unavailable",
    retryable: true,
  });
  expect(published).toEqual([]);
  expect(failures).toHaveLength(1);
});

describe("reading", () => {
  test("gives the newest page, the pages before it, and a message among its neighbours", async () => {
    for (let i = 1; i <= PAGE_SIZE + 2; i++) await messages.post(ann, draft(`${i}`));
    const reader = await readerOf(slug);
    const latest = await messages.latest(reader);
    expect(latest.messages).toHaveLength(PAGE_SIZE);
    expect(latest).toMatchObject({ previousAt: now, head: PAGE_SIZE + 2 });

    const first = latest.messages[0];
    const older = await messages.page(reader, { before: first?.id });
    expect(older.messages.map(({ text }) => text)).toEqual(["1", "2"]);
    expect(older).toMatchObject({ previousAt: null });
    expect((await messages.page(reader, { limit: 3 })).messages.map(({ text }) => text)).toEqual([
      "50",
      "51",
      "52",
    ]);

    const around = await messages.around(reader, first?.id as MessageId);
    expect(around.messages).toContainEqual(first as never);
  });

  test("of a message that is not in the room is refused, whether it exists or not", async () => {
    const { message } = await messages.post(ann, draft("hello"));
    const id = message.id as MessageId;
    const reader = await readerOf(slug);
    expect((await messages.around(reader, id)).messages).toHaveLength(1);
    const missing = (id + 1_000_000) as MessageId;
    expect(await refusalOf(messages.around(reader, missing))).toMatchObject({ code: "not_found" });
    const other = unique("room");
    await stores.addRoom(other);
    expect(await refusalOf(messages.around(await readerOf(other), id))).toMatchObject({ code: "not_found" });
  });
});

/** The chat over the real store, bus and limiter. */
function chatWith({
  points = 1_000_000,
  windowSeconds = 10,
  bus = createMemoryBus(),
  store = stores.messages,
}): Messages {
  [published, failures] = [[], []];
  bus.subscribe((event) => void published.push(event));
  const rate = createMemoryLimit(points, windowSeconds);
  return createMessages({
    store,
    writer: writerOver(store, bus, failures),
    access: createAccess(stores.rooms),
    clock: { now: () => now },
    rate,
    maxLength: MAX_LENGTH,
  });
}

async function memberOf(account: Pick<Account, "id" | "name">, there = stores): Promise<Member> {
  return createAccess(there.rooms).member(await actorIn(there, slug, account), slug);
}

async function readerOf(room: string): Promise<Reader> {
  return createAccess(stores.rooms).reader(await actorIn(stores, room), room);
}

function draft(text: string) {
  return { key: unique("key") as ClientKey, text };
}

async function textsOfRoom(): Promise<string[]> {
  const room = (await stores.rooms.entry(slug, null))?.room;
  if (!room) throw new Error(`there is no room ${slug}`);
  const { messages: stored } = await stores.messages.page(room.id, { limit: 1000 });
  return stored.map(({ text }) => text);
}

async function refusalOf(promise: Promise<unknown>): Promise<Refused> {
  const refused = await promise.catch((error: unknown) => error);
  if (refused instanceof Refused) return refused;
  throw new Error("it was not refused", { cause: refused });
}
