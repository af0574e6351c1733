/** Making rooms, and what their owners do with them. */
import type { UserId } from "../shared/ids.ts";
import { ROOM_NAME_MAX_LENGTH, ROOM_TOPIC_MAX_LENGTH } from "../shared/limits.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { codePoints, strip } from "../shared/text.ts";
import { signedIn, type Actor, type Owner, type Reader, type Staff } from "./access.ts";
import type { Bus, Clock, KeyMaker, MyRoom, RateLimit, Room, RoomStore } from "./ports.ts";
import { Refused } from "./refusal.ts";
import { spend } from "./spend.ts";

export interface Rooms {
  /** `public` always; others as the installation's rule for slugs has it. */
  isSlug(text: string): boolean;
  exists(slug: string): Promise<boolean>;
  /**
   * A room with a name, under a slug of the owner's choice or a random one; answers with the slug. Refuses `bad_name`,
   * `bad_slug`, `slug_taken`, and an exhausted rate.
   */
  create(actor: Actor, wish: { name: string; slug: string }): Promise<string>;
  /** The room of a slug for its member. One that nobody has yet is made on the spot; refuses `slug_taken` to others. */
  claim(actor: Actor, slug: string): Promise<{ room: Room; created: boolean }>;
  /** The slug of the room of these two, made at its first use. Refuses `forbidden` with oneself. */
  direct(actor: Actor, other: { id: UserId; name: string }): Promise<string>;
  mine(actor: Actor): Promise<MyRoom[]>;
  creator(reader: Pick<Reader, "room">): Promise<string | null>;
  /** Refuses `bad_name` for a blank or too long name, or a too long topic. */
  describe(owner: Owner, texts: { name: string; topic: string }): Promise<void>;
  remove(owner: Owner): Promise<void>;
  /** Staff: nobody writes in a closed room. Refuses `not_found`. */
  close(staff: Staff, slug: string, closed: boolean): Promise<Room>;
  /** Staff: the name of the public room. Refuses `bad_name`. */
  renamePublic(staff: Staff, name: string): Promise<Room>;
}

export function createRooms(deps: {
  store: RoomStore;
  bus: Bus;
  clock: Clock;
  keys: KeyMaker;
  /** Counts the rooms that one person makes. */
  rate: RateLimit;
  slugs: RegExp;
}): Rooms {
  const { store, bus, clock, keys, rate, slugs } = deps;
  const isSlug = (text: string) => text === PUBLIC_ROOM || slugs.test(text);

  async function make(owner: UserId, slug: string, name: string): Promise<boolean> {
    await spend(rate, owner);
    return store.create({ slug, name, createdAt: clock.now() }, owner);
  }

  async function forStaff(slug: string): Promise<Room> {
    const entry = await store.entry(slug, null);
    // Who talks with whom in a room of two is nobody else's business.
    if (!entry || entry.room.kind === "direct") throw new Refused("not_found");
    return entry.room;
  }

  async function update(room: Room, changes: Parameters<RoomStore["update"]>[1]): Promise<void> {
    await store.update(room.id, changes);
    bus.publish({ type: "room.changed", roomId: room.id, room: room.slug });
  }

  return {
    isSlug,
    exists: async (slug) => (await store.entry(slug, null)) !== null,

    async create(actor, wish) {
      const { id } = signedIn(actor);
      const name = nameOf(wish.name);
      const slug = wish.slug === "" ? keys.slug() : wish.slug;
      if (!isSlug(slug)) throw new Refused("bad_slug");
      if (slug === PUBLIC_ROOM || !(await make(id, slug, name))) throw new Refused("slug_taken");
      return slug;
    },

    async claim(actor, slug) {
      const { id, name } = signedIn(actor);
      const known = await store.entry(slug, id);
      // Named after its creator, as existing clients expect.
      const created = !known && (await make(id, slug, name));
      const entry = known ?? (await store.entry(slug, id));
      if (!entry?.role && slug !== PUBLIC_ROOM) throw new Refused("slug_taken");
      if (!entry) throw new Refused("not_found");
      return { room: entry.room, created };
    },

    async direct(actor, other) {
      const { id, name } = signedIn(actor);
      if (id === other.id) throw new Refused("forbidden");
      const known = await store.directSlug(id, other.id);
      if (known !== null) return known;
      await spend(rate, id);
      const room = { slug: keys.slug(), name: `${name}, ${other.name}`, createdAt: clock.now() };
      return store.direct(room, id, other.id);
    },

    mine: async (actor) => (actor.kind === "guest" ? [] : store.ofUser(actor.id)),
    creator: ({ room }) => store.creator(room.id),

    async describe({ room }, texts) {
      const topic = strip(texts.topic);
      if (codePoints(topic) > ROOM_TOPIC_MAX_LENGTH || !isStorable(topic)) throw new Refused("bad_name");
      await update(room, { name: nameOf(texts.name), topic });
    },

    async remove({ room }) {
      await store.remove(room.id);
      bus.publish({ type: "room.removed", roomId: room.id, room: room.slug });
    },

    async close(_staff, slug, closed) {
      const room = await forStaff(slug);
      await update(room, { isClosed: closed });
      return room;
    },

    async renamePublic(_staff, name) {
      const room = await forStaff(PUBLIC_ROOM);
      await update(room, { name: nameOf(name) });
      return room;
    },
  };
}

// Characters that nobody sees: a name of nothing else would be an empty link.
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\s]/gu;

function nameOf(raw: string): string {
  const name = strip(raw);
  if (name.replace(INVISIBLE, "") === "" || codePoints(name) > ROOM_NAME_MAX_LENGTH || !isStorable(name))
    throw new Refused("bad_name");
  return name;
}

/** Names stand on one line of the page: no control characters, and none that turn the direction of what follows. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(text);
}
