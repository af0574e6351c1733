import { eq } from "drizzle-orm";
import type { RoomStore } from "../chat/ports.ts";
import type { RoomId, UserId } from "../shared/ids.ts";
import { ask, type Queries, type Source, type Steps } from "./source.ts";
import type { Tables } from "./tables.ts";

/** What is read for every page and every message: by hand, in each dialect. */
export type RoomReading = Pick<RoomStore, "entry" | "ofUser">;

export function createRoomStore(source: Source, reading: RoomReading): RoomStore {
  const { db, tables, transact, holdRooms } = source;
  const { members, rooms, users } = tables;

  return {
    ...reading,

    create: (room, owner) =>
      transact(function* (tx) {
        const created = { ...room, createdBy: owner };
        const [made] = yield* ask(
          tx.insert(rooms).values(created).onConflictDoNothing().returning({ id: rooms.id }),
        );
        if (!made) return false;
        const { createdAt: joinedAt } = room;
        yield* ask(tx.insert(members).values({ roomId: made.id, userId: owner, role: "owner", joinedAt }));
        return true;
      }),

    direct(room, one, other) {
      const directKey = directKeyOf(one, other);
      return transact(function* (tx) {
        const [made] = yield* ask(
          tx
            .insert(rooms)
            .values({ ...room, directKey, createdBy: one })
            .onConflictDoNothing({ target: rooms.directKey })
            .returning(),
        );
        if (!made) {
          const [known] = yield* ask(tx.select().from(rooms).where(eq(rooms.directKey, directKey)));
          return known?.slug ?? "";
        }
        const { createdAt: joinedAt } = room;
        const pair = [one, other].map((userId) => ({
          roomId: made.id,
          userId,
          role: "member" as const,
          joinedAt,
        }));
        yield* ask(tx.insert(members).values(pair));
        return made.slug;
      });
    },

    async creator(room) {
      const [found] = await db
        .select({ name: users.name })
        .from(rooms)
        .innerJoin(users, eq(users.id, rooms.createdBy))
        .where(eq(rooms.id, room));
      return found?.name ?? null;
    },

    async update(room, changes) {
      await db.update(rooms).set(changes).where(eq(rooms.id, room));
    },

    async directSlug(one, other) {
      const key = eq(rooms.directKey, directKeyOf(one, other));
      const [found] = await db.select({ slug: rooms.slug }).from(rooms).where(key);
      return found?.slug ?? null;
    },

    remove: (room) =>
      transact(function* (tx) {
        yield* holdRooms(tx, eq(rooms.id, room));
        yield* emptyRoom(tx, tables, room);
      }),
  };
}

/** The same for the two, whoever comes first. */
function directKeyOf(one: UserId, other: UserId): string {
  return `${Math.min(one, other)}:${Math.max(one, other)}`;
}

/** What is left is the slug, and the number up to which its changes were counted. */
export function* emptyRoom(tx: Queries, tables: Tables, room: RoomId): Steps<void> {
  const { invitations, members, messages, rooms } = tables;
  yield* ask(tx.delete(messages).where(eq(messages.roomId, room)));
  yield* ask(tx.delete(invitations).where(eq(invitations.roomId, room)));
  yield* ask(tx.delete(members).where(eq(members.roomId, room)));
  yield* ask(tx.update(rooms).set({ name: "", topic: "", createdBy: null }).where(eq(rooms.id, room)));
}
