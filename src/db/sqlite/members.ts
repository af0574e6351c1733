import { and, asc, eq, isNull, ne, sql } from "drizzle-orm";
import type { MemberStore, RoomPlace } from "../../chat/ports.ts";
import type { RoomId, UserId } from "../../shared/ids.ts";
import { IMMEDIATE, type SqliteDatabase } from "./open.ts";
import { members, rooms, users } from "./schema.ts";

const RANKS = sql`CASE ${members.role} WHEN 'owner' THEN 0 WHEN 'moderator' THEN 1 WHEN 'member' THEN 2 ELSE 3 END`;

const BY_JOINING = [asc(members.joinedAt), asc(members.userId)];

export function createMemberStore(db: SqliteDatabase): MemberStore {
  const one = (room: RoomId, user: UserId) => and(eq(members.roomId, room), eq(members.userId, user));

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
      db.update(members).set({ role }).where(one(room, user)).run();
    },

    async handOver(room, from, to) {
      db.transaction((tx) => {
        const present = and(one(room, from), eq(members.role, "owner"));
        const former = tx.update(members).set({ role: "moderator" }).where(present).returning().all();
        if (former.length === 0) return;
        tx.update(members).set({ role: "owner" }).where(one(room, to)).run();
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
            tx.delete(rooms).where(eq(rooms.id, id)).run();
            removed.push({ id, slug });
          }
        }
        const left = rows.filter(({ id }) => !removed.some((gone) => gone.id === id));
        return { left: left.map(({ id, slug }) => ({ id, slug })), removed };
      }, IMMEDIATE);
    },

    async forget(room, user) {
      db.delete(members).where(one(room, user)).run();
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
