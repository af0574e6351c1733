/** An installation of EchoChat's original as it is read, and what takes in what becomes of it. */
import type { NameKeys } from "../accounts/ports.ts";
import type { ClientKey, RoomId, UserId } from "../shared/ids.ts";

/** Texts hold no NUL and no half of a surrogate pair; a time that cannot be read is null. */
export interface OriginalUser {
  id: number;
  username: string;
  password: string;
  email: string;
  isActive: boolean;
  isStaff: boolean;
  isSuperuser: boolean;
  joinedAt: number | null;
  /** Some users are older than profiles. */
  profile: OriginalProfile | null;
}

interface OriginalProfile {
  bio: string;
  /** Below the folder of media, or an address. */
  image: string;
  lastSeenAt: number | null;
}

export interface OriginalRoom {
  id: number;
  slug: string;
  name: string;
  createdBy: number | null;
}

export interface OriginalMessage {
  id: number;
  /** A slug, of which there may be no room. */
  room: string;
  username: string;
  userId: number | null;
  text: string;
  at: number | null;
}

export type OriginalTable = "users" | "profiles" | "rooms" | "messages";

/** As it was at one moment, each table in order of the ids. */
export interface Original {
  count(): Promise<Record<OriginalTable, number>>;
  users(): AsyncIterable<OriginalUser[]>;
  /** The ids of profiles whose user does not exist. */
  strayProfiles(): Promise<number[]>;
  rooms(): AsyncIterable<OriginalRoom[]>;
  messages(): AsyncIterable<OriginalMessage[]>;
  close(): Promise<void>;
}

export interface Origin {
  /** `user` by its id there, `author` by the name of an account that was gone there, `room` by its slug. */
  kind: "user" | "author" | "room";
  original: string;
}

export interface NewPerson extends Origin, NameKeys {
  name: string;
  email: string;
  bio: string;
  avatar: string | null;
  passwordHash: string;
  isActive: boolean;
  isStaff: boolean;
  isSuperuser: boolean;
  createdAt: number;
  lastSeenAt: number | null;
  deletedAt: number | null;
}

export interface NewRoom extends Origin {
  slug: string;
  name: string;
  createdBy: UserId | null;
  createdAt: number;
}

export interface NewMember {
  roomId: RoomId;
  userId: UserId;
  role: "owner" | "member";
  joinedAt: number;
}

export interface NewMessage {
  roomId: RoomId;
  authorId: UserId;
  authorName: string;
  clientKey: ClientKey;
  text: string;
  createdAt: number;
}

/** Somebody or a room that an earlier import has made. */
export interface KnownOrigin extends Origin {
  madeId: number;
}

export interface KnownPerson extends NameKeys {
  id: UserId;
  name: string;
  email: string;
  createdAt: number;
  isGone: boolean;
}

export interface KnownRoom {
  id: RoomId;
  slug: string;
  /** Deleted: only its slug is left. */
  isGone: boolean;
  hasOwner: boolean;
}

/** What is there before the import. */
export interface Standing {
  people: KnownPerson[];
  rooms: KnownRoom[];
  origins: KnownOrigin[];
  /** The keys of messages that earlier imports have carried. */
  keys: AsyncIterable<string[]> | Iterable<string[]>;
}

/** Each call is done as a whole or not at all. */
export interface Target {
  standing(): Promise<Standing>;
  /** Their ids, in the same order. */
  addPeople(people: readonly NewPerson[]): Promise<UserId[]>;
  /** Their creators become their owners. */
  addRooms(rooms: readonly NewRoom[]): Promise<RoomId[]>;
  /** Behind the messages that the rooms have. Whoever is a member already stays what they are. */
  addMessages(messages: readonly NewMessage[], members: readonly NewMember[]): Promise<void>;
  close(): Promise<void>;
}

/** How the key of every message begins that an import has carried. No client can send such a key: it has a colon. */
export const KEY_PREFIX = "echochat:";
