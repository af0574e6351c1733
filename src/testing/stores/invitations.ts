/** What every store promises of invitations. */
import { expect, test } from "bun:test";
import type { Account } from "../../accounts/ports.ts";
import type { Acceptance, Invitation } from "../../chat/ports.ts";
import type { InvitationId } from "../../shared/ids.ts";
import { hall, type Hall } from "./hall.ts";
import { addAccount, type OpenStores } from "./open.ts";

const NOW = 1_795_339_770_247;

export function inviting(stores: () => OpenStores): void {
  const accept = ({ id }: Pick<Invitation, "id">, account: Account, now = NOW): Promise<Acceptance> =>
    stores().invitations.accept(id, account.id, now);
  const joined = ({ room, slug }: Hall, first = true): Acceptance => ({ joined: room, slug, first });
  const usesOf = async ({ id }: Invitation) => (await stores().invitations.find(id))?.uses;

  test("keeps what was set, and shows it with the room and whoever invites", async () => {
    const here = await hall(stores());
    const made = await here.invites({ createdAt: NOW, expiresAt: NOW + 1, usesMax: 3 });
    expect(made).toEqual({
      id: made.id,
      room: { id: here.room, slug: here.slug, name: here.slug },
      createdBy: here.owner.name,
      createdAt: NOW,
      expiresAt: NOW + 1,
      usesMax: 3,
      uses: 0,
      isRevoked: false,
    });
    expect(await stores().invitations.find((made.id + 1_000_000) as InvitationId)).toBeNull();
  });

  test("lists a room's own, the newest first", async () => {
    const [here, there] = [await hall(stores()), await hall(stores())];
    const [a, , b] = [await here.invites(), await there.invites(), await here.invites({ createdAt: 0 })];
    expect(await stores().invitations.ofRoom(here.room)).toEqual([b, a]);
  });

  test("outlives the account of whoever invites", async () => {
    const here = await hall(stores());
    const bob = await here.joins();
    const made = await here.invites({ createdBy: bob.id });
    await stores().removeAccount(bob.id);
    expect(await stores().invitations.find(made.id)).toEqual({ ...made, createdBy: null });
    expect(await accept(made, await addAccount(stores()))).toEqual(joined(here));
  });

  test("lets somebody in as a member, to whom nothing of before is news", async () => {
    const here = await hall(stores());
    await here.says(here.owner, "before");
    const bob = await addAccount(stores());
    const made = await here.invites();
    expect(await accept(made, bob)).toEqual(joined(here));
    expect(await usesOf(made)).toBe(1);
    const [room] = await stores().rooms.ofUser(bob.id);
    expect(room).toMatchObject({ slug: here.slug, role: "member", unread: 0 });
    await here.says(here.owner, "after");
    expect((await stores().rooms.ofUser(bob.id))[0]?.unread).toBe(1);
  });

  test("is not used up by whoever is inside already, and does not change their role", async () => {
    const here = await hall(stores());
    const bob = await here.joins();
    await stores().members.setRole(here.room, bob.id, "moderator");
    const made = await here.invites({ usesMax: 1 });
    for (const member of [here.owner, bob]) expect(await accept(made, member)).toEqual(joined(here, false));
    expect([await here.roleOf(here.owner), await here.roleOf(bob)]).toEqual(["owner", "moderator"]);
    expect(await usesOf(made)).toBe(0);
    expect(await accept(made, await addAccount(stores()))).toEqual(joined(here));
  });

  test("works until the millisecond at which it expires", async () => {
    const here = await hall(stores());
    const made = await here.invites({ expiresAt: NOW });
    const people = [await addAccount(stores()), await addAccount(stores()), await addAccount(stores())];
    const [early, punctual, late] = people as [Account, Account, Account];
    expect(await accept(made, early, NOW - 1)).toEqual(joined(here));
    expect(await accept(made, punctual, NOW)).toBe("over");
    expect(await accept(made, late, NOW + 1)).toBe("over");
    expect(await usesOf(made)).toBe(1);
    expect(await here.people()).toHaveLength(2);
  });

  test("works as often as it says", async () => {
    const here = await hall(stores());
    const made = await here.invites({ usesMax: 2 });
    const outcomes = [];
    for (let i = 0; i < 4; i++) outcomes.push(await accept(made, await addAccount(stores())));
    expect(outcomes).toEqual([joined(here), joined(here), "over", "over"]);
    expect(await usesOf(made)).toBe(2);
  });

  test("lets one of 50 in who all come for its last use at once", async () => {
    const here = await hall(stores());
    const made = await here.invites({ usesMax: 1 });
    const people = await Promise.all(Array.from({ length: 50 }, () => addAccount(stores())));
    const outcomes = await Promise.all(people.map((person) => accept(made, person)));
    expect(outcomes.filter((outcome) => outcome === "over")).toHaveLength(49);
    expect(outcomes).toContainEqual(joined(here));
    expect(await here.people()).toHaveLength(2);
    expect(await usesOf(made)).toBe(1);
  });

  test("counts somebody once who presses 20 times at once", async () => {
    const here = await hall(stores());
    const made = await here.invites({ usesMax: 2 });
    const bob = await addAccount(stores());
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => accept(made, bob)));
    expect(outcomes.filter((outcome) => typeof outcome === "object" && outcome.first)).toHaveLength(1);
    expect(await usesOf(made)).toBe(1);
  });

  test("lets nobody in once it is revoked, which only its own room can do", async () => {
    const [here, there] = [await hall(stores()), await hall(stores())];
    const made = await here.invites();
    await stores().invitations.revoke(there.room, made.id);
    expect(await accept(made, await addAccount(stores()))).toEqual(joined(here));
    await stores().invitations.revoke(here.room, made.id);
    expect(await stores().invitations.find(made.id)).toMatchObject({ isRevoked: true, uses: 1 });
    expect(await accept(made, await addAccount(stores()))).toBe("over");
  });

  test("refuses whoever was put out, and nothing is used up, until they are let back", async () => {
    const here = await hall(stores());
    const bob = await here.joins();
    const made = await here.invites({ usesMax: 1 });
    await stores().members.setRole(here.room, bob.id, "removed");
    expect(await accept(made, bob)).toBe("removed");
    expect([await usesOf(made), await here.roleOf(bob)]).toEqual([0, "removed"]);
    await stores().members.forget(here.room, bob.id);
    expect(await accept(made, bob)).toEqual(joined(here));
    expect(await here.roleOf(bob)).toBe("member");
  });

  test("that was never made lets nobody in", async () => {
    const missing = { id: 1_000_000_000 as InvitationId };
    expect(await accept(missing, await addAccount(stores()))).toBe("over");
  });
}
