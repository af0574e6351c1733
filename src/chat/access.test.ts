import { afterAll, beforeAll, expect, test } from "bun:test";
import type { SessionId } from "../shared/ids.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { actorIn, addAccount, openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { createAccess, type Access, type Actor } from "./access.ts";
import { Refused } from "./refusal.ts";

const guest: Actor = { kind: "guest" };

let stores: OpenStores;
let access: Access;
let ann: Extract<Actor, { kind: "member" }>;

beforeAll(async () => {
  stores = await openSqliteStores();
  access = createAccess(stores.rooms);
  const { id, name } = await addAccount(stores);
  ann = { kind: "member", id, name, session: unique("session") as SessionId, rank: "user" };
});
afterAll(() => stores.close());

test("everybody may read the public room", async () => {
  for (const actor of [guest, ann]) {
    expect((await access.reader(actor, PUBLIC_ROOM)).room.slug).toBe(PUBLIC_ROOM);
  }
});

test("whoever is signed in may write in the public room, under their own name", async () => {
  const member = await access.member(ann, PUBLIC_ROOM);
  expect(member).toMatchObject({ author: ann.id, room: { slug: PUBLIC_ROOM } });
});

test("guests are asked to log in before they write", async () => {
  expect(await access.reader(guest, PUBLIC_ROOM)).toBeDefined();
  expect(await refusalOf(access.member(guest, PUBLIC_ROOM))).toMatchObject({
    code: "login_required",
    retryable: false,
  });
});

test("a room that does not exist is not found, by guests and members, for reading and writing", async () => {
  for (const slug of [unique("room"), PUBLIC_ROOM.toUpperCase(), "", "%", "../public", "__proto__"]) {
    for (const actor of [guest, ann]) {
      expect(await refusalOf(access.reader(actor, slug))).toMatchObject({ code: "not_found" });
      expect(await refusalOf(access.member(actor, slug))).toMatchObject({ code: "not_found" });
    }
  }
});

test("a room is shown as it is now, its last number included", async () => {
  const slug = unique("room");
  const id = await stores.addRoom(slug);
  const bob = await actorIn(stores, slug);
  expect((await access.reader(bob, slug)).room).toMatchObject({ id, slug, name: slug, head: 0 });
});

async function refusalOf(promise: Promise<unknown>): Promise<Refused> {
  const refused = await promise.catch((error: unknown) => error);
  if (refused instanceof Refused) return refused;
  throw new Error("it was not refused", { cause: refused });
}
