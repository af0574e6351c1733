/**
 * What every implementation of the ports of chat and accounts must do, and real stores in a temporary file for the
 * tests of whoever uses them.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import type { Account, AccountStore, SessionStore } from "../accounts/ports.ts";
import type { Appended, MessageStore, NewMessage, Page, RoomStore } from "../chat/ports.ts";
import { createAccountStore, createSessionStore } from "../db/sqlite/accounts.ts";
import { createMessageStore } from "../db/sqlite/messages.ts";
import { openSqlite } from "../db/sqlite/open.ts";
import { createRoomStore } from "../db/sqlite/rooms.ts";
import { rooms, users } from "../db/sqlite/schema.ts";
import { MIGRATIONS } from "../resources.ts";
import type { ClientKey, MessageId, RoomId, SessionId, UserId } from "../shared/ids.ts";
import type { MessageView } from "../shared/protocol.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";

/** The stores of one database, and what no port can do. */
export interface OpenStores {
  accounts: AccountStore;
  sessions: SessionStore;
  rooms: RoomStore;
  messages: MessageStore;
  addRoom(slug: string): Promise<RoomId>;
  disableAccount(id: UserId): Promise<void>;
  removeAccount(id: UserId): Promise<void>;
  /** The same database as after a restart of the program; these stores are closed. */
  reopen(): Promise<OpenStores>;
  /** Closes the database and takes it away. */
  close(): Promise<void>;
}

/** An empty SQLite database in a file of its own. */
export async function openSqliteStores(
  folder = mkdtempSync(join(tmpdir(), "echochat-")),
): Promise<OpenStores> {
  const db = openSqlite(join(folder, "echochat.sqlite"), MIGRATIONS, Date.now());
  return {
    accounts: createAccountStore(db),
    sessions: createSessionStore(db),
    rooms: createRoomStore(db),
    messages: createMessageStore(db),
    async addRoom(slug) {
      return db.insert(rooms).values({ slug, name: slug, createdAt: 0 }).returning().get().id;
    },
    async disableAccount(id) {
      db.update(users).set({ isActive: false }).where(eq(users.id, id)).run();
    },
    async removeAccount(id) {
      db.delete(users).where(eq(users.id, id)).run();
    },
    async reopen() {
      db.$client.close();
      return openSqliteStores(folder);
    },
    async close() {
      db.$client.close();
      rmSync(folder, { recursive: true });
    },
  };
}

let made = 0;

/** A text that no other call gives: names, slugs and keys that never clash. */
export function unique(prefix: string): string {
  made += 1;
  return `${prefix}-${made.toString().padStart(8, "0")}`;
}

export async function addAccount(
  { accounts }: Pick<OpenStores, "accounts">,
  name = unique("ann"),
): Promise<Account> {
  const account = await accounts.create({
    name,
    nameKey: name.toLowerCase(),
    passwordHash: "none",
    createdAt: 1,
  });
  if (!account) throw new Error(`the name ${name} is taken`);
  return account;
}

/** The suite. `open` gives an empty database, each time another one. */
export function describeMessageStore(name: string, open: () => Promise<OpenStores>): void {
  describe(`the stores of ${name}`, () => {
    let stores: OpenStores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    describe("appending messages", () => appending(() => stores));
    describe("reading pages", () => paging(() => stores));
    describe("reading around a message", () => aroundMessage(() => stores));
    describe("reading what has changed", () => changing(() => stores));
    describe("the history's name", () => naming(open));
    describe("rooms", () => findingRooms(() => stores));
    describe("accounts", () => keepingAccounts(() => stores));
    describe("sessions", () => keepingSessions(() => stores));
  });
}

function appending(stores: () => OpenStores): void {
  test("numbers a room's messages from 1 on, in the order of the batch", async () => {
    const { messages, room, say } = await scene(stores());
    expect(numbersOf(await messages.append([say("a"), say("b")]))).toEqual([1, 2]);
    expect(numbersOf(await messages.append([say("c")]))).toEqual([3]);
    const { changes, head } = await changesOf(messages, room);
    expect(changes.map(({ text, seq, rev }) => [text, seq, rev])).toEqual([
      ["a", 1, 1],
      ["b", 2, 2],
      ["c", 3, 3],
    ]);
    expect(head).toBe(3);
  });

  test("gives ids that rise with the numbers", async () => {
    const { messages, say } = await scene(stores());
    const ids = postedOf(await messages.append([say("a"), say("b"), say("c")])).map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(3);
  });

  test("numbers each room for itself, within one batch too", async () => {
    const { messages, room, other, say } = await scene(stores());
    const batch = [say("a"), say("b", { room: other }), say("c"), say("d", { room: other })];
    expect(numbersOf(await messages.append(batch))).toEqual([1, 1, 2, 2]);
    expect((await changesOf(messages, room)).changes.map(({ text }) => text)).toEqual(["a", "c"]);
    expect((await changesOf(messages, other)).changes.map(({ text }) => text)).toEqual(["b", "d"]);
  });

  test("answers with exactly what readers will get", async () => {
    const { messages, room, ann, say } = await scene(stores());
    const posted = postedOf(
      await messages.append([say("hello", { createdAt: 1_795_339_770_247 }), say("again")]),
    );
    expect((await changesOf(messages, room)).changes).toEqual(posted);
    expect(posted[0]).toMatchObject({
      author: ann.name,
      avatar: null,
      text: "hello",
      createdAt: 1_795_339_770_247,
    });
  });

  test("shows a sender's key to live readers only", async () => {
    const { messages, room, say } = await scene(stores());
    const draft = say("hello");
    const [posted] = postedOf(await messages.append([draft]));
    expect(posted?.key).toBe(draft.key);
    const { messages: shown } = await messages.page(room, { limit: 1 });
    expect(shown[0]?.text).toBe("hello");
    expect(shown[0]?.key).toBeUndefined();
  });

  test("of nothing changes nothing", async () => {
    const { messages, room } = await scene(stores());
    expect(await messages.append([])).toEqual([]);
    expect((await changesOf(messages, room)).head).toBe(0);
  });

  test("keeps a text as it was sent", async () => {
    const { messages, room, say } = await scene(stores());
    // What the rules of the chat let through: no NUL, no half of a pair.
    const units = fc.array(fc.integer({ min: 1, max: 0xffff }));
    const texts = fc.sample(units, 200).map((all) => String.fromCharCode(...all).toWellFormed());
    texts.push(
      "  ' \" \\ %s $1 ?1 :a \r\n\t",
      "'; DROP TABLE messages; --",
      "e\u0301 é 😀 \u{10ffff} \ufeff",
    );
    await messages.append(texts.map((text) => say(text)));
    expect((await changesOf(messages, room)).changes.map(({ text }) => text)).toEqual(texts);
  });

  test("a message again is a repeat: the same answer, stored once", async () => {
    const { messages, room, say } = await scene(stores());
    const draft = say("hello");
    const [first] = await messages.append([draft]);
    await messages.append([say("between")]);
    const [again] = await messages.append([{ ...draft, createdAt: draft.createdAt + 1000 }]);
    expect(first?.outcome).toBe("appended");
    expect(again).toEqual({ ...first, outcome: "repeated" } as Appended);
    expect((await changesOf(messages, room)).head).toBe(2);
  });

  test("a key again with another text is refused and takes no number", async () => {
    const { messages, room, say } = await scene(stores());
    const draft = say("hello");
    expect(outcomesOf(await messages.append([draft]))).toEqual(["appended"]);
    for (const text of ["hello!", "Hello", "hello ", "héllo"]) {
      expect(await messages.append([{ ...draft, text }])).toEqual([{ outcome: "key_reused" }]);
    }
    const { changes, head } = await changesOf(messages, room);
    expect([head, changes[0]?.text]).toEqual([1, "hello"]);
  });

  test("a key again in another room is refused", async () => {
    const { messages, other, say } = await scene(stores());
    const draft = say("hello");
    expect(outcomesOf(await messages.append([draft]))).toEqual(["appended"]);
    expect(await messages.append([{ ...draft, room: other }])).toEqual([{ outcome: "key_reused" }]);
    expect((await changesOf(messages, other)).head).toBe(0);
  });

  test("a key again within its own batch is a repeat, or refused", async () => {
    const { messages, room, say } = await scene(stores());
    const draft = say("hello");
    const results = await messages.append([draft, say("between"), draft, { ...draft, text: "other" }]);
    expect(outcomesOf(results)).toEqual(["appended", "appended", "repeated", "key_reused"]);
    expect(numbersOf(results)).toEqual([1, 2, 1]);
    expect((await changesOf(messages, room)).changes.map(({ text }) => text)).toEqual(["hello", "between"]);
  });

  test("two authors may use one key", async () => {
    const { messages, bob, say } = await scene(stores());
    const draft = say("hello");
    const results = await messages.append([draft, { ...draft, author: bob.id, text: "mine" }]);
    expect(outcomesOf(results)).toEqual(["appended", "appended"]);
    expect(postedOf(results)[1]?.author).toBe(bob.name);
  });

  test("keys that differ in case only are two keys", async () => {
    const { messages, say } = await scene(stores());
    const key = unique("key") as ClientKey;
    const other = key.toUpperCase() as ClientKey;
    expect(outcomesOf(await messages.append([say("a", { key }), say("b", { key: other })]))).toEqual([
      "appended",
      "appended",
    ]);
  });

  test.each([
    ["an author", { author: 1_000_000_000 as UserId }],
    ["a room", { room: 1_000_000_000 as RoomId }],
  ])("a batch with %s that does not exist is stored not at all", async (_, wrong) => {
    const { messages, room, say } = await scene(stores());
    const good = say("good");
    expect(await rejects(messages.append([good, say("bad", wrong), say("after")]))).toBe(true);
    expect(await changesOf(messages, room)).toEqual({ head: 0, changes: [] });
    expect(numbersOf(await messages.append([good]))).toEqual([1]);
  });

  test("100 batches at once get the numbers 1 to n, each batch in its order", async () => {
    const { messages, room, ann, bob, say } = await scene(stores());
    const batches = Array.from({ length: 100 }, (_, batch) =>
      Array.from({ length: 1 + (batch % 5) }, (_item, i) =>
        say(`${batch}.${i}`, { author: batch % 2 === 0 ? ann.id : bob.id }),
      ),
    );
    const results = await Promise.all(batches.map((batch) => messages.append(batch)));

    const count = batches.flat().length;
    const all = results.flatMap(postedOf);
    expect(all.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: count }, (_, i) => i + 1),
    );
    for (const [i, result] of results.entries()) {
      const numbers = numbersOf(result);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(postedOf(result).map(({ text }) => text)).toEqual(batches[i]?.map(({ text }) => text) ?? []);
    }
    const { head, changes } = await changesOf(messages, room);
    expect(head).toBe(count);
    expect(changes).toEqual(all.toSorted((a, b) => a.seq - b.seq));
  });

  test("one message sent 50 times at once is stored once", async () => {
    const { messages, room, say } = await scene(stores());
    const draft = say("hello");
    const results = await Promise.all(Array.from({ length: 50 }, () => messages.append([draft])));
    const outcomes = outcomesOf(results.flat());
    expect(outcomes.filter((outcome) => outcome === "appended")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "repeated")).toHaveLength(49);
    expect(new Set(results.flatMap(numbersOf))).toEqual(new Set([1]));
    expect((await changesOf(messages, room)).head).toBe(1);
  });

  test("an author who is gone leaves the messages, under the name that they had", async () => {
    const { messages, room, say } = await scene(stores());
    const carl = await addAccount(stores());
    await messages.append([say("hello", { author: carl.id })]);
    await stores().removeAccount(carl.id);
    const { messages: shown } = await messages.page(room, { limit: 1 });
    expect(shown[0]).toMatchObject({ author: carl.name, avatar: null, text: "hello" });
  });
}

function paging(stores: () => OpenStores): void {
  test("gives the newest messages in ascending order", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 5);
    const page = await messages.page(room, { limit: 3 });
    expect(textsOf(page)).toEqual(["3", "4", "5"]);
    expect(page).toMatchObject({ previousAt: posted[1]?.createdAt, hasNewer: false, head: 5 });
  });

  test("of an empty room gives nothing", async () => {
    const { messages, room } = await scene(stores());
    expect(await messages.page(room, { limit: 3 })).toEqual({
      messages: [],
      previousAt: null,
      hasNewer: false,
      head: 0,
    });
  });

  test("knows that nothing comes before the first message", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 3);
    expect((await messages.page(room, { limit: 2 })).previousAt).toBe(posted[0]?.createdAt ?? Number.NaN);
    expect((await messages.page(room, { limit: 3 })).previousAt).toBeNull();
    expect((await messages.page(room, { limit: 4 })).previousAt).toBeNull();
  });

  test("before a message goes on where the page after it began", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 7);
    const pages: Page[] = [await messages.page(room, { limit: 3 })];
    for (let first = pages[0]; first?.previousAt !== null; first = pages.at(-1)) {
      pages.push(await messages.page(room, { before: first?.messages[0]?.id, limit: 3 }));
    }
    expect(pages.map(textsOf)).toEqual([["5", "6", "7"], ["2", "3", "4"], ["1"]]);
    expect(pages.map(({ previousAt }) => previousAt)).toEqual([
      posted[3]?.createdAt,
      posted[0]?.createdAt,
      null,
    ] as never);
    expect(pages.map(({ hasNewer }) => hasNewer)).toEqual([false, true, true]);
  });

  test("before the first message is empty, with newer ones after it", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 2);
    const page = await messages.page(room, { before: posted[0]?.id, limit: 3 });
    expect(page).toEqual({ messages: [], previousAt: null, hasNewer: true, head: 2 });
  });

  test("before an id beyond the last is the newest page", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 3);
    const beyond = (posted[2]?.id ?? 0) + 1;
    const newest = await messages.page(room, { limit: 2 });
    expect(textsOf(newest)).toEqual(["2", "3"]);
    for (const before of [beyond, beyond + 1_000_000, Number.MAX_SAFE_INTEGER, undefined]) {
      expect(await messages.page(room, { before, limit: 2 })).toEqual(newest);
    }
  });

  test("shows nothing of other rooms, in whatever order they were written", async () => {
    const { messages, room, other, say } = await scene(stores());
    const batch = ["a", "b", "c", "d"].map((text, i) =>
      say(text, { room: i % 2 === 0 ? room : other, createdAt: i }),
    );
    const posted = postedOf(await messages.append(batch));
    expect(textsOf(await messages.page(room, { limit: 10 }))).toEqual(["a", "c"]);
    expect(textsOf(await messages.page(other, { limit: 10 }))).toEqual(["b", "d"]);
    const page = await messages.page(room, { before: posted[3]?.id, limit: 1 });
    expect(page).toMatchObject({ previousAt: 0, hasNewer: false });
    expect(textsOf(page)).toEqual(["c"]);
  });

  test("orders by place and never by time", async () => {
    const { messages, room, say } = await scene(stores());
    await messages.append([
      say("a", { createdAt: 3000 }),
      say("b", { createdAt: 1000 }),
      say("c", { createdAt: 2000 }),
    ]);
    expect(textsOf(await messages.page(room, { limit: 3 }))).toEqual(["a", "b", "c"]);
  });
}

function aroundMessage(stores: () => OpenStores): void {
  test("gives it in the middle of its neighbours", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 9);
    const page = await messages.around(room, idOf(posted[4]), 5);
    expect(page && textsOf(page)).toEqual(["3", "4", "5", "6", "7"]);
    expect(page).toMatchObject({ previousAt: posted[1]?.createdAt, hasNewer: true, head: 9 });
  });

  test("gives a page without a gap that holds it, wherever it stands", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 6);
    for (const limit of [1, 2, 3, 4, 5, 6, 20]) {
      for (const message of posted) {
        const page = await messages.around(room, idOf(message), limit);
        const places = page?.messages.map(({ seq }) => seq) ?? [];
        const [first = 0, last = 0] = [places[0], places.at(-1)];
        expect(places).toContain(message.seq);
        expect(places.length).toBeLessThanOrEqual(limit);
        expect(places).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i));
        expect(page?.previousAt).toBe(first === 1 ? null : first - 1);
        expect(page?.hasNewer).toBe(last < 6);
        expect(page?.head).toBe(6);
      }
    }
  });

  test("of the first begins with it, and of the last ends with it", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 6);
    const first = await messages.around(room, idOf(posted[0]), 4);
    expect(first?.messages[0]?.text).toBe("1");
    expect(first).toMatchObject({ previousAt: null, hasNewer: true });
    const last = await messages.around(room, idOf(posted[5]), 4);
    expect(last?.messages.at(-1)?.text).toBe("6");
    expect(last).toMatchObject({ previousAt: 2, hasNewer: false });
  });

  test("that does not exist gives nothing", async () => {
    const { messages, room, posted } = await sceneOf(stores(), 3);
    const id = idOf(posted[1]);
    expect(await messages.around(room, id, 3)).not.toBeNull();
    expect(await messages.around(room, (idOf(posted[2]) + 1_000_000) as MessageId, 3)).toBeNull();
    expect(await messages.around(room, Number.MAX_SAFE_INTEGER as MessageId, 3)).toBeNull();
  });

  test("of another room gives nothing, with newer messages of this room or without", async () => {
    const { messages, room, other, say } = await scene(stores());
    const posted = postedOf(await messages.append([say("a"), say("secret", { room: other }), say("b")]));
    const secret = idOf(posted[1]);
    expect(await messages.around(other, secret, 3)).not.toBeNull();
    expect(await messages.around(room, secret, 3)).toBeNull();
    expect(await messages.around(other, idOf(posted[2]), 3)).toBeNull();
  });
}

function changing(stores: () => OpenStores): void {
  test("gives every change after a number, in order, and the head", async () => {
    const { messages, room } = await sceneOf(stores(), 5);
    const since = await messages.changesSince(room, 2, 10);
    expect(since?.changes.map(({ rev }) => rev)).toEqual([3, 4, 5]);
    expect(since?.head).toBe(5);
  });

  test("at the head or beyond it gives nothing but the head", async () => {
    const { messages, room } = await sceneOf(stores(), 2);
    for (const rev of [2, 3, 1_000_000]) {
      expect(await messages.changesSince(room, rev, 10)).toEqual({ head: 2, changes: [] });
    }
  });

  test("gives as many as asked for, and null rather than a part of more", async () => {
    const { messages, room } = await sceneOf(stores(), 5);
    expect((await messages.changesSince(room, 1, 4))?.changes).toHaveLength(4);
    expect(await messages.changesSince(room, 0, 4)).toBeNull();
  });

  test("gives nothing of other rooms", async () => {
    const { messages, room, other, say } = await scene(stores());
    await messages.append([say("a"), say("b", { room: other }), say("c")]);
    expect((await changesOf(messages, other)).changes.map(({ text }) => text)).toEqual(["b"]);
    expect((await changesOf(messages, room)).changes.map(({ text }) => text)).toEqual(["a", "c"]);
  });

  test("during appends gives a state without gaps", async () => {
    const { messages, room, say } = await scene(stores());
    const writing = Promise.all(
      Array.from({ length: 30 }, (_, i) => messages.append([say(`${i}`), say(`${i}+`)])),
    );
    const reading = Promise.all(Array.from({ length: 30 }, () => changesOf(messages, room)));
    for (const { head, changes } of await reading) {
      expect(changes.map(({ rev }) => rev)).toEqual(Array.from({ length: head }, (_, i) => i + 1));
      expect(head % 2).toBe(0);
    }
    await writing;
    expect((await changesOf(messages, room)).head).toBe(60);
  });
}

function naming(open: () => Promise<OpenStores>): void {
  test("is the same after a restart, as are the messages and the numbers to come", async () => {
    const before = await open();
    const { messages, room, say } = await scene(before);
    await messages.append([say("a"), say("b")]);
    const epoch = messages.epoch();
    const known = await changesOf(messages, room);
    expect(epoch).not.toBe("");
    expect(known.changes).toHaveLength(2);

    const after = await before.reopen();
    try {
      expect(after.messages.epoch()).toBe(epoch);
      expect(await changesOf(after.messages, room)).toEqual(known);
      expect(numbersOf(await after.messages.append([say("c")]))).toEqual([3]);
    } finally {
      await after.close();
    }
  });

  test("is another one in another database", async () => {
    const [one, other] = [await open(), await open()];
    expect(one.messages.epoch()).not.toBe(other.messages.epoch());
    await Promise.all([one.close(), other.close()]);
  });
}

function findingRooms(stores: () => OpenStores): void {
  test("always hold the public one", async () => {
    expect(await stores().rooms.bySlug(PUBLIC_ROOM)).toMatchObject({
      slug: PUBLIC_ROOM,
      name: "Public Chat",
    });
  });

  test("are found by their exact slug, with the number of their last change", async () => {
    const slug = unique("room");
    const id = await stores().addRoom(slug);
    expect(await stores().rooms.bySlug(slug)).toMatchObject({ id, slug, head: 0 });
    const ann = await addAccount(stores());
    const key = unique("key") as ClientKey;
    await stores().messages.append([{ room: id, author: ann.id, key, text: "hello", createdAt: 1 }]);
    expect((await stores().rooms.bySlug(slug))?.head).toBe(1);
    for (const wrong of [slug.toUpperCase(), `${slug} `, "", "%", unique("room")]) {
      expect(await stores().rooms.bySlug(wrong)).toBeNull();
    }
  });
}

function keepingAccounts(stores: () => OpenStores): void {
  test("begin plain and active, and are found by the key of their name", async () => {
    const name = unique("Ann");
    const nameKey = name.toLowerCase();
    const created = await stores().accounts.create({
      name,
      nameKey,
      passwordHash: "hash",
      createdAt: 1_795_339_770_247,
    });
    expect(created).toMatchObject({ name, passwordHash: "hash", createdAt: 1_795_339_770_247 });
    expect(created).toMatchObject({
      email: "",
      bio: "",
      avatar: null,
      isActive: true,
      isStaff: false,
      isSuperuser: false,
    });
    expect(await stores().accounts.byNameKey(nameKey)).toEqual(created);
    expect(await stores().accounts.byNameKey(name)).toBeNull();
  });

  test("have unique keys, however the name is written", async () => {
    const name = unique("ann");
    const create = (written: string) =>
      stores().accounts.create({ name: written, nameKey: name, passwordHash: "hash", createdAt: 1 });
    const first = await create(name);
    expect(first).not.toBeNull();
    expect(await create(name.toUpperCase())).toBeNull();
    expect(await stores().accounts.byNameKey(name)).toEqual(first);
  });

  test("come into being once when 20 ask for one name at once", async () => {
    const name = unique("ann");
    const created = await Promise.all(
      Array.from({ length: 20 }, () =>
        stores().accounts.create({ name, nameKey: name, passwordHash: "hash", createdAt: 1 }),
      ),
    );
    expect(created.filter((account) => account !== null)).toHaveLength(1);
  });
}

function keepingSessions(stores: () => OpenStores): void {
  async function openSession(expiresAt = 2000) {
    const account = await addAccount(stores());
    const id = unique("session") as SessionId;
    const session = { id, userId: account.id, csrf: "first", expiresAt };
    await stores().sessions.create({ ...session, createdAt: 1000 });
    return { account, id, session };
  }

  test("are found with their account, expired or not", async () => {
    const { account, id, session } = await openSession(1);
    const found = await stores().sessions.find(id);
    expect(found?.account).toEqual(account);
    expect(found?.session).toMatchObject(session);
  });

  test("are not found by another id", async () => {
    const { id } = await openSession();
    expect(await stores().sessions.find(id)).not.toBeNull();
    for (const wrong of [id.toUpperCase(), `${id} `, "", "%"]) {
      expect(await stores().sessions.find(wrong as SessionId)).toBeNull();
    }
  });

  test("tell that their account has been disabled", async () => {
    const { account, id } = await openSession();
    expect((await stores().sessions.find(id))?.account.isActive).toBe(true);
    await stores().disableAccount(account.id);
    expect((await stores().sessions.find(id))?.account.isActive).toBe(false);
  });

  test("get a new secret and a later end when renewed, and no other session does", async () => {
    const [renewed, other] = [await openSession(), await openSession()];
    expect(await stores().sessions.renew(renewed.id, "second", 3000)).toBe(true);
    expect((await stores().sessions.find(renewed.id))?.session).toMatchObject({
      csrf: "second",
      expiresAt: 3000,
    });
    expect((await stores().sessions.find(other.id))?.session).toMatchObject(other.session);
  });

  test("that are gone, or never were, are not renewed", async () => {
    const { id } = await openSession();
    expect(await stores().sessions.renew(id, "second", 3000)).toBe(true);
    await stores().sessions.remove(id);
    for (const missing of [id, unique("session") as SessionId]) {
      expect(await stores().sessions.renew(missing, "third", 4000)).toBe(false);
      expect(await stores().sessions.find(missing)).toBeNull();
    }
  });

  test("are gone when removed, once and again, and no other session is", async () => {
    const [removed, other] = [await openSession(), await openSession()];
    await stores().sessions.remove(removed.id);
    await stores().sessions.remove(removed.id);
    expect(await stores().sessions.find(removed.id)).toBeNull();
    expect(await stores().sessions.find(other.id)).not.toBeNull();
  });

  test("are taken away at the moment when they expire, and not before", async () => {
    const [before, at, after] = [await openSession(4999), await openSession(5000), await openSession(5001)];
    expect(await stores().sessions.find(before.id)).not.toBeNull();
    await stores().sessions.removeExpired(5000);
    expect(await stores().sessions.find(before.id)).toBeNull();
    expect(await stores().sessions.find(at.id)).toBeNull();
    expect(await stores().sessions.find(after.id)).not.toBeNull();
  });

  test("go with their account", async () => {
    const { account, id } = await openSession();
    expect(await stores().sessions.find(id)).not.toBeNull();
    await stores().removeAccount(account.id);
    expect(await stores().sessions.find(id)).toBeNull();
  });

  test("belong to an account that exists", async () => {
    const id = unique("session") as SessionId;
    const session = { id, userId: 1_000_000_000 as UserId, csrf: "secret", expiresAt: 2000, createdAt: 1 };
    expect(await rejects(stores().sessions.create(session))).toBe(true);
    expect(await stores().sessions.find(id)).toBeNull();
  });
}

/** Two new rooms, two new people, and what one of them says in the first room. */
async function scene(stores: OpenStores) {
  const [room, other] = [await stores.addRoom(unique("room")), await stores.addRoom(unique("room"))];
  const [ann, bob] = [await addAccount(stores, unique("ann")), await addAccount(stores, unique("bob"))];
  const say = (text: string, more: Partial<NewMessage> = {}): NewMessage => {
    return { room, author: ann.id, key: unique("key") as ClientKey, text, createdAt: 1, ...more };
  };
  return { messages: stores.messages, room, other, ann, bob, say };
}

/** A scene with messages that say, and were written at, their number. */
async function sceneOf(stores: OpenStores, count: number) {
  const here = await scene(stores);
  const batch = Array.from({ length: count }, (_, i) => here.say(`${i + 1}`, { createdAt: i + 1 }));
  return { ...here, posted: postedOf(await here.messages.append(batch)) };
}

async function changesOf(
  messages: MessageStore,
  room: RoomId,
): Promise<{ head: number; changes: MessageView[] }> {
  const since = await messages.changesSince(room, 0, 100_000);
  if (!since) throw new Error("the room has more changes than any test makes");
  return since;
}

function postedOf(appended: Appended[]): MessageView[] {
  return appended.flatMap((result) => (result.outcome === "key_reused" ? [] : [result.message]));
}

function numbersOf(appended: Appended[]): number[] {
  return postedOf(appended).map(({ seq }) => seq);
}

function outcomesOf(appended: Appended[]): string[] {
  return appended.map(({ outcome }) => outcome);
}

function textsOf(page: Page): string[] {
  return page.messages.map(({ text }) => text);
}

function idOf(message: MessageView | undefined): MessageId {
  if (!message) throw new Error("there is no such message");
  return message.id as MessageId;
}

/** Whether it fails, in whatever way its driver does. */
function rejects(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    () => true,
  );
}
