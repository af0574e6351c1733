/** What every store promises of the lists that staff look through. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Stretch } from "../../accounts/ports.ts";
import type { ClientKey } from "../../shared/ids.ts";
import { addAccount, addPerson, unique, type OpenStores } from "./open.ts";
import { idOf, post, postedOf, remove } from "./scene.ts";

const ALL = { q: "", before: null, limit: 100 };

/** In a database of its own, where nobody else has said anything. */
export function listing(open: () => Promise<OpenStores>): void {
  let stores: OpenStores;

  beforeAll(async () => {
    stores = await open();
  });
  afterAll(() => stores.close());

  test("people are listed newest first, page by page, each once", async () => {
    const names: string[] = [];
    for (let i = 0; i < 5; i++) names.unshift((await addAccount(stores, unique("page"))).name);
    const found = await everything((before) => stores.directory.users({ q: "page-", before, limit: 2 }));
    expect(found.map(({ name }) => name)).toEqual(names);
  });

  test("people are found by a part of their name, however it is written, and by nothing that is a pattern", async () => {
    const { name } = await addAccount(stores, unique("fiona"));
    const finds = async (q: string) =>
      (await stores.directory.users({ ...ALL, q })).items.some((user) => user.name === name);
    for (const q of ["iona", "FIONA", "ﬁona", name]) expect(await finds(q)).toBe(true);
    for (const q of ["%", "_iona", "' OR 1=1 --", "nobody"]) expect(await finds(q)).toBe(false);
  });

  test("an account that is gone is not listed", async () => {
    const { id, name } = await addAccount(stores);
    expect((await stores.directory.users({ ...ALL, q: name })).items).toHaveLength(1);
    await stores.accounts.update(id, { deletedAt: 1 });
    expect((await stores.directory.users({ ...ALL, q: name })).items).toEqual([]);
  });

  test("rooms are listed with their owner and how many belong to them and are written in them", async () => {
    const slug = unique("room");
    const [owner, bob, put] = [await addAccount(stores), await addPerson(stores), await addAccount(stores)];
    await stores.rooms.create({ slug, name: "A Quiet Room", createdAt: 1 }, owner.id);
    const room = (await stores.rooms.entry(slug, owner.id))?.room;
    if (!room) throw new Error("there is no room");
    await stores.members.setRole(room.id, put.id, "removed");
    await stores.addMember(room.id, bob.id);
    await stores.addMember(room.id, put.id);
    await stores.members.setRole(room.id, put.id, "removed");
    const batch = Array.from({ length: 3 }, (_, i) => {
      const key = unique("key") as ClientKey;
      return post({ room: room.id, author: bob.id, key, text: `${i}`, createdAt: i });
    });
    const [first] = postedOf(await stores.messages.write(batch));
    await stores.messages.write([remove(idOf(first), bob.id)]);
    await stores.rooms.update(room.id, { isClosed: true });
    for (const q of [slug, "quiet", "Quiet"]) {
      expect((await stores.directory.rooms({ ...ALL, q })).items).toEqual([
        {
          id: room.id,
          slug,
          name: "A Quiet Room",
          owner: owner.name,
          members: 2,
          messages: 2,
          isClosed: true,
        },
      ]);
    }
  });

  test("the public room is listed without an owner, and a room of two people not at all", async () => {
    const [one, other] = [await addAccount(stores), await addAccount(stores)];
    const slug = unique("direct");
    await stores.rooms.direct({ slug, name: slug, createdAt: 1 }, one.id, other.id);
    expect(await stores.rooms.entry(slug, one.id)).toMatchObject({ role: "member" });
    const { items } = await stores.directory.rooms(ALL);
    expect(items.find((room) => room.slug === "public")).toMatchObject({
      owner: null,
      members: 0,
      messages: 0,
    });
    expect(items.find((room) => room.slug === slug)).toBeUndefined();
  });
}

async function everything<Item>(
  page: (before: number | null) => Promise<Stretch<Item>>,
  before: number | null = null,
): Promise<Item[]> {
  const { items, next } = await page(before);
  return next === null ? items : [...items, ...(await everything(page, next))];
}
