import { eq, sql } from "drizzle-orm";
import type { RoomStore } from "../../chat/ports.ts";
import type { SqliteDatabase } from "./open.ts";
import { rooms } from "./schema.ts";

export function createRoomStore(db: SqliteDatabase): RoomStore {
  const bySlug = db
    .select({ id: rooms.id, slug: rooms.slug, name: rooms.name, head: rooms.head })
    .from(rooms)
    .where(eq(rooms.slug, sql.placeholder("slug")))
    .prepare();

  return {
    async bySlug(slug) {
      return bySlug.get({ slug }) ?? null;
    },
  };
}
