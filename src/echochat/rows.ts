/** Rows as the queries give them. */
import type { Original, OriginalMessage, OriginalRoom, OriginalUser } from "./ports.ts";
import { idOf, textOf } from "./values.ts";

export type Row = Record<string, unknown>;
export type ReadTime = (value: unknown) => number | null;

export function userOf(row: Row, readTime: ReadTime): OriginalUser {
  const { id, username, password, email, active, staff, superuser, joined, profile, bio, image, seen } = row;
  return {
    id: Number(id),
    username: textOf(username),
    password: textOf(password),
    email: textOf(email),
    isActive: Boolean(active),
    isStaff: Boolean(staff),
    isSuperuser: Boolean(superuser),
    joinedAt: readTime(joined),
    profile: profile === null ? null : { bio: textOf(bio), image: textOf(image), lastSeenAt: readTime(seen) },
  };
}

export function roomOf({ id, slug, name, creator }: Row): OriginalRoom {
  return { id: Number(id), slug: textOf(slug), name: textOf(name), createdBy: idOf(creator) };
}

export function messageOf(
  { id, room, username, author, text, added }: Row,
  readTime: ReadTime,
): OriginalMessage {
  return {
    id: Number(id),
    room: textOf(room),
    username: textOf(username),
    userId: idOf(author),
    text: textOf(text),
    at: readTime(added),
  };
}

export function countsOf(row: Row | undefined): Awaited<ReturnType<Original["count"]>> {
  const [users, profiles, rooms, messages] = [
    row?.["users"],
    row?.["profiles"],
    row?.["rooms"],
    row?.["messages"],
  ];
  return {
    users: Number(users),
    profiles: Number(profiles),
    rooms: Number(rooms),
    messages: Number(messages),
  };
}
