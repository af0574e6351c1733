import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Account } from "../accounts/ports.ts";
import { createSeal } from "../http/seal.ts";
import { createMemoryLimit } from "../limits/memory.ts";
import type { SessionId } from "../shared/ids.ts";
import { hall, type Hall } from "../testing/stores/hall.ts";
import { addAccount, openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { createAccess, type Actor, type Moderator } from "./access.ts";
import { createInvitations, type Invitations, type Terms } from "./invitations.ts";
import { Refused } from "./refusal.ts";

const DAY = 24 * 60 * 60 * 1000;
const OPEN: Terms = { days: null, uses: null };
const SECRET = "a secret of the tests, long enough to be one";

let stores: OpenStores;
let invitations: Invitations;
let here: Hall;
let moderator: Moderator;
let now: number;

beforeAll(async () => {
  stores = await openSqliteStores();
});
afterAll(() => stores.close());

beforeEach(async () => {
  now = 1_795_339_770_247;
  invitations = invitationsWith();
  here = await hall(stores);
  moderator = await moderatorOf(here);
});

describe("an invitation", () => {
  test("is a link that leads whoever has it into the room", async () => {
    const token = await invited();
    expect(token).toMatch(/^\d+-[\w-]{22}$/);
    expect(await invitations.look(token)).toMatchObject({
      room: { slug: here.slug },
      createdBy: here.owner.name,
      isOpen: true,
    });
    const bob = await addAccount(stores);
    expect(await invitations.accept(actorOf(bob), token)).toBe(here.slug);
    expect(await here.roleOf(bob)).toBe("member");
    expect((await invitations.look(token)).uses).toBe(1);
  });

  test("is listed with the same token each time, the newest first", async () => {
    const [first, second] = [await invited(), await invited({ days: 1, uses: 2 })];
    const listed = await invitations.list(moderator);
    expect(listed.map(({ token }) => token)).toEqual([second, first]);
    expect(listed[0]).toMatchObject({ expiresAt: now + DAY, usesMax: 2, uses: 0, isOpen: true });
    expect(listed[1]).toMatchObject({ expiresAt: null, usesMax: null });
    expect((await invitations.list(moderator)).map(({ token }) => token)).toEqual([second, first]);
  });

  test("works to the last millisecond of its days", async () => {
    const token = await invited({ days: 1, uses: null });
    const until = now + DAY;
    now = until - 1;
    expect((await invitations.look(token)).isOpen).toBe(true);
    expect(await invitations.accept(await somebody(), token)).toBe(here.slug);
    for (const later of [until, until + 1]) {
      now = later;
      expect((await invitations.look(token)).isOpen).toBe(false);
      expect(await refusalOf(invitations.accept(await somebody(), token))).toMatchObject({
        code: "invitation_over",
      });
    }
    now = until - 1;
    expect(await invitations.accept(await somebody(), token)).toBe(here.slug);
  });

  test("lets as many in as it says, and then says that it is over", async () => {
    const token = await invited({ days: null, uses: 2 });
    for (let i = 0; i < 2; i++) {
      expect((await invitations.look(token)).isOpen).toBe(true);
      await invitations.accept(await somebody(), token);
    }
    expect((await invitations.look(token)).isOpen).toBe(false);
    expect(await refusalOf(invitations.accept(await somebody(), token))).toMatchObject({
      code: "invitation_over",
    });
  });

  test("lets one of 50 in who all come for its last use at once", async () => {
    const token = await invited({ days: null, uses: 1 });
    const people = await Promise.all(Array.from({ length: 50 }, () => somebody()));
    const codes = await Promise.all(
      people.map((who) => invitations.accept(who, token).catch((refused: Refused) => refused.code)),
    );
    expect(codes.filter((code) => code === here.slug)).toHaveLength(1);
    expect(codes.filter((code) => code === "invitation_over")).toHaveLength(49);
  });

  test("takes its members into the room as they are", async () => {
    const token = await invited({ days: null, uses: 1 });
    expect(await invitations.accept(actorOf(here.owner), token)).toBe(here.slug);
    expect(await here.roleOf(here.owner)).toBe("owner");
    expect((await invitations.look(token)).uses).toBe(0);
  });

  test("that is revoked lets nobody in, and only its own room revokes it", async () => {
    const token = await invited();
    const { id } = await invitations.look(token);
    await invitations.revoke(await moderatorOf(await hall(stores)), id);
    expect(await invitations.accept(await somebody(), token)).toBe(here.slug);
    await invitations.revoke(moderator, id);
    expect((await invitations.look(token)).isOpen).toBe(false);
    expect((await invitations.list(moderator))[0]).toMatchObject({ id, isOpen: false });
    expect(await refusalOf(invitations.accept(await somebody(), token))).toMatchObject({
      code: "invitation_over",
    });
  });

  test("lets nobody in who was put out, until a moderator allows it", async () => {
    const bob = await here.joins();
    const token = await invited();
    await stores.members.setRole(here.room, bob.id, "removed");
    expect(await refusalOf(invitations.accept(actorOf(bob), token))).toMatchObject({
      code: "invitation_over",
    });
    await stores.members.forget(here.room, bob.id);
    expect(await invitations.accept(actorOf(bob), token)).toBe(here.slug);
  });

  test("asks a guest to log in", async () => {
    expect(await refusalOf(invitations.accept({ kind: "guest" }, await invited()))).toMatchObject({
      code: "login_required",
    });
  });

  test("goes with its room", async () => {
    const token = await invited();
    await stores.rooms.remove(here.room);
    expect(await refusalOf(invitations.look(token))).toMatchObject({ code: "invitation_over" });
    expect(await refusalOf(invitations.accept(await somebody(), token))).toMatchObject({
      code: "invitation_over",
    });
  });
});

describe("a token is nothing", () => {
  let token: string;
  let other: string;
  beforeEach(async () => {
    [token, other] = [await invited(), await invited()];
  });

  const halves = (text: string) => text.split("-", 1)[0] as string;
  const markOf = (text: string) => text.slice(text.indexOf("-") + 1);

  const forgeries: Record<string, () => string> = {
    "when it is empty": () => "",
    "when it is only the number": () => halves(token),
    "with an empty mark": () => `${halves(token)}-`,
    "when its last character is missing": () => token.slice(0, -1),
    "when only 16 characters of its mark are left": () => token.slice(0, token.indexOf("-") + 17),
    "with one character more": () => `${token}A`,
    "with white space around it": () => ` ${token} `,
    "with a line after it": () => `${token}\n`,
    "with one character changed": () => swapped(token, token.indexOf("-") + 1),
    "with another character changed": () => swapped(token, token.length - 5),
    "in other letters": () =>
      markOf(token) === markOf(token).toUpperCase() ? "" : `${halves(token)}-${markOf(token).toUpperCase()}`,
    "with the mark of another": () => `${halves(token)}-${markOf(other)}`,
    "with the number of another": () => `${halves(other)}-${markOf(token)}`,
    "with a number before its number": () => `0${token}`,
    "for an invitation that was never made": () => `999999999-${markOf(token)}`,
    "with a number beyond all numbers": () => `${"9".repeat(15)}-${markOf(token)}`,
    "with a negative number": () => `-${token}`,
    "of a mark made with another secret": () => `${halves(token)}-${foreignMark(token)}`,
    "when the mark is padded": () => `${token}==`,
  };

  test.each(Object.keys(forgeries))("%s", async (how) => {
    const forged = forgeries[how]?.() ?? "";
    expect(forged).not.toBe(token);
    expect(await refusalOf(invitations.look(forged))).toMatchObject({ code: "invitation_over" });
    const bob = await addAccount(stores);
    expect(await refusalOf(invitations.accept(actorOf(bob), forged))).toMatchObject({
      code: "invitation_over",
    });
    expect(await here.roleOf(bob)).toBeNull();
    expect(await invitations.accept(actorOf(bob), token)).toBe(here.slug);
  });

  test("at another installation with the same numbers", async () => {
    const elsewhere = invitationsWith({ seal: createSeal(`${SECRET}, another`) });
    expect(await refusalOf(elsewhere.look(token))).toMatchObject({ code: "invitation_over" });
    const [own] = await elsewhere.list(moderator);
    expect((await elsewhere.look(own?.token ?? "")).id).toBe(own?.id as never);
  });

  test("for another invitation that got the same number in a database begun anew", async () => {
    const fresh = await openSqliteStores();
    const there = await hall(fresh);
    const begun = invitationsWith({ from: fresh });
    const boss = await createAccess(fresh.rooms).moderator(actorOf(there.owner), there.slug);
    const made = [];
    for (let i = 0; i < 2; i++) {
      now += 1;
      await begun.create(boss, OPEN);
      made.unshift((await begun.list(boss))[0]?.token ?? "");
    }
    await fresh.close();

    const again = await openSqliteStores();
    const later = await hall(again);
    now += 1;
    const restored = invitationsWith({ from: again });
    const owner = await createAccess(again.rooms).moderator(actorOf(later.owner), later.slug);
    for (let i = 0; i < 2; i++) await restored.create(owner, OPEN);
    expect((await restored.list(owner)).map((one) => halves(one.token))).toEqual(made.map(halves));
    for (const old of made)
      expect(await refusalOf(restored.look(old))).toMatchObject({ code: "invitation_over" });
    await again.close();
  });
});

test("so many invitations, made and opened, are each person's share", async () => {
  invitations = invitationsWith({ points: 2 });
  await invitations.create(moderator, OPEN);
  await invitations.create(moderator, OPEN);
  const refused = await refusalOf(invitations.create(moderator, OPEN));
  expect(refused).toMatchObject({ code: "rate_limited", retryable: true });
  expect(refused.retryAfterSeconds).toBeWithin(1, 601);
  expect(await invitations.list(moderator)).toHaveLength(2);
  const guesser = await somebody();
  for (let i = 0; i < 2; i++)
    expect(await refusalOf(invitations.accept(guesser, `${i}-${"x".repeat(22)}`))).toMatchObject({
      code: "invitation_over",
    });
  const [{ token } = { token: "" }] = await invitations.list(moderator);
  expect(await refusalOf(invitations.accept(guesser, token))).toMatchObject({ code: "rate_limited" });
  expect(await invitations.accept(await somebody(), token)).toBe(here.slug);
});

function invitationsWith({ points = 1_000_000, seal = createSeal(SECRET), from = stores } = {}): Invitations {
  const rate = createMemoryLimit(points, 600);
  return createInvitations({ store: from.invitations, seal, clock: { now: () => now }, rate });
}

/** Makes an invitation; its token. */
async function invited(terms = OPEN): Promise<string> {
  await invitations.create(moderator, terms);
  return (await invitations.list(moderator))[0]?.token ?? "";
}

function moderatorOf({ owner, slug }: Hall): Promise<Moderator> {
  return createAccess(stores.rooms).moderator(actorOf(owner), slug);
}

function actorOf({ id, name }: Account): Actor {
  return { kind: "member", id, name, session: unique("session") as SessionId, rank: "user" };
}

async function somebody(): Promise<Actor> {
  return actorOf(await addAccount(stores));
}

function swapped(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}

function foreignMark(token: string): string {
  return createSeal(`${SECRET}, another`).mark(`invitation ${token.split("-", 1)[0]} ${now}`);
}

async function refusalOf(promise: Promise<unknown>): Promise<Refused> {
  const refused = await promise.catch((error: unknown) => error);
  if (refused instanceof Refused) return refused;
  throw new Error("it was not refused", { cause: refused });
}
