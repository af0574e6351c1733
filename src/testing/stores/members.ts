/** What every store promises of who belongs to a room. */
import { expect, test } from "bun:test";
import type { Account } from "../../accounts/ports.ts";
import type { MessageId } from "../../shared/ids.ts";
import { entryOf, hall, type Hall } from "./hall.ts";
import { addAccount, unique, type OpenStores } from "./open.ts";
import { remove } from "./scene.ts";

export function belonging(stores: () => OpenStores): void {
  const setRole = ({ room }: Hall, { id }: Account, role: "moderator" | "member" | "removed") =>
    stores().members.setRole(room, id, role);

  test("lists the owner, then moderators, then members, then who was put out, each as they joined", async () => {
    const here = await hall(stores());
    const { owner, joins, people } = here;
    const [d, c, b, a] = [await joins(40), await joins(30), await joins(20), await joins(10)];
    const [f, e] = [await joins(60), await joins(50)];
    expect(await people()).toEqual(
      [owner, a, b, c, d, e, f].map(({ name }, i) => `${name} ${i === 0 ? "owner" : "member"}`),
    );
    for (const one of [d, b]) await setRole(here, one, "moderator");
    for (const one of [a, e]) await setRole(here, one, "removed");
    expect(await people()).toEqual([
      `${owner.name} owner`,
      `${b.name} moderator`,
      `${d.name} moderator`,
      `${c.name} member`,
      `${f.name} member`,
      `${a.name} removed`,
      `${e.name} removed`,
    ]);
  });

  test("tells by which invitation each came, and when", async () => {
    const { room, owner, invites } = await hall(stores());
    const bob = await addAccount(stores());
    const invitation = await invites();
    await stores().invitations.accept(invitation.id, bob.id, 77);
    const [first, second] = await stores().members.ofRoom(room);
    expect(first).toMatchObject({ id: owner.id, invitation: null });
    expect(second).toMatchObject({ id: bob.id, invitation: invitation.id, joinedAt: 77 });
  });

  test("changes one person's role, in one room", async () => {
    const [here, there] = [await hall(stores()), await hall(stores())];
    const bob = await here.joins();
    await stores().invitations.accept((await there.invites()).id, bob.id, 1);
    const carl = await here.joins();
    expect(await setRole(here, bob, "moderator")).toBe(true);
    const roles = async () => [await here.roleOf(bob), await there.roleOf(bob), await here.roleOf(carl)];
    expect(await roles()).toEqual(["moderator", "member", "member"]);
    expect(await setRole(here, bob, "member")).toBe(true);
    expect(await roles()).toEqual(["member", "member", "member"]);
  });

  test("keeps a person who was put out from entering, and remembers them", async () => {
    const here = await hall(stores());
    const bob = await here.joins();
    expect((await entryOf(stores(), here.slug, bob)).role).toBe("member");
    await setRole(here, bob, "removed");
    expect((await entryOf(stores(), here.slug, bob)).role).toBeNull();
    expect(await here.roleOf(bob)).toBe("removed");
    await stores().members.forget(here.room, bob.id);
    expect(await here.roleOf(bob)).toBeNull();
  });

  test("leaves an owner what they are, but by handing over", async () => {
    const here = await hall(stores());
    const bob = await here.joins();
    for (const role of ["moderator", "member", "removed"] as const) {
      expect(await setRole(here, here.owner, role)).toBe(false);
    }
    await stores().members.forget(here.room, here.owner.id);
    expect(await here.people()).toEqual([`${here.owner.name} owner`, `${bob.name} member`]);
  });

  test("gives no role to somebody who is not there", async () => {
    const here = await hall(stores());
    const stranger = await addAccount(stores());
    expect(await setRole(here, stranger, "moderator")).toBe(false);
    expect(await here.people()).toEqual([`${here.owner.name} owner`]);
  });
}

export function handingOver(stores: () => OpenStores): void {
  const handOver = ({ room }: Hall, from: Account, to: Account) =>
    stores().members.handOver(room, from.id, to.id);

  test("makes the other the owner, and the owner a moderator", async () => {
    const here = await hall(stores());
    const { owner } = here;
    const [bob, carl] = [await here.joins(), await here.joins()];
    await handOver(here, owner, carl);
    expect(await here.people()).toEqual([
      `${carl.name} owner`,
      `${owner.name} moderator`,
      `${bob.name} member`,
    ]);
    expect((await entryOf(stores(), here.slug, carl)).role).toBe("owner");
  });

  test("to ten people at once leaves one owner", async () => {
    const here = await hall(stores());
    const people = await Promise.all(Array.from({ length: 10 }, () => here.joins()));
    await Promise.all(people.map((person) => handOver(here, here.owner, person)));
    const roles = (await here.people()).map((line) => line.split(" ")[1]);
    expect(roles.filter((role) => role === "owner")).toHaveLength(1);
    expect(await here.roleOf(here.owner)).toBe("moderator");
  });

  test("by somebody who is not the owner changes nothing", async () => {
    const here = await hall(stores());
    const [bob, carl] = [await here.joins(), await here.joins()];
    await stores().members.setRole(here.room, bob.id, "moderator");
    const before = await here.people();
    await handOver(here, bob, carl);
    expect(await here.people()).toEqual(before);
  });

  test("to somebody who has left, was put out or never came changes nothing", async () => {
    const here = await hall(stores());
    const [left, removed, stranger] = [await here.joins(), await here.joins(), await addAccount(stores())];
    await stores().members.forget(here.room, left.id);
    await stores().members.setRole(here.room, removed.id, "removed");
    const before = await here.people();
    for (const other of [left, removed, stranger]) {
      await handOver(here, here.owner, other);
      expect(await here.people()).toEqual(before);
    }
  });
}

export function withdrawing(stores: () => OpenStores): void {
  const withdraw = ({ id }: Account) => stores().members.withdraw(id);

  test("gives a room to the moderator who has been there longest", async () => {
    const here = await hall(stores());
    const early = await here.joins(10);
    const [second, first] = [await here.joins(30), await here.joins(20)];
    for (const { id } of [first, second]) await stores().members.setRole(here.room, id, "moderator");
    expect(await withdraw(here.owner)).toEqual({ left: [{ id: here.room, slug: here.slug }], removed: [] });
    expect(await here.people()).toEqual([
      `${first.name} owner`,
      `${second.name} moderator`,
      `${early.name} member`,
    ]);
  });

  test("gives a room without moderators to the member who has been there longest", async () => {
    const here = await hall(stores());
    const removed = await here.joins(5);
    await stores().members.setRole(here.room, removed.id, "removed");
    const [second, first] = [await here.joins(30), await here.joins(20)];
    await withdraw(here.owner);
    expect(await here.people()).toEqual([
      `${first.name} owner`,
      `${second.name} member`,
      `${removed.name} removed`,
    ]);
  });

  test("removes a room in which nobody is left, whoever was put out of it before", async () => {
    const [empty, deserted] = [await hall(stores()), await hall(stores())];
    await stores().invitations.accept((await deserted.invites()).id, empty.owner.id, 1);
    const outcast = await empty.joins();
    await stores().members.setRole(empty.room, outcast.id, "removed");
    const { left, removed } = await withdraw(empty.owner);
    expect({ left, removed }).toEqual({
      left: [{ id: deserted.room, slug: deserted.slug }],
      removed: [{ id: empty.room, slug: empty.slug }],
    });
    expect((await stores().rooms.entry(empty.slug, null))?.room.name).toBe("");
    expect(await deserted.people()).toEqual([`${deserted.owner.name} owner`]);
  });

  test("leaves direct rooms, and those of others, as they are", async () => {
    const here = await hall(stores());
    const bob = await here.joins();
    const wish = { slug: unique("direct"), name: "both", createdAt: 1 };
    const direct = await stores().rooms.direct(wish, bob.id, here.owner.id);
    const { left, removed } = await withdraw(bob);
    expect({ left, removed }).toEqual({ left: [{ id: here.room, slug: here.slug }], removed: [] });
    expect(await here.people()).toEqual([`${here.owner.name} owner`]);
    expect((await entryOf(stores(), direct, bob)).role).toBe("member");
    expect((await stores().rooms.ofUser(bob.id)).map(({ slug }) => slug)).toEqual([direct]);
  });

  test("of somebody who belongs to no room does nothing", async () => {
    expect(await withdraw(await addAccount(stores()))).toEqual({ left: [], removed: [] });
  });
}

export function markingRead(stores: () => OpenStores): void {
  const unread = async (account: Account, slug: string) =>
    (await stores().rooms.ofUser(account.id)).find((room) => room.slug === slug)?.unread;

  test("never goes back, nor beyond what has been said", async () => {
    const here = await hall(stores());
    const bob = await here.joins();
    for (const text of ["1", "2", "3"]) await here.says(here.owner, text);
    const mark = (seq: number) => stores().members.markRead(here.room, bob.id, seq);
    const afterMark = async (seq: number) => {
      await mark(seq);
      return unread(bob, here.slug);
    };
    expect(await unread(bob, here.slug)).toBe(3);
    expect(await afterMark(0)).toBe(3);
    expect(await afterMark(2)).toBe(1);
    expect(await afterMark(1)).toBe(1);
    expect(await afterMark(1_000_000)).toBe(0);
    await mark(Number.MAX_SAFE_INTEGER);
    await here.says(here.owner, "4");
    expect(await unread(bob, here.slug)).toBe(1);
  });

  test("is one person's own, in one room", async () => {
    const [here, there] = [await hall(stores()), await hall(stores())];
    const [bob, carl] = [await here.joins(), await here.joins()];
    await stores().invitations.accept((await there.invites()).id, bob.id, 1);
    for (const { owner, says } of [here, there]) await says(owner, "hello");
    await stores().members.markRead(here.room, bob.id, 1);
    expect([
      await unread(bob, here.slug),
      await unread(bob, there.slug),
      await unread(carl, here.slug),
    ]).toEqual([0, 1, 1]);
  });

  test("of everything leaves nothing unread, for this person alone", async () => {
    const [here, there] = [await hall(stores()), await hall(stores())];
    const [bob, carl] = [await here.joins(), await here.joins()];
    await stores().invitations.accept((await there.invites()).id, bob.id, 1);
    for (const { owner, says } of [here, there]) await says(owner, "hello");
    expect((await stores().rooms.ofUser(bob.id)).map((room) => room.unread)).toEqual([1, 1]);
    await stores().members.markAllRead(bob.id);
    expect((await stores().rooms.ofUser(bob.id)).map((room) => room.unread)).toEqual([0, 0]);
    expect(await unread(carl, here.slug)).toBe(1);
    await here.says(here.owner, "news");
    expect(await unread(bob, here.slug)).toBe(1);
  });

  test("is not undone by the removal of the last message read", async () => {
    const here = await hall(stores());
    const bob = await here.joins();
    const id = (await here.says(here.owner, "1")) as MessageId;
    await stores().members.markRead(here.room, bob.id, 1);
    await stores().messages.write([remove(id, here.owner.id)]);
    expect(await unread(bob, here.slug)).toBe(0);
    await here.says(here.owner, "2");
    expect(await unread(bob, here.slug)).toBe(1);
  });
}
