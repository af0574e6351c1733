import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Account } from "../accounts/ports.ts";
import { createMemoryBus } from "../bus/memory.ts";
import { createMemoryLimit } from "../limits/memory.ts";
import type { ClientKey, MessageId } from "../shared/ids.ts";
import type { MessageView } from "../shared/protocol.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { hall, type Hall } from "../testing/stores/hall.ts";
import { addPerson, openSqliteStores, sessionOf, unique, type OpenStores } from "../testing/stores/open.ts";
import { writerOver } from "../testing/stores/writer.ts";
import { createAccess, type Access, type Actor, type Rank } from "./access.ts";
import { createMessages, type Messages } from "./messages.ts";
import type { BusEvent } from "./ports.ts";
import { Refused } from "./refusal.ts";
import type { Stored } from "./writer.ts";

const NOW = 1_795_339_770_247;
const guest: Actor = { kind: "guest" };
const missing = 1_000_000_000 as MessageId;

type Who = "author" | "owner" | "moderator" | "member" | "removed" | "stranger" | "staff" | "superuser";

let stores: OpenStores;
let access: Access;
let messages: Messages;
let published: BusEvent[];
let here: Hall;
let people: Record<Who, Actor & { kind: "member" }>;

beforeAll(async () => {
  stores = await openSqliteStores();
  access = createAccess(stores.rooms);
});
afterAll(() => stores.close());

beforeEach(async () => {
  const bus = createMemoryBus();
  published = [];
  bus.subscribe((event) => void published.push(event));
  messages = createMessages({
    store: stores.messages,
    writer: writerOver(stores.messages, bus),
    access,
    clock: { now: () => NOW },
    rate: createMemoryLimit(1_000_000, 10),
    maxLength: 1000,
  });
  here = await hall(stores);
  const [moderator, removed] = [await here.joins(), await here.joins()];
  await stores.members.setRole(here.room, moderator.id, "moderator");
  await stores.members.setRole(here.room, removed.id, "removed");
  people = {
    author: actorOf(await here.joins()),
    owner: actorOf(here.owner),
    moderator: actorOf(moderator),
    member: actorOf(await here.joins()),
    removed: actorOf(removed),
    stranger: actorOf(await addPerson(stores)),
    staff: actorOf(await addPerson(stores), "staff"),
    superuser: actorOf(await addPerson(stores), "superuser"),
  };
});

describe("a message in a private room", () => {
  test.each(["author", "owner", "moderator", "staff", "superuser"] as const)(
    "is removed by the %s: its text is gone and its place stays",
    async (who) => {
      const { id, seq } = await said("author");
      published = [];
      expect(await mayRemove(people[who], id)).toBe(true);
      expect((await remove(people[who], id)).room).toEqual({ id: here.room, slug: here.slug });
      const change = { id, seq, rev: seq + 1, text: "", deletedAt: NOW };
      expect(published).toMatchObject([
        { type: "messages.changed", roomId: here.room, room: here.slug, from: seq, to: seq + 1 },
      ]);
      expect(published).toMatchObject([{ changes: [change] }]);
      expect(JSON.stringify(published)).not.toContain("hello");
    },
  );

  test.each([
    ["member", "forbidden"],
    ["removed", "not_found"],
    ["stranger", "not_found"],
  ] as const)("is not removed by a %s, to whom it is %s", async (who, code) => {
    const { id } = await said("author");
    published = [];
    expect(await refusalOf(remove(people[who], id))).toMatchObject({ code });
    expect(published).toEqual([]);
    expect(await texts()).toEqual(["hello"]);
  });

  test("is for a guest as if it did not exist", async () => {
    const { id } = await said("author");
    const [known, unknown] = [await refusalOf(remove(guest, id)), await refusalOf(remove(guest, missing))];
    expect(known.code).toBe(unknown.code);
    expect(await mayRemove(guest, id)).toBe(false);
    expect(await texts()).toEqual(["hello"]);
  });

  test("is out of its author's reach once they do not belong there any more", async () => {
    const { id } = await said("author");
    await stores.members.forget(here.room, people.author.id);
    expect(await refusalOf(remove(people.author, id))).toMatchObject({ code: "not_found" });
    expect(await texts()).toEqual(["hello"]);
  });

  test("stays its author's to remove while they are muted and the room is closed", async () => {
    const { id } = await said("author");
    await stores.accounts.update(people.author.id, { isMuted: true });
    await stores.rooms.update(here.room, { isClosed: true });
    await remove(people.author, id);
    expect(await texts()).toEqual([]);
  });

  test("whose author is gone is removed by whoever looks after the room", async () => {
    const { id } = await said("author");
    await stores.removeAccount(people.author.id);
    expect(await mayRemove(people.member, id)).toBe(false);
    await remove(people.moderator, id);
    expect(await texts()).toEqual([]);
  });
});

describe("a message in the public room", () => {
  test("is removed by its author and by staff, and by nobody else", async () => {
    const [first, second] = [await said("author", PUBLIC_ROOM), await said("author", PUBLIC_ROOM)];
    for (const who of ["owner", "moderator", "stranger"] as const) {
      expect(await mayRemove(people[who], first.id)).toBe(false);
      expect(await refusalOf(remove(people[who], first.id))).toMatchObject({ code: "forbidden" });
    }
    for (const [who, { id }] of [
      ["author", first],
      ["staff", second],
    ] as const)
      expect((await remove(people[who], id)).room.slug).toBe(PUBLIC_ROOM);
  });

  test("is nothing that a guest removes", async () => {
    const { id } = await said("author", PUBLIC_ROOM);
    expect(await refusalOf(remove(guest, id))).toMatchObject({ code: "login_required" });
  });
});

describe("a message that was removed", () => {
  test("cannot be removed again, by anybody", async () => {
    const { id } = await said("author");
    await remove(people.author, id);
    published = [];
    for (const who of ["author", "owner", "staff", "stranger"] as const) {
      expect(await refusalOf(remove(people[who], id))).toMatchObject({ code: "not_found" });
      expect(await mayRemove(people[who], id)).toBe(false);
    }
    expect(published).toEqual([]);
  });

  test("20 times at once is removed once", async () => {
    const { id } = await said("author");
    published = [];
    const tries = Array.from({ length: 20 }, () => remove(people.author, id).catch(() => null));
    await Promise.all(tries);
    expect(published).toHaveLength(1);
  });

  test("does not come back when it is sent again, with the same text or another", async () => {
    const key = unique("key") as ClientKey;
    const author = await access.member(people.author, here.slug);
    const { message } = await messages.post(author, { key, text: "hello" });
    await remove(people.author, message.id as MessageId);
    published = [];
    for (const text of ["hello", "other"]) {
      const again = await messages.post(author, { key, text });
      expect(again).toMatchObject({ repeat: true, message: { id: message.id, text: "", deletedAt: NOW } });
    }
    expect(published).toEqual([]);
    expect(await texts()).toEqual([]);
  });

  test("has no page of its own, and its place is on the pages of others", async () => {
    const [first, second] = [await said("author"), await said("author")];
    const reader = await access.reader(people.member, here.slug);
    expect((await messages.around(reader, first.id)).messages).toHaveLength(2);
    await remove(people.author, first.id);
    expect(await refusalOf(messages.around(reader, first.id))).toMatchObject({ code: "not_found" });
    for (const { messages: shown } of [
      await messages.latest(reader),
      await messages.around(reader, second.id),
    ]) {
      expect(shown.map(({ text, deletedAt }) => [text, deletedAt])).toEqual([
        ["", NOW],
        ["hello", null],
      ]);
    }
  });
});

test("a message that never was is not found by whoever is signed in, staff or not", async () => {
  for (const who of ["author", "owner", "staff"] as const) {
    expect(await refusalOf(remove(people[who], missing))).toMatchObject({ code: "not_found" });
    expect(await mayRemove(people[who], missing)).toBe(false);
  }
});

async function mayRemove(actor: Actor, id: MessageId): Promise<boolean> {
  return (await messages.rights(actor, id)).mayRemove;
}

async function said(who: Who, room = here.slug): Promise<MessageView & { id: MessageId }> {
  const member = await access.member(people[who], room);
  const { message } = await messages.post(member, { key: unique("key") as ClientKey, text: "hello" });
  return message as MessageView & { id: MessageId };
}

/** What is left to read, as the history of the room gives it. */
async function texts(): Promise<string[]> {
  return (await stores.messages.page(here.room, { limit: 100 })).messages.map(({ text }) => text);
}

function actorOf({ id, name }: Account, rank: Rank = "user"): Actor & { kind: "member" } {
  return { kind: "member", id, name, session: sessionOf(id), rank };
}

async function refusalOf(promise: Promise<unknown>): Promise<Refused> {
  const refused = await promise.catch((error: unknown) => error);
  if (refused instanceof Refused) return refused;
  throw new Error("it was not refused", { cause: refused });
}

async function remove(actor: Actor, id: MessageId): Promise<Stored> {
  return (await messages.submitRemoval(actor, id)).stored;
}
