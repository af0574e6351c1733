import type { Room, RoomStore } from "../../chat/ports.ts";
import type { SqliteDatabase } from "./open.ts";

/** Read for every page and every message, so by a prepared statement like the message log. */
export function createRoomStore({ $client: client }: SqliteDatabase): RoomStore {
  const bySlug = client.query<Room, { slug: string }>(
    "SELECT id, slug, name, head FROM rooms WHERE slug = $slug",
  );
  return {
    bySlug: async (slug) => bySlug.get({ slug }),
  };
}
