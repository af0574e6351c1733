/** Rows of the tables as lines of the files, and back. People are called by their names, rooms by their slugs. */
import { keysOf } from "../accounts/names.ts";
import { NO_PASSWORD } from "../accounts/passwords.ts";
import { TABLES, type Table, type Value } from "../db/copy/tables.ts";
import type { Line } from "./format.ts";

type Row = Record<string, Value>;

/** Who is who and what is where, by the ids of one database. */
export interface Names {
  person(id: Value | undefined): string | null;
  room(id: Value | undefined): string;
}

/** The same the other way round. */
export interface Ids {
  /** Throws for a name that is not in the file of people. */
  person(name: string): number;
  room(slug: string): number;
}

export function tableOf(name: string): Table {
  const table = TABLES.find((one) => one.name === name);
  if (!table) throw new Error(`there is no table ${name}`);
  return table;
}

/** By the names of the columns. */
export function rowOf({ columns }: Table, values: readonly Value[]): Row {
  const row: Row = {};
  for (let at = 0; at < columns.length; at++) row[columns[at]?.name ?? ""] = values[at] ?? null;
  return row;
}

/** What is not named is null. */
export function valuesOf({ columns }: Table, row: Row): Value[] {
  return columns.map(({ name }) => row[name] ?? null);
}

export function personOf(row: Row): Line<"people"> {
  return {
    username: row["name"] as string,
    email: row["email"] as string,
    bio: row["bio"] as string,
    profileImage: row["avatar"] as string | null,
    registeredAt: row["created_at"] as number,
    lastSeenAt: row["last_seen_at"] as number | null,
    is_active: row["is_active"] as boolean,
    is_muted: row["is_muted"] as boolean,
    is_staff: row["is_staff"] as boolean,
    is_superuser: row["is_superuser"] as boolean,
    deletedAt: row["deleted_at"] as number | null,
  };
}

/** Nobody logs in to it until somebody sets a password. */
export function userRow(id: number, person: Line<"people">): Row {
  const { nameKey, nameLook } = keysOf(person.username);
  return {
    id,
    name: person.username,
    name_key: nameKey,
    name_look: nameLook,
    email: person.email,
    bio: person.bio,
    avatar: person.profileImage,
    password_hash: NO_PASSWORD,
    is_active: person.is_active,
    is_staff: person.is_staff,
    is_superuser: person.is_superuser,
    created_at: person.registeredAt,
    last_seen_at: person.lastSeenAt,
    is_muted: person.is_muted,
    deleted_at: person.deletedAt,
  };
}

export function roomOf(row: Row, names: Names): Line<"rooms"> {
  const pair = row["direct_key"] === null ? null : String(row["direct_key"]).split(":").map(Number);
  return {
    slug: row["slug"] as string,
    name: row["name"] as string,
    topic: row["topic"] as string,
    createdBy: names.person(row["created_by"]),
    createdAt: row["created_at"] as number,
    direct: pair && [names.person(pair[0]) ?? "", names.person(pair[1]) ?? ""],
    is_closed: row["is_closed"] as boolean,
    head: row["head"] as number,
  };
}

export function roomRow(id: number, room: Line<"rooms">, ids: Ids): Row {
  const pair = room.direct?.map(ids.person).toSorted((one, other) => one - other);
  return {
    id,
    slug: room.slug,
    name: room.name,
    created_by: room.createdBy === null ? null : ids.person(room.createdBy),
    created_at: room.createdAt,
    head: room.head,
    topic: room.topic,
    direct_key: pair?.join(":") ?? null,
    is_closed: room.is_closed,
  };
}

export function membershipOf(row: Row, names: Names): Line<"members"> {
  return {
    room: names.room(row["room_id"]),
    username: names.person(row["user_id"]) ?? "",
    role: row["role"] as Line<"members">["role"],
    joinedAt: row["joined_at"] as number,
    readSeq: row["read_seq"] as number,
  };
}

export function memberRow(member: Line<"members">, ids: Ids): Row {
  return {
    room_id: ids.room(member.room),
    user_id: ids.person(member.username),
    role: member.role,
    joined_at: member.joinedAt,
    read_seq: member.readSeq,
  };
}

export function messageOf(row: Row, names: Names): Line<"messages"> {
  return {
    id: row["id"] as number,
    room: names.room(row["room_id"]),
    seq: row["seq"] as number,
    rev: row["rev"] as number,
    username: names.person(row["author_id"]),
    authorName: row["author_name"] as string,
    content: row["text"] as string,
    createdAt: row["created_at"] as number,
    editedAt: row["edited_at"] as number | null,
    deletedAt: row["deleted_at"] as number | null,
  };
}

/** No page waits any more for the answer to what it sent, so any key will do that is the message's own. */
export function messageRow(message: Line<"messages">, ids: Ids): Row {
  return {
    id: message.id,
    room_id: ids.room(message.room),
    seq: message.seq,
    rev: message.rev,
    author_id: message.username === null ? null : ids.person(message.username),
    author_name: message.authorName,
    client_key: `imported-${message.id}`,
    text: message.content,
    created_at: message.createdAt,
    edited_at: message.editedAt,
    deleted_at: message.deletedAt,
  };
}
