import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Account } from "../accounts/ports.ts";
import type { SessionId } from "../shared/ids.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { hall, type Hall } from "../testing/stores/hall.ts";
import { actorIn, addAccount, openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { asStaff, createAccess, signedIn, type Access, type Actor, type Rank } from "./access.ts";
import { Refused } from "./refusal.ts";

const guest: Actor = { kind: "guest" };

let stores: OpenStores;
let access: Access;
let ann: Extract<Actor, { kind: "member" }>;

const actorOf = ({ id, name }: Account, rank: Rank = "user"): typeof ann => {
  return { kind: "member", id, name, session: unique("session") as SessionId, rank };
};

beforeAll(async () => {
  stores = await openSqliteStores();
  access = createAccess(stores.rooms);
  ann = actorOf(await addAccount(stores));
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

describe("a private room", () => {
  let here: Hall;
  let people: Record<"owner" | "moderator" | "member", Actor>;
  let outsiders: Record<"stranger" | "removed" | "guest" | "staff" | "superuser", Actor>;

  beforeAll(async () => {
    here = await hall(stores);
    const [moderator, member, removed] = [await here.joins(), await here.joins(), await here.joins()];
    await stores.members.setRole(here.room, moderator.id, "moderator");
    await stores.members.setRole(here.room, removed.id, "removed");
    people = { owner: actorOf(here.owner), moderator: actorOf(moderator), member: actorOf(member) };
    outsiders = {
      stranger: ann,
      removed: actorOf(removed),
      guest,
      staff: actorOf(await addAccount(stores), "staff"),
      superuser: actorOf(await addAccount(stores), "superuser"),
    };
  });

  const asked = (actor: Actor, slug: string) =>
    Promise.all(
      (["reader", "member", "moderator", "owner"] as const).map((proof) =>
        outcome(access[proof](actor, slug)),
      ),
    );
  const outcome = (proof: Promise<{ role: unknown }>) =>
    proof.then(
      ({ role }) => `as ${String(role)}`,
      (refused: Refused) => refused.code,
    );

  test("lets its people do what their role allows", async () => {
    const table = {
      owner: await asked(people.owner, here.slug),
      moderator: await asked(people.moderator, here.slug),
      member: await asked(people.member, here.slug),
    };
    expect(table).toEqual({
      owner: ["as owner", "as owner", "as owner", "as owner"],
      moderator: ["as moderator", "as moderator", "as moderator", "forbidden"],
      member: ["as member", "as member", "forbidden", "forbidden"],
    });
  });

  test.each(["stranger", "removed", "guest", "staff", "superuser"] as const)(
    "is to others as if it did not exist: %s",
    async (who) => {
      const nowhere = await asked(outsiders[who], unique("nowhere"));
      expect(await asked(outsiders[who], here.slug)).toEqual(nowhere);
      expect(new Set(nowhere)).toEqual(new Set(["not_found"]));
    },
  );

  test("proves who writes, by the account and not by the name", async () => {
    const { actor, account } = { actor: people.member, account: signedIn(people.member) };
    expect(await access.member(actor, here.slug)).toMatchObject({ author: account.id, role: "member" });
    expect(await access.moderator(people.moderator, here.slug)).toMatchObject({
      author: signedIn(people.moderator).id,
    });
  });

  test("that is closed is read by all its people, written in by none, and still looked after", async () => {
    await stores.rooms.update(here.room, { isClosed: true });
    expect([await asked(people.owner, here.slug), await asked(people.member, here.slug)]).toEqual([
      ["as owner", "room_closed", "as owner", "as owner"],
      ["as member", "room_closed", "forbidden", "forbidden"],
    ]);
    expect(await asked(outsiders.removed, here.slug)).toEqual(Array(4).fill("not_found"));
    await stores.rooms.update(here.room, { isClosed: false });
    expect((await asked(people.member, here.slug))[1]).toBe("as member");
  });

  test("is read by somebody who is muted, and still looked after, but not written in", async () => {
    const mute = (actor: Actor, isMuted: boolean) => stores.accounts.update(signedIn(actor).id, { isMuted });
    await mute(people.moderator, true);
    await mute(outsiders.stranger, true);
    expect(await asked(people.moderator, here.slug)).toEqual([
      "as moderator",
      "muted",
      "as moderator",
      "forbidden",
    ]);
    expect(await asked(outsiders.stranger, here.slug)).toEqual(Array(4).fill("not_found"));
    expect((await asked(outsiders.stranger, PUBLIC_ROOM)).slice(0, 2)).toEqual(["as null", "muted"]);
    await mute(people.moderator, false);
    await mute(outsiders.stranger, false);
    expect((await asked(people.moderator, here.slug))[1]).toBe("as moderator");
  });

  test("is lost with the next question by whoever is put out", async () => {
    const bob = await here.joins();
    const actor = actorOf(bob);
    expect((await asked(actor, here.slug))[0]).toBe("as member");
    await stores.members.setRole(here.room, bob.id, "removed");
    expect((await asked(actor, here.slug))[0]).toBe("not_found");
  });
});

test("the public room is nobody's to look after", async () => {
  for (const actor of [guest, ann, actorOf(await addAccount(stores), "superuser")]) {
    for (const proof of ["moderator", "owner"] as const) {
      expect(await refusalOf(access[proof](actor, PUBLIC_ROOM))).toMatchObject({ code: "forbidden" });
    }
  }
});

const ADDRESS = "192.0.2.1";

test("staff and superusers are staff, users are not, and guests are asked to log in", async () => {
  const account = await addAccount(stores);
  for (const rank of ["staff", "superuser"] as const) {
    const actor = actorOf(account, rank);
    expect(asStaff(actor, ADDRESS)).toMatchObject({ actor });
  }
  expect(() => asStaff(actorOf(account), ADDRESS)).toThrow("forbidden");
  expect(() => asStaff(guest, ADDRESS)).toThrow("login_required");
  expect(() => signedIn(guest)).toThrow("login_required");
});

async function refusalOf(promise: Promise<unknown>): Promise<Refused> {
  const refused = await promise.catch((error: unknown) => error);
  if (refused instanceof Refused) return refused;
  throw new Error("it was not refused", { cause: refused });
}
