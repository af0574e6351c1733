import { and, desc, eq, gt, isNull, lt, or, sql } from "drizzle-orm";
import type { Invitation, InvitationStore } from "../../chat/ports.ts";
import type { InvitationId, RoomId } from "../../shared/ids.ts";
import { IMMEDIATE, type SqliteDatabase } from "./open.ts";
import { invitations, members, rooms, users } from "./schema.ts";

export function createInvitationStore(db: SqliteDatabase): InvitationStore {
  const select = () =>
    db
      .select({ invitation: invitations, room: rooms, creator: users.name })
      .from(invitations)
      .innerJoin(rooms, eq(rooms.id, invitations.roomId))
      .leftJoin(users, eq(users.id, invitations.createdBy));

  return {
    async create({ room: roomId, ...invitation }) {
      return db
        .insert(invitations)
        .values({ ...invitation, roomId })
        .returning({ id: invitations.id })
        .get().id;
    },

    async find(id) {
      const found = select().where(eq(invitations.id, id)).get();
      return found ? viewOf(found) : null;
    },

    async ofRoom(room) {
      const found = select().where(eq(invitations.roomId, room)).orderBy(desc(invitations.id));
      return found.all().map(viewOf);
    },

    async revoke(room: RoomId, id: InvitationId) {
      const which = and(eq(invitations.id, id), eq(invitations.roomId, room));
      db.update(invitations).set({ isRevoked: true }).where(which).run();
    },

    async accept(id, user, now) {
      return db.transaction((tx) => {
        const found = tx
          .select({ roomId: invitations.roomId, slug: rooms.slug })
          .from(invitations)
          .innerJoin(rooms, eq(rooms.id, invitations.roomId))
          .where(eq(invitations.id, id))
          .get();
        if (!found) return "over";
        const { roomId, slug } = found;
        const standing = tx
          .select({ role: members.role })
          .from(members)
          .where(and(eq(members.roomId, roomId), eq(members.userId, user)))
          .get();
        if (standing?.role === "removed") return "removed";
        if (standing) return { joined: roomId, slug, first: false };
        const usable = and(
          eq(invitations.id, id),
          eq(invitations.isRevoked, false),
          or(isNull(invitations.expiresAt), gt(invitations.expiresAt, now)),
          or(isNull(invitations.usesMax), lt(invitations.uses, invitations.usesMax)),
        );
        const used = tx
          .update(invitations)
          .set({ uses: sql`${invitations.uses} + 1` })
          .where(usable)
          .returning()
          .all();
        if (used.length === 0) return "over";
        // What was written before they came is not news to them.
        const readSeq = sql`(SELECT ${rooms.head} FROM ${rooms} WHERE ${rooms.id} = ${roomId})`;
        const joining = { roomId, userId: user, role: "member" as const, joinedAt: now, invitationId: id };
        tx.insert(members)
          .values({ ...joining, readSeq })
          .run();
        return { joined: roomId, slug, first: true };
      }, IMMEDIATE);
    },
  };
}

function viewOf(found: {
  invitation: typeof invitations.$inferSelect;
  room: typeof rooms.$inferSelect;
  creator: string | null;
}): Invitation {
  const { roomId: _, ...invitation } = found.invitation;
  const { id, slug, name } = found.room;
  return { ...invitation, room: { id, slug, name }, createdBy: found.creator };
}
