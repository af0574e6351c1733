import { and, asc, eq, inArray, isNull, lt, ne, sql } from "drizzle-orm";
import type { MemberStore, RoomPlace } from "../chat/ports.ts";
import type { RoomId, UserId } from "../shared/ids.ts";
import { emptyRoom } from "./rooms.ts";
import { ask, type Queries, type Source, type Steps } from "./source.ts";

export function createMemberStore(source: Source): MemberStore {
  const { db, tables, transact, holdRooms } = source;
  const { members, rooms, users } = tables;
  const ranks = sql`CASE ${members.role} WHEN 'owner' THEN 0 WHEN 'moderator' THEN 1 WHEN 'member' THEN 2 ELSE 3 END`;
  const byRank = [ranks, asc(members.joinedAt), asc(members.userId)];

  const one = (room: RoomId, user: UserId) => and(eq(members.roomId, room), eq(members.userId, user));
  /** Whoever has become the owner since the caller looked keeps the room. */
  const notOwner = ne(members.role, "owner");

  const readUpTo = prepareReadUpTo(source);

  const inRoom = <T>(room: RoomId, steps: (tx: Queries) => Steps<T>) =>
    transact(function* (tx): Steps<T> {
      yield* holdRooms(tx, eq(rooms.id, room));
      return yield* steps(tx);
    });

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
        .orderBy(...byRank);
    },

    setRole: (room, user, role) =>
      inRoom(room, function* (tx) {
        const which = and(one(room, user), notOwner);
        return (yield* ask(tx.update(members).set({ role }).where(which).returning())).length > 0;
      }),

    handOver: (room, from, to) =>
      inRoom(room, function* (tx) {
        const present = and(one(room, from), eq(members.role, "owner"));
        const heir = and(one(room, to), notOwner, ne(members.role, "removed"));
        if ((yield* ask(tx.select().from(members).where(present))).length === 0) return;
        const promoted = yield* ask(tx.update(members).set({ role: "owner" }).where(heir).returning());
        if (promoted.length > 0) yield* ask(tx.update(members).set({ role: "moderator" }).where(present));
      }),

    withdraw: (user) =>
      transact(function* (tx) {
        const theirs = tx.select({ id: members.roomId }).from(members).where(eq(members.userId, user));
        yield* holdRooms(tx, and(inArray(rooms.id, theirs), isNull(rooms.directKey)));
        const rows = yield* ask(
          tx
            .select({ id: rooms.id, slug: rooms.slug, role: members.role })
            .from(members)
            .innerJoin(rooms, eq(rooms.id, members.roomId))
            .where(and(eq(members.userId, user), isNull(rooms.directKey))),
        );
        const removed: RoomPlace[] = [];
        for (const { id, slug, role } of rows) {
          yield* ask(tx.delete(members).where(one(id, user)));
          if (role !== "owner") continue;
          const others = and(eq(members.roomId, id), ne(members.role, "removed"));
          const [heir] = yield* ask(
            tx
              .select()
              .from(members)
              .where(others)
              .orderBy(...byRank)
              .limit(1),
          );
          if (heir) yield* ask(tx.update(members).set({ role: "owner" }).where(one(id, heir.userId)));
          else {
            yield* emptyRoom(tx, tables, id);
            removed.push({ id, slug });
          }
        }
        const left = rows.filter(({ id }) => !removed.some((gone) => gone.id === id));
        return { left: left.map(({ id, slug }) => ({ id, slug })), removed };
      }),

    forget: (room, user) =>
      inRoom(room, function* (tx) {
        yield* ask(tx.delete(members).where(and(one(room, user), notOwner)));
      }),

    async markRead(room, user, seq) {
      await readUpTo.execute({ room, user, seq });
    },

    async markAllRead(user) {
      const head = sql`(SELECT ${rooms.head} FROM ${rooms} WHERE ${rooms.id} = ${members.roomId})`;
      await db
        .update(members)
        .set({ readSeq: head })
        .where(and(eq(members.userId, user), lt(members.readSeq, head)));
    },
  };
}

/** Prepared, because everybody who follows a room says so with every message. */
function prepareReadUpTo({ db, tables: { members, rooms } }: Source) {
  const [room, user] = [sql.placeholder("room"), sql.placeholder("user")];
  const seq = sql.placeholder("seq");
  const head = sql`(SELECT ${rooms.head} FROM ${rooms} WHERE ${rooms.id} = ${room})`;
  const readSeq = sql`CASE WHEN ${seq} < ${head} THEN ${seq} ELSE ${head} END`;
  const one = sql`${members.roomId} = ${room} AND ${members.userId} = ${user}`;
  return db
    .update(members)
    .set({ readSeq })
    .where(and(one, lt(members.readSeq, readSeq)))
    .prepare("read_up_to");
}
