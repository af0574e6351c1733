import type { Entry, MyRoom, Role, Room } from "../../chat/ports.ts";
import { UNREAD_MAX } from "../../shared/limits.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import type { RoomReading } from "../rooms.ts";
import type { PostgresDatabase } from "./open.ts";

/** Rooms are read for every page and every message: in one prepared statement, because each is a way to the server. */
export function createRoomReading({ $client: sql }: PostgresDatabase): RoomReading {
  const room = sql`r.id, r.slug, coalesce(o.name, r.name) AS name, o.avatar, r.topic, r.head, r.is_closed AS "isClosed",
    CASE WHEN r.slug = ${PUBLIC_ROOM} THEN 'public' WHEN r.direct_key IS NULL THEN 'private' ELSE 'direct' END AS kind`;
  const other = (user: number | null) => sql`
    LEFT JOIN LATERAL (
      SELECT u.name, u.avatar FROM members x JOIN users u ON u.id = x.user_id
      WHERE r.direct_key IS NOT NULL AND x.room_id = r.id AND x.user_id <> ${user}
    ) AS o ON true`;

  return {
    async entry(slug, user) {
      const [row] = await sql<
        (Room & { role: Role | null; readSeq: number | null; isMuted: boolean | null })[]
      >`
        SELECT ${room}, m.role, m.read_seq AS "readSeq", u.is_muted AS "isMuted"
        FROM rooms r
        LEFT JOIN members m ON m.room_id = r.id AND m.user_id = ${user} AND m.role <> 'removed' AND r.slug <> ${PUBLIC_ROOM}
        LEFT JOIN users u ON u.id = ${user}
        ${other(user)}
        WHERE r.slug = ${slug}`;
      if (!row) return null;
      const { role, readSeq, isMuted, ...found } = row;
      return { room: found, role, readSeq, isMuted: isMuted === true } satisfies Entry;
    },

    async ofUser(user) {
      const mine = await sql<MyRoom[]>`
        SELECT ${room}, m.role, (
          SELECT count(*) FROM (
            SELECT 1 FROM messages x WHERE x.room_id = r.id AND x.seq > m.read_seq
              AND x.author_id IS DISTINCT FROM ${user} AND x.deleted_at IS NULL LIMIT ${UNREAD_MAX}) AS news
        ) AS unread
        FROM members m JOIN rooms r ON r.id = m.room_id
        ${other(user)}
        WHERE m.user_id = ${user} AND m.role <> 'removed'
        ORDER BY (SELECT max(x.id) FROM messages x WHERE x.room_id = r.id) DESC NULLS LAST, r.id DESC`;
      return [...mine];
    },
  };
}
