import { and, asc, eq, isNull, ne, sql } from "drizzle-orm";
import type { MemberStore, RoomPlace } from "../../chat/ports.ts";
import type { RoomId, UserId } from "../../shared/ids.ts";
import { IMMEDIATE, type SqliteDatabase } from "./open.ts";
import { emptyRoom } from "./rooms.ts";
import { members, rooms, users } from "./schema.ts";

const RANKS = sql`CASE ${members.role} WHEN 'owner' THEN 0 WHEN 'moderator' THEN 1 WHEN 'member' THEN 2 ELSE 3 END`;

const BY_JOINING = [asc(members.joinedAt), asc(members.userId)];

export function createMemberStore(db: SqliteDatabase): MemberStore {
  const one = (room: RoomId, user: UserId) => and(eq(members.roomId, room), eq(members.userId, user));
  /** Whoever has become the owner since the caller looked keeps the room. */
  const notOwner = ne(members.role, "owner");

  return {
    async ofRoom(room) {
      return db
        .select({
          id: users.id,
          name: users.name,
          avatar: users.avatar,
          role: members.role,
          joinedAt: members.joinedAt,
          invitation: members.invitationId,
        })
        .from(members)
        .innerJoin(users, eq(users.id, members.userId))
        .where(eq(members.roomId, room))
        .orderBy(RANKS, ...BY_JOINING)
        .all();
    },

    async setRole(room, user, role) {
      const which = and(one(room, user), notOwner);
      return db.update(members).set({ role }).where(which).returning().all().length > 0;
    },

    async handOver(room, from, to) {
      db.transaction((tx) => {
        const present = and(one(room, from), eq(members.role, "owner"));
        const heir = and(one(room, to), notOwner, ne(members.role, "removed"));
        if (!tx.select().from(members).where(present).get()) return;
        const promoted = tx.update(members).set({ role: "owner" }).where(heir).returning().all();
        if (promoted.length > 0) tx.update(members).set({ role: "moderator" }).where(present).run();
      }, IMMEDIATE);
    },

    async withdraw(user) {
      return db.transaction((tx) => {
        const rows = tx
          .select({ id: rooms.id, slug: rooms.slug, role: members.role })
          .from(members)
          .innerJoin(rooms, eq(rooms.id, members.roomId))
          .where(and(eq(members.userId, user), isNull(rooms.directKey)))
          .all();
        const removed: RoomPlace[] = [];
        for (const { id, slug, role } of rows) {
          tx.delete(members).where(one(id, user)).run();
          if (role !== "owner") continue;
          const heirs = and(eq(members.roomId, id), ne(members.role, "removed"));
          const heir = tx
            .select()
            .from(members)
            .where(heirs)
            .orderBy(RANKS, ...BY_JOINING)
            .get();
          if (heir) tx.update(members).set({ role: "owner" }).where(one(id, heir.userId)).run();
          else {
            emptyRoom(tx, id);
            removed.push({ id, slug });
          }
        }
        const left = rows.filter(({ id }) => !removed.some((gone) => gone.id === id));
        return { left: left.map(({ id, slug }) => ({ id, slug })), removed };
      }, IMMEDIATE);
    },

    async forget(room, user) {
      db.delete(members)
        .where(and(one(room, user), notOwner))
        .run();
    },

    async markRead(room, user, seq) {
      const head = sql`(SELECT ${rooms.head} FROM ${rooms} WHERE ${rooms.id} = ${room})`;
      const readSeq = sql`max(${members.readSeq}, min(${seq}, ${head}))`;
      db.update(members).set({ readSeq }).where(one(room, user)).run();
    },

    async markAllRead(user) {
      const readSeq = sql`(SELECT ${rooms.head} FROM ${rooms} WHERE ${rooms.id} = ${members.roomId})`;
      db.update(members).set({ readSeq }).where(eq(members.userId, user)).run();
    },
  };
}
