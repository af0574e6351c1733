import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Account } from "../accounts/ports.ts";
import { createMemoryBus } from "../bus/memory.ts";
import type { SessionId } from "../shared/ids.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { hall, type Hall } from "../testing/stores/hall.ts";
import { addAccount, openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { createAccess, type Access, type Actor } from "./access.ts";
import { createMembers, type Members } from "./members.ts";
import type { BusEvent } from "./ports.ts";
import { Refused } from "./refusal.ts";

let stores: OpenStores;
let access: Access;
let members: Members;
let published: BusEvent[];
let here: Hall;
/** Two of each kind: one who acts, and one to whom it is done. */
let people: Record<Who, Account>;

const ROLES = ["owner", "moderator", "member", "removed"] as const;
type Who = (typeof ROLES)[number] | "other moderator" | "other member" | "stranger";

beforeAll(async () => {
  stores = await openSqliteStores();
  access = createAccess(stores.rooms);
});
afterAll(() => stores.close());

beforeEach(async () => {
  const bus = createMemoryBus();
  published = [];
  bus.subscribe((event) => void published.push(event));
  members = createMembers({ store: stores.members, bus });
  here = await hall(stores);
  people = {
    owner: here.owner,
    moderator: await here.joins(),
    member: await here.joins(),
    removed: await here.joins(),
    "other moderator": await here.joins(),
    "other member": await here.joins(),
    stranger: await addAccount(stores),
  };
  for (const who of ["moderator", "other moderator"] as const)
    await stores.members.setRole(here.room, people[who].id, "moderator");
  await stores.members.setRole(here.room, people.removed.id, "removed");
});

/** What somebody of one role comes to by each act on somebody of another: the role afterwards, or the refusal. */
describe("what each may do with each:", () => {
  const acts = {
    remove: async (who: Who, whom: Who) =>
      members.remove(await access.moderator(actorOf(who), here.slug), people[whom].name),
    readmit: async (who: Who, whom: Who) =>
      members.readmit(await access.moderator(actorOf(who), here.slug), people[whom].name),
    promote: async (who: Who, whom: Who) =>
      members.setRole(await access.owner(actorOf(who), here.slug), people[whom].name, "moderator"),
    demote: async (who: Who, whom: Who) =>
      members.setRole(await access.owner(actorOf(who), here.slug), people[whom].name, "member"),
    "hand over": async (who: Who, whom: Who) =>
      members.handOver(await access.owner(actorOf(who), here.slug), people[whom].name),
  };
  const nobody = {
    owner: "forbidden",
    "other moderator": "forbidden",
    "other member": "forbidden",
    removed: "forbidden",
    stranger: "forbidden",
  };
  const unseen = Object.fromEntries(Object.keys(nobody).map((whom) => [whom, "not_found"]));
  const absent = { stranger: "not_found" };

  const table: [keyof typeof acts, Who, Partial<Record<Who, string>>][] = [
    [
      "remove",
      "owner",
      { ...absent, owner: "forbidden", "other moderator": "removed", "other member": "removed" },
    ],
    ["remove", "moderator", { ...nobody, ...absent, moderator: "forbidden", "other member": "removed" }],
    ["remove", "member", { ...nobody, member: "forbidden" }],
    ["remove", "removed", unseen],
    ["remove", "stranger", unseen],
    [
      "readmit",
      "owner",
      {
        ...absent,
        owner: "owner",
        "other moderator": "moderator",
        "other member": "member",
        removed: "gone",
      },
    ],
    [
      "readmit",
      "moderator",
      {
        ...absent,
        owner: "owner",
        "other moderator": "moderator",
        "other member": "member",
        removed: "gone",
      },
    ],
    ["readmit", "member", nobody],
    ["readmit", "removed", unseen],
    [
      "promote",
      "owner",
      {
        ...absent,
        owner: "forbidden",
        "other moderator": "moderator",
        "other member": "moderator",
        removed: "forbidden",
      },
    ],
    ["promote", "moderator", { ...nobody, moderator: "forbidden" }],
    ["promote", "member", { ...nobody, member: "forbidden" }],
    ["promote", "stranger", unseen],
    [
      "demote",
      "owner",
      {
        ...absent,
        owner: "forbidden",
        "other moderator": "member",
        "other member": "member",
        removed: "forbidden",
      },
    ],
    ["demote", "moderator", nobody],
    ["demote", "member", nobody],
    [
      "hand over",
      "owner",
      {
        ...absent,
        owner: "forbidden",
        "other moderator": "owner",
        "other member": "owner",
        removed: "forbidden",
      },
    ],
    ["hand over", "moderator", { ...nobody, moderator: "forbidden" }],
    ["hand over", "member", { ...nobody, member: "forbidden" }],
    ["hand over", "removed", unseen],
  ];
  const cases = table.flatMap(([act, who, outcomes]) =>
    (Object.entries(outcomes) as [Who, string][]).map(
      ([whom, outcome]) => [act, who, whom, outcome] as const,
    ),
  );

  test.each(cases)("to %s, by the %s, the %s: %s", async (act, who, whom, outcome) => {
    const before = await here.people();
    const refused = await codeOf(acts[act](who, whom));
    expect(refused ?? (await here.roleOf(people[whom])) ?? "gone").toBe(outcome);
    if (refused) expect(await here.people()).toEqual(before);
    const owners = (await here.people()).filter((line) => line.endsWith(" owner"));
    expect(owners).toHaveLength(1);
    const told = { type: "membership.ended", roomId: here.room, room: here.slug, userId: people[whom].id };
    expect(published).toEqual(act === "remove" && !refused ? [told as BusEvent] : []);
  });

  test("after handing over the former owner is a moderator", async () => {
    await acts["hand over"]("owner", "other member");
    expect(await here.roleOf(here.owner)).toBe("moderator");
    expect(await codeOf(acts["hand over"]("owner", "other moderator"))).toBe("forbidden");
  });
});

describe("at the same moment", () => {
  test("somebody who is put out while becoming the owner stays, and so does the room's owner", async () => {
    const [moderator, owner] = [
      await access.moderator(actorOf("moderator"), here.slug),
      await access.owner(actorOf("owner"), here.slug),
    ];
    const { name } = people.member;
    await Promise.all([members.handOver(owner, name), members.remove(moderator, name).catch(refusal)]);
    expect((await here.people())[0]).toBe(`${name} owner`);
  });

  test("somebody who leaves while becoming the owner leaves no room without one", async () => {
    const owner = await access.owner(actorOf("owner"), here.slug);
    const reader = await access.reader(actorOf("member"), here.slug);
    const { name, id } = people.member;
    // Whoever comes second may find that it is not possible any more.
    const acts = [members.handOver(owner, name), members.leave(reader, id)];
    await Promise.all(acts.map((act) => act.catch(refusal)));
    expect((await here.people()).filter((line) => line.endsWith(" owner"))).toHaveLength(1);
  });
});

describe("leaving", () => {
  const leave = async (who: Who, slug = here.slug) =>
    members.leave(await access.reader(actorOf(who), slug), people[who].id);

  test.each(["moderator", "member"] as const)(
    "is the %s's own choice, and they may come back",
    async (who) => {
      await leave(who);
      expect(await here.roleOf(people[who])).toBeNull();
      const userId = people[who].id;
      expect(published).toEqual([{ type: "membership.ended", roomId: here.room, room: here.slug, userId }]);
      expect(await codeOf(access.reader(actorOf(who), here.slug))).toBe("not_found");
      const { id } = await here.invites();
      expect(await stores.invitations.accept(id, userId, 1)).toMatchObject({ first: true });
      expect(await here.roleOf(people[who])).toBe("member");
    },
  );

  test("is not for the owner, until somebody else is it", async () => {
    expect(await codeOf(leave("owner"))).toBe("owner_stays");
    expect(await here.roleOf(here.owner)).toBe("owner");
    await members.handOver(await access.owner(actorOf("owner"), here.slug), people.member.name);
    await leave("owner");
    expect(await here.roleOf(here.owner)).toBeNull();
  });

  test("is not possible where nobody is a member, nor where two are for ever", async () => {
    expect(await codeOf(leave("member", PUBLIC_ROOM))).toBe("forbidden");
    const wish = { slug: unique("direct"), name: "both", createdAt: 1 };
    const direct = await stores.rooms.direct(wish, people.member.id, people.owner.id);
    expect(await codeOf(leave("member", direct))).toBe("forbidden");
    expect(published).toEqual([]);
    expect(await codeOf(access.reader(actorOf("member"), direct))).toBeNull();
  });
});

describe("what is read", () => {
  const unread = async () =>
    (await stores.rooms.ofUser(people.member.id)).find(({ slug }) => slug === here.slug)?.unread;

  test("is marked for members, no further than there are messages", async () => {
    for (const text of ["1", "2"]) await here.says(here.owner, text);
    const reader = await access.reader(actorOf("member"), here.slug);
    expect(await unread()).toBe(2);
    await members.markRead(reader, people.member.id, 1);
    expect(await unread()).toBe(1);
    await members.markRead(reader, people.member.id, 1_000);
    await here.says(here.owner, "3");
    expect(await unread()).toBe(1);
    await members.markAllRead(actorOf("member"));
    expect(await unread()).toBe(0);
  });

  test("in the public room is nobody's business, and guests have nothing to mark", async () => {
    const reader = await access.reader(actorOf("stranger"), PUBLIC_ROOM);
    await members.markRead(reader, people.stranger.id, 1);
    expect(await stores.members.ofRoom(reader.room.id)).toEqual([]);
    expect(() => members.markAllRead({ kind: "guest" })).toThrow("login_required");
  });
});

test("whoever goes for good leaves every room, and everyone concerned is told", async () => {
  const [inherited, empty] = [await hall(stores), await hall(stores)];
  const heir = await inherited.joins();
  for (const { invites } of [inherited, empty])
    await stores.invitations.accept((await invites()).id, here.owner.id, 2);
  await members.withdraw(empty.owner.id);
  published = [];
  await members.withdraw(inherited.owner.id);
  expect(published).toEqual([
    {
      type: "membership.ended",
      roomId: inherited.room,
      room: inherited.slug,
      userId: inherited.owner.id,
    },
  ]);
  expect(await inherited.roleOf(heir)).toBe("owner");

  published = [];
  await members.withdraw(here.owner.id);
  expect(published.map((event) => `${event.type} ${"room" in event ? event.room : ""}`).toSorted()).toEqual(
    [
      `membership.ended ${here.slug}`,
      `membership.ended ${inherited.slug}`,
      `room.removed ${empty.slug}`,
    ].toSorted(),
  );
});

test("the list of members is what the store knows", async () => {
  const reader = await access.reader(actorOf("member"), here.slug);
  expect(await members.list(reader)).toEqual(await stores.members.ofRoom(here.room));
});

function actorOf(who: Who): Actor & { kind: "member" } {
  const { id, name } = people[who];
  return { kind: "member", id, name, session: unique("session") as SessionId, rank: "user" };
}

/** Null when it is done. */
function codeOf(act: Promise<unknown>): Promise<string | null> {
  return act.then(() => null, refusal);
}

function refusal(error: unknown): string {
  if (error instanceof Refused) return error.code;
  throw error;
}
