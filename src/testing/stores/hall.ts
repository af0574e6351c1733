/** A private room made through its port, with its owner, and ways for others to come in. */
import type { Account } from "../../accounts/ports.ts";
import type { Entry, Invitation, NewInvitation, NewMessage, RoomMember } from "../../chat/ports.ts";
import type { ClientKey, RoomId } from "../../shared/ids.ts";
import { addPerson, unique, type OpenStores } from "./open.ts";
import { post } from "./scene.ts";

export interface Hall {
  room: RoomId;
  slug: string;
  owner: Account;
  /** A new account, in the room from this moment on. */
  joins(at?: number, name?: string): Promise<Account>;
  invites(terms?: Partial<NewInvitation>): Promise<Invitation>;
  /** Somebody says something here, or in another room. */
  says(author: Account, text: string, more?: Partial<NewMessage>): Promise<number>;
  /** `name role`, as the store lists them. */
  people(): Promise<string[]>;
  roleOf(account: Account): Promise<RoomMember["role"] | null>;
}

export async function hall(stores: OpenStores): Promise<Hall> {
  const owner = await addPerson(stores, unique("owner"));
  const slug = unique("hall");
  await stores.rooms.create({ slug, name: slug, createdAt: 1 }, owner.id);
  const { room } = await entryOf(stores, slug, owner);
  const invites = async (terms: Partial<NewInvitation> = {}): Promise<Invitation> => {
    const plain = { room: room.id, createdBy: owner.id, createdAt: 1, expiresAt: null, usesMax: null };
    const made = await stores.invitations.find(await stores.invitations.create({ ...plain, ...terms }));
    if (!made) throw new Error("the invitation was not made");
    return made;
  };
  const members = () => stores.members.ofRoom(room.id);
  return {
    room: room.id,
    slug,
    owner,
    invites,
    async joins(at = 1, name = unique("guest")) {
      const account = await addPerson(stores, name);
      const accepted = await stores.invitations.accept((await invites()).id, account.id, at);
      if (typeof accepted === "string") throw new Error(`${name} was not let in: ${accepted}`);
      return account;
    },
    async says({ id: author }, text, more = {}) {
      const message = { room: room.id, author, key: unique("key") as ClientKey, text, createdAt: 1, ...more };
      const [posted] = await stores.messages.write([post(message)]);
      if (posted?.outcome !== "stored") throw new Error(`"${text}" was not stored`);
      return posted.message.id;
    },
    people: async () => (await members()).map(({ name, role }) => `${name} ${role}`),
    roleOf: async ({ id }) => (await members()).find((member) => member.id === id)?.role ?? null,
  };
}

/** A room as somebody finds it; throws when it does not exist. */
export async function entryOf(stores: OpenStores, slug: string, account: Account | null): Promise<Entry> {
  const entry = await stores.rooms.entry(slug, account?.id ?? null);
  if (!entry) throw new Error(`there is no room ${slug}`);
  return entry;
}
