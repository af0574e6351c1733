import type { Entry, Role, Room } from "../../chat/ports.ts";
import { UNREAD_MAX } from "../../shared/limits.ts";
import type { UserId } from "../../shared/ids.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import type { RoomReading } from "../rooms.ts";
import type { SqliteDatabase } from "./open.ts";

type Row = Omit<Room, "avatar" | "isClosed"> & { isClosed: number };

const ROOM = `r.id, r.slug, r.name, r.topic, r.head, r.is_closed AS isClosed,
  CASE WHEN r.slug = '${PUBLIC_ROOM}' THEN 'public' WHEN r.direct_key IS NULL THEN 'private' ELSE 'direct' END AS kind`;

/**
 * Rooms are read for every page and every message, so by prepared statements like the message log. Three of them for one
 * entry take 4 us where one that joins takes 12.
 */
export function createRoomReading(db: SqliteDatabase): RoomReading {
  const { $client: client } = db;
  const bySlug = client.query<Row, { slug: string }>(`SELECT ${ROOM} FROM rooms r WHERE r.slug = $slug`);
  const placeOf = client.query<Pick<Entry, "readSeq"> & { role: Role }, { room: number; user: number }>(
    "SELECT role, read_seq AS readSeq FROM members WHERE room_id = $room AND user_id = $user AND role <> 'removed'",
  );
  const isMuted = client.query<{ muted: number }, { user: number }>(
    "SELECT is_muted AS muted FROM users WHERE id = $user",
  );
  const otherOf = client.query<Pick<Room, "name" | "avatar">, { room: number; user: number }>(
    "SELECT u.name, u.avatar FROM members m JOIN users u ON u.id = m.user_id WHERE m.room_id = $room AND m.user_id <> $user",
  );
  const ofUser = client.query<Row & { role: Role; unread: number }, { user: number; max: number }>(
    `SELECT ${ROOM}, m.role,
       (SELECT count(*) FROM (
          SELECT 1 FROM messages x WHERE x.room_id = r.id AND x.seq > m.read_seq
            AND x.author_id IS NOT $user AND x.deleted_at IS NULL LIMIT $max)) AS unread
     FROM members m JOIN rooms r ON r.id = m.room_id
     WHERE m.user_id = $user AND m.role <> 'removed'
     ORDER BY (SELECT max(x.id) FROM messages x WHERE x.room_id = r.id) DESC NULLS LAST, r.id DESC`,
  );

  /** As `user` sees it: a direct room bears the name of the other person. */
  function seenBy<R extends Row>(
    row: R,
    user: UserId | null,
  ): Omit<R, "isClosed"> & Pick<Room, "avatar" | "isClosed"> {
    const other = row.kind === "direct" && user !== null ? otherOf.get({ room: row.id, user }) : null;
    return {
      ...row,
      name: other?.name ?? row.name,
      avatar: other?.avatar ?? null,
      isClosed: row.isClosed === 1,
    };
  }

  return {
    async entry(slug, user) {
      const row = bySlug.get({ slug });
      if (!row) return null;
      const room = seenBy(row, user);
      if (user === null) return { room, role: null, readSeq: null, isMuted: false };
      const place = room.kind === "public" ? null : placeOf.get({ room: room.id, user });
      const { role, readSeq } = place ?? { role: null, readSeq: null };
      return { room, role, readSeq, isMuted: isMuted.get({ user })?.muted === 1 };
    },

    async ofUser(user) {
      return ofUser.all({ user, max: UNREAD_MAX }).map((row) => seenBy(row, user));
    },
  };
}
