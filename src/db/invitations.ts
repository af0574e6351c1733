import { and, desc, eq, gt, isNull, lt, or, sql } from "drizzle-orm";
import type { Acceptance, Invitation, InvitationStore } from "../chat/ports.ts";
import type { InvitationId, RoomId } from "../shared/ids.ts";
import { ask, type Source, type Steps } from "./source.ts";
import type { Tables } from "./tables.ts";

export function createInvitationStore({ db, tables, transact, holdRooms }: Source): InvitationStore {
  const { invitations, members, rooms, users } = tables;

  const select = () =>
    db
      .select({ invitation: invitations, room: rooms, creator: users.name })
      .from(invitations)
      .innerJoin(rooms, eq(rooms.id, invitations.roomId))
      .leftJoin(users, eq(users.id, invitations.createdBy));

  return {
    async create({ room: roomId, ...invitation }) {
      const made = { ...invitation, roomId };
      const [row] = await db.insert(invitations).values(made).returning({ id: invitations.id });
      if (!row) throw new Error("the invitation was not stored");
      return row.id;
    },

    async find(id) {
      const [found] = await select().where(eq(invitations.id, id));
      return found ? viewOf(found) : null;
    },

    async ofRoom(room) {
      const found = await select().where(eq(invitations.roomId, room)).orderBy(desc(invitations.id));
      return found.map(viewOf);
    },

    async revoke(room: RoomId, id: InvitationId) {
      const which = and(eq(invitations.id, id), eq(invitations.roomId, room));
      await db.update(invitations).set({ isRevoked: true }).where(which);
    },

    accept: (id, user, now) =>
      transact(function* (tx): Steps<Acceptance> {
        const [found] = yield* ask(
          tx
            .select({ roomId: invitations.roomId, slug: rooms.slug })
            .from(invitations)
            .innerJoin(rooms, eq(rooms.id, invitations.roomId))
            .where(eq(invitations.id, id)),
        );
        if (!found) return "over";
        const { roomId, slug } = found;
        yield* holdRooms(tx, eq(rooms.id, roomId));
        const [standing] = yield* ask(
          tx
            .select({ role: members.role })
            .from(members)
            .where(and(eq(members.roomId, roomId), eq(members.userId, user))),
        );
        if (standing?.role === "removed") return "removed";
        if (standing) return { joined: roomId, slug, first: false };
        const usable = and(
          eq(invitations.id, id),
          eq(invitations.isRevoked, false),
          or(isNull(invitations.expiresAt), gt(invitations.expiresAt, now)),
          or(isNull(invitations.usesMax), lt(invitations.uses, invitations.usesMax)),
        );
        const uses = sql`${invitations.uses} + 1`;
        const used = yield* ask(tx.update(invitations).set({ uses }).where(usable).returning());
        if (used.length === 0) return "over";
        // What was written before they came is not news to them.
        const readSeq = sql`(SELECT ${rooms.head} FROM ${rooms} WHERE ${rooms.id} = ${roomId})`;
        const joining = { roomId, userId: user, role: "member" as const, joinedAt: now, invitationId: id };
        yield* ask(tx.insert(members).values({ ...joining, readSeq }));
        return { joined: roomId, slug, first: true };
      }),
  };
}

function viewOf(found: {
  invitation: Tables["invitations"]["$inferSelect"];
  room: Tables["rooms"]["$inferSelect"];
  creator: string | null;
}): Invitation {
  const { roomId: _, ...invitation } = found.invitation;
  const { id, slug, name } = found.room;
  return { ...invitation, room: { id, slug, name }, createdBy: found.creator };
}
