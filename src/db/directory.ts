import { and, desc, eq, isNull, lt, ne, or, sql } from "drizzle-orm";
import type { Directory } from "../accounts/ports.ts";
import { MESSAGES_COUNTED } from "../shared/limits.ts";
import { contains, stretchOf } from "./lists.ts";
import type { Source } from "./source.ts";

export function createDirectory({ db, tables }: Source): Directory {
  const { members, messages, rooms, users } = tables;

  return {
    async users({ q, before, limit }) {
      const rows = await db
        .select()
        .from(users)
        .where(
          and(
            isNull(users.deletedAt),
            before === null ? undefined : lt(users.id, sql`${before}`),
            // As names are compared: the key is in one form and in lower case.
            q === "" ? undefined : contains(users.nameKey, q.normalize("NFKC").toLowerCase()),
          ),
        )
        .orderBy(desc(users.id))
        .limit(limit + 1);
      return stretchOf(rows, limit);
    },

    async rooms({ q, before, limit }) {
      const belongs = and(eq(members.roomId, rooms.id), sql`${members.role} <> 'removed'`);
      const written = db
        .select({ one: sql`1` })
        .from(messages)
        .where(and(eq(messages.roomId, rooms.id), isNull(messages.deletedAt)))
        .limit(MESSAGES_COUNTED);
      const owner = db
        .select({ name: users.name })
        .from(members)
        .innerJoin(users, eq(users.id, members.userId))
        .where(and(eq(members.roomId, rooms.id), eq(members.role, "owner")));
      const found = await db
        .select({
          id: rooms.id,
          slug: rooms.slug,
          name: rooms.name,
          isClosed: rooms.isClosed,
          owner: sql<string | null>`(${owner})`,
          members: sql<number>`(SELECT count(*) FROM ${members} WHERE ${belongs})`,
          messages: sql<number>`(SELECT count(*) FROM (${written}) AS written)`,
        })
        .from(rooms)
        .where(
          and(
            isNull(rooms.directKey),
            // What is left of a room that was deleted.
            ne(rooms.name, ""),
            before === null ? undefined : lt(rooms.id, sql`${before}`),
            q === ""
              ? undefined
              : or(
                  contains(rooms.slug, q),
                  contains(rooms.name, q),
                  contains(sql`lower(${rooms.name})`, q.toLowerCase()),
                ),
          ),
        )
        .orderBy(desc(rooms.id))
        .limit(limit + 1);
      return stretchOf(found, limit);
    },
  };
}
