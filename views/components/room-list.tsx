/** Links to rooms, with what is unread in them. */
import { fill, number, plural } from "../../src/shared/locale/format.ts";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import { UNREAD_MAX } from "../../src/shared/limits.ts";
import { PUBLIC_ROOM } from "../../src/shared/rooms.ts";
import { Avatar } from "./avatar.tsx";

export interface ListedRoom {
  slug: string;
  name: string;
  kind: "public" | "private" | "direct";
  /** Of the other person in a direct room. */
  avatar: string | null;
  unread: number;
}

export type UnreadTexts = Pick<Catalog["rooms"], "unread" | "manyUnread">;

export interface RoomListProps {
  rooms: readonly ListedRoom[];
  /** The room that the page shows. */
  current?: string;
  locale: string;
  t: UnreadTexts;
  publicName: string;
}

/** The public room first: everybody has it. */
export function RoomList({ rooms, current, locale, t, publicName }: RoomListProps) {
  const open = {
    slug: PUBLIC_ROOM,
    name: publicName,
    topic: "",
    kind: "public" as const,
    avatar: null,
    unread: 0,
  };
  return (
    <ul class="room-list">
      {[open, ...rooms].map((room) => (
        <li key={room.slug}>
          <a href={`/rooms/${room.slug}`} aria-current={room.slug === current ? "page" : undefined}>
            {room.kind === "direct" ? (
              <Avatar name={room.name} avatar={room.avatar} />
            ) : (
              <span class="hash">#</span>
            )}
            <span class="name" dir="auto">
              {room.name}
            </span>
            {room.unread > 0 && room.slug !== current && <Unread n={room.unread} locale={locale} t={t} />}
          </a>
        </li>
      ))}
    </ul>
  );
}

function Unread({ n, locale, t }: { n: number; locale: string; t: UnreadTexts }) {
  const many = n >= UNREAD_MAX;
  return (
    <span class="unread" title={many ? undefined : plural(locale, t.unread, n)}>
      {many ? fill(t.manyUnread, { n: number(locale, UNREAD_MAX - 1) }) : number(locale, n)}
    </span>
  );
}
