/** What every store promises of rooms, accounts, sessions and its own name. */
import { expect, test } from "bun:test";
import type { ClientKey, SessionId, UserId } from "../../shared/ids.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { type OpenStores, unique, addAccount, addPerson } from "./open.ts";
import { changesOf, numbersOf, post, rejects, scene } from "./scene.ts";

export function naming(open: () => Promise<OpenStores>): void {
  test("is the same after a restart, as are the messages and the numbers to come", async () => {
    const before = await open();
    const { messages, room, say } = await scene(before);
    await messages.write([say("a"), say("b")]);
    const epoch = messages.epoch();
    const known = await changesOf(messages, room);
    expect(epoch).not.toBe("");
    expect(known.changes).toHaveLength(2);

    const after = await before.reopen();
    try {
      expect(after.messages.epoch()).toBe(epoch);
      expect(await changesOf(after.messages, room)).toEqual(known);
      expect(numbersOf(await after.messages.write([say("c")]))).toEqual([3]);
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

export function findingRooms(stores: () => OpenStores): void {
  test("always hold the public one", async () => {
    expect(await stores().rooms.entry(PUBLIC_ROOM, null)).toMatchObject({
      room: { slug: PUBLIC_ROOM, name: "Public Chat", kind: "public" },
      role: null,
    });
  });

  test("are found by their exact slug, with the number of their last change", async () => {
    const slug = unique("room");
    const id = await stores().addRoom(slug);
    expect((await stores().rooms.entry(slug, null))?.room).toMatchObject({ id, slug, head: 0 });
    const ann = await addPerson(stores());
    await stores().addMember(id, ann.id);
    const key = unique("key") as ClientKey;
    await stores().messages.write([post({ room: id, author: ann.id, key, text: "hello", createdAt: 1 })]);
    expect((await stores().rooms.entry(slug, null))?.room.head).toBe(1);
    for (const wrong of [slug.toUpperCase(), `${slug} `, "", "%", unique("room")]) {
      expect(await stores().rooms.entry(wrong, null)).toBeNull();
    }
  });
}

export function keepingAccounts(stores: () => OpenStores): void {
  test("begin plain and active, and are found by the key of their name", async () => {
    const name = unique("Ann");
    const nameKey = name.toLowerCase();
    const created = await stores().accounts.create({
      name,
      nameKey,
      nameLook: name,
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
      stores().accounts.create({
        name: written,
        nameKey: name,
        nameLook: name,
        passwordHash: "hash",
        createdAt: 1,
      });
    const first = await create(name);
    expect(first).not.toBeNull();
    expect(await create(name.toUpperCase())).toBeNull();
    expect(await stores().accounts.byNameKey(name)).toEqual(first);
  });

  test("tell whether somebody else has a name, or one that looks like it", async () => {
    const [name, look] = [unique("ann"), unique("look")];
    const { accounts } = stores();
    const account = await accounts.create({
      name,
      nameKey: name,
      nameLook: look,
      passwordHash: "hash",
      createdAt: 1,
    });
    const taken = (nameKey: string, nameLook: string, by: UserId | null = null) =>
      accounts.nameTaken({ nameKey, nameLook }, by);
    expect(await taken(name, unique("look"))).toBe(true);
    expect(await taken(unique("ann"), look)).toBe(true);
    expect(await taken(unique("ann"), unique("look"))).toBe(false);
    expect(await taken(name, look, account?.id)).toBe(false);
  });

  test("come into being once when 20 ask for one name at once", async () => {
    const name = unique("ann");
    const created = await Promise.all(
      Array.from({ length: 20 }, () =>
        stores().accounts.create({ name, nameKey: name, nameLook: name, passwordHash: "hash", createdAt: 1 }),
      ),
    );
    expect(created.filter((account) => account !== null)).toHaveLength(1);
  });

  test("take a name once when 20 ask to be renamed to it at once, and the others keep theirs", async () => {
    const name = unique("ann");
    const people = await Promise.all(Array.from({ length: 20 }, () => addAccount(stores())));
    const renamed = await Promise.all(
      people.map(({ id }) => stores().accounts.update(id, { name, nameKey: name, nameLook: name })),
    );
    const winners = renamed.filter((account) => account !== null);
    expect(winners.map((account) => account.name)).toEqual([name]);
    for (const { id, name: before } of people) {
      const now = (await stores().accounts.byId(id))?.name;
      expect(now).toBe(id === winners[0]?.id ? name : before);
    }
  });

  test("were last seen when the last report says, each at their own time, in whatever order they are reported", async () => {
    const people = await Promise.all(Array.from({ length: 50 }, () => addAccount(stores())));
    const report = (offset: number) => new Map(people.map(({ id }, i) => [id, 1000 + offset + i]));
    const backwards = new Map([...report(2000)].toReversed());
    await Promise.all([report(0), backwards, report(100)].map((seen) => stores().accounts.markSeen(seen)));
    await stores().accounts.markSeen(report(5000));
    await stores().accounts.markSeen(new Map());
    const seen = await Promise.all(people.map(({ id }) => stores().accounts.byId(id)));
    expect(seen.map((account) => account?.lastSeenAt)).toEqual(people.map((_, i) => 6000 + i));
  });

  test("are looked for by texts that nobody can have, and not found", async () => {
    const { name } = await addAccount(stores());
    expect(await stores().accounts.byNameKey(name)).not.toBeNull();
    for (const odd of [`${name}\0`, "\0", `${name}\ud800`]) {
      expect(await stores().accounts.byNameKey(odd)).toBeNull();
      expect(await stores().rooms.entry(odd, null)).toBeNull();
      expect((await stores().directory.users({ q: odd, before: null, limit: 10 })).items).toEqual([]);
    }
  });
}

export function keepingSessions(stores: () => OpenStores): void {
  async function openSession(expiresAt = 2000) {
    const account = await addAccount(stores());
    const id = unique("session") as SessionId;
    const device = { address: "192.0.2.1", agent: "a browser" };
    const session = { id, userId: account.id, csrf: "first", createdAt: 1000, expiresAt, ...device };
    await stores().sessions.create(session);
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
    const removed = await stores().sessions.removeExpired(5000);
    expect(removed).toEqual(expect.arrayContaining([before.id, at.id]));
    expect(removed).not.toContain(after.id);
    expect(await stores().sessions.removeExpired(5000)).toEqual([]);
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
    const userId = 1_000_000_000 as UserId;
    const device = { address: "", agent: "" };
    const session = { id, userId, csrf: "secret", createdAt: 1, expiresAt: 2000, ...device };
    expect(await rejects(stores().sessions.create(session))).toBe(true);
    expect(await stores().sessions.find(id)).toBeNull();
  });
}
