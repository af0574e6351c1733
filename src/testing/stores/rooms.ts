/** What every store promises of making rooms and of listing somebody's own. */
import { expect, test } from "bun:test";
import type { Account } from "../../accounts/ports.ts";
import type { MyRoom } from "../../chat/ports.ts";
import type { MessageId } from "../../shared/ids.ts";
import { UNREAD_MAX } from "../../shared/limits.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { entryOf, hall } from "./hall.ts";
import { addAccount, addPerson, unique, type OpenStores } from "./open.ts";
import { remove } from "./scene.ts";

export function makingRooms(stores: () => OpenStores): void {
  const make = ({ id }: Account, slug: string, name = "Hall") =>
    stores().rooms.create({ slug, name, createdAt: 1000 }, id);

  test("begin with their owner, and as nobody else's", async () => {
    const [ann, bob] = [await addAccount(stores()), await addAccount(stores())];
    const slug = unique("room");
    expect(await make(ann, slug)).toBe(true);
    const { room, role, isMuted } = await entryOf(stores(), slug, ann);
    expect(room).toMatchObject({ slug, name: "Hall", topic: "", kind: "private", isClosed: false, head: 0 });
    expect({ role, isMuted }).toEqual({ role: "owner", isMuted: false });
    expect(await stores().members.ofRoom(room.id)).toEqual([
      { id: ann.id, name: ann.name, avatar: null, role: "owner", joinedAt: 1000, invitation: null },
    ]);
    for (const other of [bob, null]) expect((await entryOf(stores(), slug, other)).role).toBeNull();
  });

  test("have slugs of their own: 20 people ask for one at once, and one gets it", async () => {
    const slug = unique("room");
    const people = await Promise.all(Array.from({ length: 20 }, () => addAccount(stores())));
    const made = await Promise.all(people.map((person) => make(person, slug, person.name)));
    expect(made.filter(Boolean)).toHaveLength(1);
    const winner = people[made.indexOf(true)] as Account;
    for (const person of people) {
      const { room, role } = await entryOf(stores(), slug, person);
      expect([room.name, role]).toEqual([winner.name, person === winner ? "owner" : null]);
    }
    const { room } = await entryOf(stores(), slug, null);
    expect(await stores().members.ofRoom(room.id)).toHaveLength(1);
  });

  test("are two where their slugs differ in case only", async () => {
    const [ann, bob] = [await addAccount(stores()), await addAccount(stores())];
    const slug = unique("Room");
    expect([await make(ann, slug), await make(bob, slug.toLowerCase())]).toEqual([true, true]);
    expect((await entryOf(stores(), slug, bob)).role).toBeNull();
    expect((await entryOf(stores(), slug.toLowerCase(), bob)).role).toBe("owner");
  });

  test("do not take the place of the public one", async () => {
    const ann = await addAccount(stores());
    expect(await make(ann, PUBLIC_ROOM)).toBe(false);
    const { room, role } = await entryOf(stores(), PUBLIC_ROOM, ann);
    expect([room.kind, room.name, role]).toEqual(["public", "Public Chat", null]);
    expect(await stores().members.ofRoom(room.id)).toEqual([]);
  });

  test("know whoever made them by their present name, until the account is gone", async () => {
    const { room, owner } = await hall(stores());
    expect(await stores().rooms.creator(room)).toBe(owner.name);
    const name = unique("renamed");
    await stores().accounts.update(owner.id, { name, nameKey: name });
    expect(await stores().rooms.creator(room)).toBe(name);
    await stores().removeAccount(owner.id);
    expect(await stores().rooms.creator(room)).toBeNull();
    const open = await entryOf(stores(), PUBLIC_ROOM, null);
    expect(await stores().rooms.creator(open.room.id)).toBeNull();
  });

  test("change what is changed and nothing else, in no other room", async () => {
    const [one, other] = [await hall(stores()), await hall(stores())];
    const before = (await entryOf(stores(), one.slug, null)).room;
    const untouched = (await entryOf(stores(), other.slug, null)).room;
    await stores().rooms.update(one.room, { topic: "О чём мы" });
    expect((await entryOf(stores(), one.slug, null)).room).toEqual({ ...before, topic: "О чём мы" });
    await stores().rooms.update(one.room, { name: "Зал", isClosed: true });
    const after = { ...before, name: "Зал", topic: "О чём мы", isClosed: true };
    expect((await entryOf(stores(), one.slug, null)).room).toEqual(after);
    await stores().rooms.update(one.room, { isClosed: false });
    expect((await entryOf(stores(), one.slug, null)).room.isClosed).toBe(false);
    expect((await entryOf(stores(), other.slug, null)).room).toEqual(untouched);
  });

  test("go with all that was in them, and nobody else gets their slug", async () => {
    const { room, slug, owner, invites, says } = await hall(stores());
    const id = (await says(owner, "hello")) as MessageId;
    const invitation = await invites();
    expect(await stores().messages.find(id)).toMatchObject({ slug });
    await stores().rooms.remove(room);
    expect(await entryOf(stores(), slug, owner)).toMatchObject({ room: { name: "" }, role: null });
    expect(await stores().messages.find(id)).toBeNull();
    expect(await stores().members.ofRoom(room)).toEqual([]);
    expect(await stores().invitations.find(invitation.id)).toBeNull();
    expect(await stores().invitations.accept(invitation.id, owner.id, 1)).toBe("over");
    expect(await make(owner, slug)).toBe(false);
    expect((await stores().messages.page(room, { limit: 10 })).messages).toEqual([]);
    expect(await stores().rooms.ofUser(owner.id)).toEqual([]);
  });

  test("tell whether whoever asks is muted", async () => {
    const { slug, owner, joins } = await hall(stores());
    const bob = await joins();
    await stores().accounts.update(bob.id, { isMuted: true });
    for (const there of [slug, PUBLIC_ROOM]) {
      expect((await entryOf(stores(), there, bob)).isMuted).toBe(true);
      expect((await entryOf(stores(), there, owner)).isMuted).toBe(false);
      expect((await entryOf(stores(), there, null)).isMuted).toBe(false);
    }
  });
}

export function talkingDirectly(stores: () => OpenStores): void {
  const between = (one: Account, other: Account) =>
    stores().rooms.direct({ slug: unique("direct"), name: "both", createdAt: 1000 }, one.id, other.id);

  test("is in one room, whichever of the two asks, and however often", async () => {
    const [ann, bob] = [await addAccount(stores()), await addAccount(stores())];
    const slugs = await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? between(ann, bob) : between(bob, ann))),
    );
    expect(new Set(slugs).size).toBe(1);
    const slug = slugs[0] as string;
    for (const person of [ann, bob]) {
      const { room, role } = await entryOf(stores(), slug, person);
      expect([room.kind, role]).toEqual(["direct", "member"]);
    }
    const { room } = await entryOf(stores(), slug, ann);
    const people = await stores().members.ofRoom(room.id);
    expect(people.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual([ann.id, bob.id]);
    expect((await stores().rooms.ofUser(ann.id)).filter((mine) => mine.kind === "direct")).toHaveLength(1);
  });

  test("is nobody else's, and apart from what each of the two says to others", async () => {
    const [ann, bob, carl] = [
      await addAccount(stores()),
      await addAccount(stores()),
      await addAccount(stores()),
    ];
    const slug = await between(ann, bob);
    expect((await entryOf(stores(), slug, carl)).role).toBeNull();
    const others = [await between(ann, carl), await between(bob, carl)];
    expect(new Set([slug, ...others]).size).toBe(3);
  });

  test("bears for each of the two the present name of the other", async () => {
    const [ann, bob] = [await addAccount(stores()), await addAccount(stores())];
    const slug = await between(ann, bob);
    const namesFor = async (person: Account) => [
      (await entryOf(stores(), slug, person)).room.name,
      (await stores().rooms.ofUser(person.id))[0]?.name,
    ];
    expect(await namesFor(ann)).toEqual([bob.name, bob.name]);
    expect(await namesFor(bob)).toEqual([ann.name, ann.name]);
    const name = unique("renamed");
    await stores().accounts.update(bob.id, { name, nameKey: name });
    expect(await namesFor(ann)).toEqual([name, name]);
  });
}

export function listingRooms(stores: () => OpenStores): void {
  const mine = ({ id }: Account) => stores().rooms.ofUser(id);
  const slugs = (rooms: MyRoom[]) => rooms.map(({ slug }) => slug);
  const unreadOf = async (account: Account, slug: string) =>
    (await mine(account)).find((room) => room.slug === slug)?.unread;

  test("gives the rooms of a member with their role in each, and no others", async () => {
    const ann = await addAccount(stores());
    expect(await mine(ann)).toEqual([]);
    const own = unique("own");
    await stores().rooms.create({ slug: own, name: "Own", createdAt: 1 }, ann.id);
    const [joined, left, removed] = [await hall(stores()), await hall(stores()), await hall(stores())];
    for (const there of [joined, left, removed])
      await stores().invitations.accept((await there.invites()).id, ann.id, 1);
    await stores().members.setRole(joined.room, ann.id, "moderator");
    expect(await mine(ann)).toHaveLength(4);
    await stores().members.forget(left.room, ann.id);
    await stores().members.setRole(removed.room, ann.id, "removed");
    const found = (await mine(ann)).map(({ slug, role, kind }) => [slug, role, kind]);
    expect(found).toEqual([
      [joined.slug, "moderator", "private"],
      [own, "owner", "private"],
    ]);
  });

  test("puts the one with the latest message first, and silent ones last, the newest of those first", async () => {
    const ann = await addPerson(stores());
    const halls = [];
    for (let i = 0; i < 4; i++) {
      const there = await hall(stores());
      await stores().invitations.accept((await there.invites()).id, ann.id, 1);
      halls.push(there);
    }
    const [a, b, c, d] = halls as [
      (typeof halls)[0],
      (typeof halls)[0],
      (typeof halls)[0],
      (typeof halls)[0],
    ];
    expect(slugs(await mine(ann))).toEqual([d.slug, c.slug, b.slug, a.slug]);
    await a.says(a.owner, "first");
    await c.says(c.owner, "second");
    expect(slugs(await mine(ann))).toEqual([c.slug, a.slug, d.slug, b.slug]);
    await a.says(ann, "third");
    expect(slugs(await mine(ann))).toEqual([a.slug, c.slug, d.slug, b.slug]);
  });

  test("counts what others have said since one last read, but not what was removed", async () => {
    const { slug, room, owner, joins, says } = await hall(stores());
    const bob = await joins();
    const first = (await says(owner, "one")) as MessageId;
    await says(owner, "two");
    await says(bob, "mine");
    expect([await unreadOf(bob, slug), await unreadOf(owner, slug)]).toEqual([2, 1]);
    await stores().messages.write([remove(first, owner.id)]);
    expect([await unreadOf(bob, slug), await unreadOf(owner, slug)]).toEqual([1, 1]);
    await stores().members.markRead(room, bob.id, 2);
    expect([await unreadOf(bob, slug), await unreadOf(owner, slug)]).toEqual([0, 1]);
    await says(owner, "three");
    expect(await unreadOf(bob, slug)).toBe(1);
  });

  test("counts what was said by somebody whose account is gone", async () => {
    const { slug, owner, joins, says } = await hall(stores());
    const bob = await joins();
    await says(bob, "farewell");
    expect(await unreadOf(owner, slug)).toBe(1);
    await stores().removeAccount(bob.id);
    expect(await unreadOf(owner, slug)).toBe(1);
  });

  test("counts no further than anybody reads", async () => {
    const { slug, owner, joins, says } = await hall(stores());
    const bob = await joins();
    for (let i = 1; i < UNREAD_MAX; i++) await says(owner, `${i}`);
    expect(await unreadOf(bob, slug)).toBe(UNREAD_MAX - 1);
    for (let i = 0; i < 3; i++) await says(owner, "more");
    expect(await unreadOf(bob, slug)).toBe(UNREAD_MAX);
  });

  test("gives what a room looks like now", async () => {
    const { room, slug, owner } = await hall(stores());
    await stores().rooms.update(room, { name: "Зал", topic: "О чём мы", isClosed: true });
    const [found] = await mine(owner);
    const { room: entry } = await entryOf(stores(), slug, owner);
    expect(found).toEqual({ ...entry, role: "owner", unread: 0 });
  });
}
