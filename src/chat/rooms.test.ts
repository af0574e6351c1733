import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Account } from "../accounts/ports.ts";
import { createMemoryBus } from "../bus/memory.ts";
import { createMemoryLimit } from "../limits/memory.ts";
import type { ClientKey, SessionId } from "../shared/ids.ts";
import { ROOM_NAME_MAX_LENGTH, ROOM_TOPIC_MAX_LENGTH } from "../shared/limits.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { hall } from "../testing/stores/hall.ts";
import { addAccount, openSqliteStores, signIn, unique, type OpenStores } from "../testing/stores/open.ts";
import { post } from "../testing/stores/scene.ts";
import { asStaff, createAccess, type Actor, type Owner, type Rank, type Staff } from "./access.ts";
import type { BusEvent, Room } from "./ports.ts";
import { Refused } from "./refusal.ts";
import { createRooms, type Rooms } from "./rooms.ts";

const NOW = 1_795_339_770_247;
const guest: Actor = { kind: "guest" };

let stores: OpenStores;
let rooms: Rooms;
let published: BusEvent[];
let ann: Actor & { kind: "member" };
let bob: Actor & { kind: "member" };

beforeAll(async () => {
  stores = await openSqliteStores();
});
afterAll(() => stores.close());

beforeEach(async () => {
  rooms = roomsWith();
  [ann, bob] = [actorOf(await addAccount(stores)), actorOf(await addAccount(stores))];
});

describe("somebody who makes a room", () => {
  test("is its owner, under the name and slug of their choice", async () => {
    const slug = unique("room");
    expect(await rooms.create(ann, { name: "  Зал № 5 ", slug })).toBe(slug);
    expect(await roomOf(slug)).toMatchObject({ slug, name: "Зал № 5", kind: "private" });
    const { room, role } = await ownerOf(ann, slug);
    expect(role).toBe("owner");
    const [owner] = await stores.members.ofRoom(room.id);
    expect(owner).toMatchObject({ id: ann.id, joinedAt: NOW });
  });

  test("without a slug gets a random one, each time another", async () => {
    const slugs = [await create({ slug: "" }), await create({ slug: "" })];
    for (const slug of slugs) expect(slug).toMatch(/^[0-9a-f]{12}$/);
    expect(new Set(slugs).size).toBe(2);
  });

  test.each([
    "",
    " \t\n",
    "x".repeat(ROOM_NAME_MAX_LENGTH + 1),
    "a\0b",
    "a\nb",
    "a\u202eb",
    "a\u2066b",
    "a\ud83d",
  ])("cannot call it %j", async (name) => {
    const slug = unique("room");
    expect(await refusalOf(rooms.create(ann, { name, slug }))).toMatchObject({ code: "bad_name" });
    expect(await stores.rooms.entry(slug, null)).toBeNull();
    expect(await create({ name: "fine", slug })).toBe(slug);
  });

  test("may use the whole length of a name, counted as people count", async () => {
    const name = "😀".repeat(ROOM_NAME_MAX_LENGTH);
    expect((await roomOf(await create({ name: ` ${name} ` }))).name).toBe(name);
  });

  test.each([
    "ab",
    "a b c",
    "a.b.c",
    "a/b/c",
    "комната",
    "x".repeat(51),
    "abc\n",
    " abc",
    "../public",
    "%61bc",
  ])("cannot have the slug %j", async (slug) => {
    expect(await refusalOf(rooms.create(ann, { name: "fine", slug }))).toMatchObject({ code: "bad_slug" });
  });

  test("cannot have one that is taken, by others, by themselves or by the public room", async () => {
    const [own, other] = [await create({ slug: unique("own") }), (await hall(stores)).slug];
    for (const slug of [own, other, PUBLIC_ROOM]) {
      expect(await refusalOf(rooms.create(ann, { name: "fine", slug }))).toMatchObject({
        code: "slug_taken",
      });
    }
    expect((await roomOf(PUBLIC_ROOM)).name).toBe("Public Chat");
    expect(await create({ slug: PUBLIC_ROOM.toUpperCase() })).toBe("PUBLIC");
  });

  test("may do so only so often, and is told for how long to wait", async () => {
    const limited = roomsWith({ points: 2 });
    const again = () => limited.create(ann, { name: "fine", slug: unique("room") });
    for (const name of ["", "\0"]) await refusalOf(limited.create(ann, { name, slug: "" }));
    await again();
    await again();
    const refused = await refusalOf(again());
    expect(refused).toMatchObject({ code: "rate_limited", retryable: true });
    expect(refused.retryAfterSeconds).toBeWithin(1, 601);
    expect(await refusalOf(limited.claim(ann, unique("room")))).toMatchObject({ code: "rate_limited" });
    await limited.create(bob, { name: "another's own", slug: unique("room") });
  });

  test("has to be signed in", async () => {
    for (const act of [
      () => rooms.create(guest, { name: "fine", slug: unique("room") }),
      () => rooms.claim(guest, unique("room")),
      () => rooms.direct(guest, bob),
    ]) {
      expect(await refusalOf(act())).toMatchObject({ code: "login_required" });
    }
    expect(await rooms.mine(guest)).toEqual([]);
  });
});

describe("a slug that is asked for", () => {
  test("and that nobody has becomes the room of whoever asks, under their name", async () => {
    const slug = unique("claimed");
    const { room, created } = await rooms.claim(ann, slug);
    expect({ created, slug: room.slug, name: room.name }).toEqual({ created: true, slug, name: ann.name });
    expect((await rooms.claim(ann, slug)).created).toBe(false);
    expect(await rooms.creator({ room })).toBe(ann.name);
  });

  test("by two at once is made once, and refused to the other", async () => {
    const slug = unique("claimed");
    const asked = [ann, bob, ann, bob].map((who) => rooms.claim(who, slug));
    const results = await Promise.all(asked.map((claim) => claim.catch((refused: Refused) => refused.code)));
    expect(results.filter((result) => result === "slug_taken")).toHaveLength(2);
    expect(results.filter((result) => typeof result === "object" && result.created)).toHaveLength(1);
  });

  test("of a room of others is refused to strangers and to whoever was put out, given to members", async () => {
    const here = await hall(stores);
    const [member, removed] = [await here.joins(), await here.joins()];
    await stores.members.setRole(here.room, removed.id, "removed");
    const { room, created } = await rooms.claim(actorOf(member), here.slug);
    expect([room.id, created]).toEqual([here.room, false]);
    for (const who of [ann, actorOf(removed), actorOf(await addAccount(stores), "superuser")]) {
      expect(await refusalOf(rooms.claim(who, here.slug))).toMatchObject({ code: "slug_taken" });
    }
  });

  test("costs nothing when the room is there", async () => {
    const limited = roomsWith({ points: 1 });
    const slug = unique("claimed");
    await limited.claim(ann, slug);
    for (let i = 0; i < 5; i++) expect((await limited.claim(ann, slug)).created).toBe(false);
    expect(await refusalOf(limited.claim(bob, slug))).toMatchObject({ code: "slug_taken" });
  });

  test("is known to exist from the moment on when it does", async () => {
    const slug = unique("claimed");
    expect(await rooms.exists(slug)).toBe(false);
    await rooms.claim(ann, slug);
    expect([await rooms.exists(slug), await rooms.exists(PUBLIC_ROOM)]).toEqual([true, true]);
  });

  test("follows the installation's rule, but for the public room's", () => {
    const own = roomsWith({ slugs: /^r\d+$/ });
    const slugs = ["r1", "public", "abc", "R1", ""];
    expect(slugs.map((slug) => own.isSlug(slug))).toEqual([true, true, false, false, false]);
  });
});

describe("two people", () => {
  test("have one room for themselves, whoever of them asks", async () => {
    const slug = await rooms.direct(ann, bob);
    expect(await rooms.direct(bob, ann)).toBe(slug);
    const { room } = await rooms.claim(ann, slug);
    expect([room.kind, room.name]).toEqual(["direct", bob.name]);
    expect((await rooms.mine(bob)).map(({ name, kind }) => [name, kind])).toEqual([[ann.name, "direct"]]);
  });

  test("are two", async () => {
    expect(await refusalOf(rooms.direct(ann, ann))).toMatchObject({ code: "forbidden" });
  });
});

describe("an owner", () => {
  let slug: string;
  let owner: Owner;

  beforeEach(async () => {
    slug = await create({ slug: unique("room") });
    owner = await ownerOf(ann, slug);
  });

  test("gives the room another name and a topic, and may take the topic away", async () => {
    await rooms.describe(owner, { name: " Зал ", topic: " О чём мы " });
    expect(await roomOf(slug)).toMatchObject({ name: "Зал", topic: "О чём мы" });
    await rooms.describe(owner, { name: "Зал", topic: " " });
    expect((await roomOf(slug)).topic).toBe("");
    const topic = "😀".repeat(ROOM_TOPIC_MAX_LENGTH);
    await rooms.describe(owner, { name: "Зал", topic });
    expect((await roomOf(slug)).topic).toBe(topic);
  });

  test.each([
    { name: "", topic: "fine" },
    { name: "x".repeat(ROOM_NAME_MAX_LENGTH + 1), topic: "fine" },
    { name: "a\u202eb", topic: "fine" },
    { name: "fine", topic: "x".repeat(ROOM_TOPIC_MAX_LENGTH + 1) },
    { name: "fine", topic: "a\nb" },
    { name: "fine", topic: "a\u2067b" },
    { name: "fine", topic: "\ude00" },
  ])("changes nothing when one of both cannot be: %j", async (texts) => {
    await rooms.describe(owner, { name: "before", topic: "then" });
    expect(await refusalOf(rooms.describe(owner, texts))).toMatchObject({ code: "bad_name" });
    expect(await roomOf(slug)).toMatchObject({ name: "before", topic: "then" });
  });

  test("ends the room for everybody, who are told", async () => {
    const key = unique("key") as ClientKey;
    await signIn(stores, ann.id);
    const message = { room: owner.room.id, author: ann.id, key, text: "hello", createdAt: 1 };
    expect(await stores.messages.write([post(message)])).toMatchObject([{ outcome: "stored" }]);
    await rooms.remove(owner);
    expect(published).toEqual([{ type: "room.removed", roomId: owner.room.id, room: slug }]);
    expect(await rooms.mine(ann)).toEqual([]);
    expect((await stores.messages.page(owner.room.id, { limit: 10 })).messages).toEqual([]);
  });
});

describe("staff", () => {
  let staff: Staff;

  beforeEach(async () => {
    staff = asStaff(actorOf(await addAccount(stores), "staff"), "192.0.2.1");
  });

  test("close a room to writing and open it again", async () => {
    const slug = await create({ slug: unique("room") });
    const access = createAccess(stores.rooms);
    await rooms.close(staff, slug, true);
    expect(await refusalOf(access.member(ann, slug))).toMatchObject({ code: "room_closed" });
    await rooms.close(staff, slug, false);
    expect(await access.member(ann, slug)).toMatchObject({ author: ann.id });
    expect(await refusalOf(rooms.close(staff, unique("nowhere"), true))).toMatchObject({ code: "not_found" });
  });

  test("give the public room its name", async () => {
    await rooms.renamePublic(staff, " Площадь ");
    expect((await roomOf(PUBLIC_ROOM)).name).toBe("Площадь");
    expect(await refusalOf(rooms.renamePublic(staff, " "))).toMatchObject({ code: "bad_name" });
    await rooms.renamePublic(staff, "Public Chat");
    expect((await roomOf(PUBLIC_ROOM)).name).toBe("Public Chat");
  });
});

function roomsWith({ points = 1_000_000, slugs = /^[A-Za-z0-9_-]{3,50}$/ } = {}): Rooms {
  const bus = createMemoryBus();
  published = [];
  bus.subscribe((event) => void published.push(event));
  const keys = {
    clientKey: () => unique("key") as ClientKey,
    slug: () => unique("").slice(1).padStart(12, "0"),
  };
  const rate = createMemoryLimit(points, 600);
  return createRooms({ store: stores.rooms, bus, clock: { now: () => NOW }, keys, rate, slugs });
}

function create({ name = "fine", slug = "" } = {}): Promise<string> {
  return rooms.create(ann, { name, slug });
}

function actorOf({ id, name }: Account, rank: Rank = "user"): Actor & { kind: "member" } {
  return { kind: "member", id, name, session: unique("session") as SessionId, rank };
}

function ownerOf(actor: Actor, slug: string): Promise<Owner> {
  return createAccess(stores.rooms).owner(actor, slug);
}

async function roomOf(slug: string): Promise<Room> {
  const entry = await stores.rooms.entry(slug, null);
  if (!entry) throw new Error(`there is no room ${slug}`);
  return entry.room;
}

async function refusalOf(promise: Promise<unknown>): Promise<Refused> {
  const refused = await promise.catch((error: unknown) => error);
  if (refused instanceof Refused) return refused;
  throw new Error("it was not refused", { cause: refused });
}
