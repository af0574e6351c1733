/** What the chat needs from the outside: stores, the bus, and everything that is not a pure function of its input. */
import type { ClientKey, InvitationId, MessageId, RoomId, SessionId, UserId } from "../shared/ids.ts";
import type { Changes, MessageView, PersonView } from "../shared/protocol.ts";

export interface Room {
  id: RoomId;
  slug: string;
  /** Of a direct room: the name of the other person. */
  name: string;
  /** Of a direct room: that of the other person. */
  avatar: string | null;
  topic: string;
  kind: RoomKind;
  /** By staff: nobody writes any more. */
  isClosed: boolean;
  /** Number of the room's last change. */
  head: number;
}

/** `direct`: of two people, without an owner. */
export type RoomKind = "public" | "private" | "direct";

export type Role = "owner" | "moderator" | "member";

/** A room as one person finds it. */
export interface Entry {
  room: Room;
  /** Null for whoever is no member. */
  role: Role | null;
  /** The place of the last message they have read; null for whoever is no member. */
  readSeq: number | null;
  /** Staff have silenced this person everywhere. */
  isMuted: boolean;
}

export interface NewRoom {
  slug: string;
  name: string;
  createdAt: number;
}

export interface MyRoom extends Room {
  role: Role;
  /** Messages of others after the last one read, at most `UNREAD_MAX`. */
  unread: number;
}

export interface RoomStore {
  /** Null when there is no such room. */
  entry(slug: string, user: UserId | null): Promise<Entry | null>;
  /** Makes a private room with its owner as the first member; false when the slug is taken. */
  create(room: NewRoom, owner: UserId): Promise<boolean>;
  /** The slug of the room that the two share, which is made when there is none yet. */
  direct(room: NewRoom, one: UserId, other: UserId): Promise<string>;
  /** The rooms that somebody is a member of, the one with the latest message first. */
  ofUser(user: UserId): Promise<MyRoom[]>;
  /** The present name of whoever made it. */
  creator(room: RoomId): Promise<string | null>;
  update(room: RoomId, changes: Partial<Pick<Room, "name" | "topic" | "isClosed">>): Promise<void>;
  /** The slug of the room that the two share, if they do. */
  directSlug(one: UserId, other: UserId): Promise<string | null>;
  /**
   * Everything that was written in it, its members and invitations. The slug stays taken: clients that come back by
   * themselves would else find themselves in a room of somebody else.
   */
  remove(room: RoomId): Promise<void>;
}

export interface RoomMember {
  id: UserId;
  name: string;
  avatar: string | null;
  role: Role | "removed";
  joinedAt: number;
  /** The invitation they came by. */
  invitation: InvitationId | null;
}

export interface RoomPlace {
  id: RoomId;
  slug: string;
}

export interface MemberStore {
  /** Owner first, then moderators, each kind in the order of joining. */
  ofRoom(room: RoomId): Promise<RoomMember[]>;
  /** False, and nothing changed, for the owner and for whoever is not there any more. */
  setRole(room: RoomId, user: UserId, role: Exclude<Role, "owner"> | "removed"): Promise<boolean>;
  /** Both changes or none; none when `from` is not the owner any more, or `to` no member. */
  handOver(room: RoomId, from: UserId, to: UserId): Promise<void>;
  /**
   * Takes somebody out of every room but the direct ones. A room of theirs goes to the first of its moderators, else
   * of its members; one that nobody is left in is removed.
   */
  withdraw(user: UserId): Promise<{ left: RoomPlace[]; removed: RoomPlace[] }>;
  /** As if they had never been there: whoever has left, or may come back. The owner stays. */
  forget(room: RoomId, user: UserId): Promise<void>;
  /** Never back to an earlier message. */
  markRead(room: RoomId, user: UserId, seq: number): Promise<void>;
  markAllRead(user: UserId): Promise<void>;
}

export interface NewInvitation {
  room: RoomId;
  createdBy: UserId;
  createdAt: number;
  /** Null: never. */
  expiresAt: number | null;
  /** Null: as often as anyone likes. */
  usesMax: number | null;
}

export interface Invitation {
  id: InvitationId;
  room: Pick<Room, "id" | "slug" | "name">;
  createdBy: string | null;
  createdAt: number;
  expiresAt: number | null;
  usesMax: number | null;
  uses: number;
  isRevoked: boolean;
}

/** `over`: revoked, expired or used up. `removed`: this person was put out of the room. */
export type Acceptance = { joined: RoomId; slug: string; first: boolean } | "over" | "removed";

export interface InvitationStore {
  create(invitation: NewInvitation): Promise<InvitationId>;
  find(id: InvitationId): Promise<Invitation | null>;
  /** The newest first. */
  ofRoom(room: RoomId): Promise<Invitation[]>;
  revoke(room: RoomId, id: InvitationId): Promise<void>;
  /** Counts the use and adds the member, both or neither. Whoever is a member already uses nothing up. */
  accept(id: InvitationId, user: UserId, now: number): Promise<Acceptance>;
}

/** Marks a text so that nobody else can: nothing that is stored lets anyone make a mark. */
export interface Seal {
  mark(text: string): string;
  matches(text: string, mark: string): boolean;
}

export interface NewMessage {
  room: RoomId;
  author: UserId;
  key: ClientKey;
  text: string;
  createdAt: number;
}

/**
 * What takes a number in its room, and the session under which it is done. Only its author edits a message; who may remove
 * one is asked before.
 */
export type Write = { session: SessionId } & (
  | ({ kind: "post" } & NewMessage)
  | { kind: "edit"; id: MessageId; author: UserId; text: string; at: number }
  | { kind: "remove"; id: MessageId; by: UserId; at: number }
);

/** `stored`: it has taken the number `message.rev`. `repeated`: it had been done before, and nothing has changed. */
export type Written =
  | { outcome: "stored" | "repeated"; room: RoomPlace; message: MessageView }
  | { outcome: "refused"; code: WriteRefusal };

/** `key_reused`: this author has sent another text with this key, or to another room. */
export type WriteRefusal =
  "not_found" | "forbidden" | "login_required" | "muted" | "room_closed" | "key_reused";

/** Messages in ascending order; `previousAt` is the time of the message just before them, when there is one. */
export interface Page {
  messages: MessageView[];
  previousAt: number | null;
  /** The room's head as of this reading. */
  head: number;
}

/** The rows changed after a number, in the order of their change: all there are up to and including `to`. */
export interface Since {
  head: number;
  to: number;
  changes: MessageView[];
}

/** Takes those who wait on into a batch that has not been looked at yet: in their order, up to the first that does not fit. */
export type Join = (fits: (write: Write) => boolean) => readonly Write[];

export interface MessageStore {
  /**
   * Gives numbers to the batch in its order and stores it, all or nothing, in one transaction; within it the authors are
   * asked whether they may write there now, and everybody whether they are signed in still. When this resolves it is on
   * stable storage. Rejects with `StorageLost` when only a new start can tell whether it is. With anything else it is not,
   * or the way to the database was lost at the commit: the same key tells whoever tries again. Where the transaction has
   * to wait it may let others join; the answers to them follow.
   */
  write(batch: readonly Write[], join?: Join): Promise<Written[]>;
  /** The newest messages, or with `before` the newest of those whose id is smaller. `removed`: their places as well. */
  page(
    room: RoomId,
    options: { before?: number | undefined; limit: number; removed?: boolean },
  ): Promise<Page>;
  /** The message in the middle of its neighbours, or null when the room has no such message. */
  around(room: RoomId, id: MessageId, limit: number): Promise<Page | null>;
  /** Where a message stands, and who wrote it; null for one that does not exist or is removed. */
  find(id: MessageId): Promise<{ room: RoomId; slug: string; author: UserId } | null>;
  /** At most `limit` of the rows changed after `rev`. */
  changesSince(room: RoomId, rev: number, limit: number): Promise<Since>;
  /** The number of each room's last change; rooms that do not exist are left out. */
  heads(rooms: readonly RoomId[]): Promise<Map<RoomId, number>>;
  /** A name for this database's history; it changes when a backup is restored. */
  epoch(): string;
}

/** The disk did not say whether it has taken what was written: only a new start can tell. */
export class StorageLost extends Error {}

/** Whose socket it is. People are counted once, however many sockets they have; so are guests behind one address. */
export type Who = ({ kind: "member"; id: UserId } & PersonView) | { kind: "guest"; address: string };

/** One socket's share in somebody's presence. */
export interface Stay {
  /** A sign of life. Counts at most once in an interval, and always for whoever has run out of time meanwhile. */
  touch(): void;
  /** Clean: the client said that it goes, so it is not waited for. */
  leave(clean: boolean): void;
}

export interface Present {
  /** In the order of coming. */
  online: readonly PersonView[];
  guests: number;
}

export interface Presence {
  /** `held`: present for as long as the socket is open. `pinging`: only while signs of life come. */
  join(who: Who, how: "held" | "pinging"): Stay;
  present(): Present;
  /** Told of each coming and going, and of new names; `changed`: who is present, or how they look, is another now. */
  onMove(listener: (changed: boolean) => void): void;
  /** Told before that of each who comes, or looks different, and of each who goes: `person` is undefined then. */
  onEach(listener: (key: string, person: PersonView | null | undefined) => void): void;
  /** Lets everybody go whose time has run out. */
  expire(): void;
  /** When somebody's time runs out next; null while nobody's runs. */
  nextExpiry(): number | null;
}

/** Carries what has been committed to everyone who serves readers. At most once, and in order within a room. */
export interface Bus {
  publish(event: BusEvent): void;
  subscribe(listener: (event: BusEvent) => void): void;
  /**
   * Somebody here hears of the room from now on and holds everything up to `rev`, which is no less than what was published
   * last: what is written there through other nodes is published here as well. Answers with the number after which it is:
   * another one than `rev` where the room is served already.
   */
  serve(room: RoomPlace, rev: number): number;
}

export type BusEvent =
  /** `fresh`: the messages in it that are new here, where those who were changed since then are among them. */
  | ({ type: "messages.changed"; roomId: RoomId; fresh?: readonly MessageView[] } & Changes)
  /** On another node; nobody hears here of what is written on this one. */
  | { type: "typing"; roomId: RoomId; room: string; name: string }
  | { type: "sessions.ended"; sessions: readonly SessionId[] }
  /** Their name, avatar, rank or standing is another now. */
  | { type: "account.changed"; userId: UserId; name: string; avatar: string | null }
  /** Another process has written to the database: what is remembered of accounts and sessions may be over. */
  | { type: "accounts.reread" }
  /** From now on nobody would tell us whose rights end. */
  | { type: "rights.unheard" }
  /** Whatever has ended meanwhile has been told, and what ends from now on will be. */
  | { type: "rights.known" }
  | { type: "membership.ended"; roomId: RoomId; room: string; userId: UserId }
  /** Its name, topic or standing is another now. */
  | { type: "room.changed"; roomId: RoomId; room: string }
  | { type: "room.removed"; roomId: RoomId; room: string }
  /** What is written there through other nodes is not published here any more. */
  | { type: "room.unserved"; roomId: RoomId };

/** What one node tells the others. */
export type Word =
  /** Without `changes` where they are too many: whoever needs them reads them. */
  | ({ type: "messages.changed"; roomId: RoomId; changes: MessageView[] | null } & Omit<Changes, "changes">)
  | Extract<BusEvent, { type: "typing" }>
  | ({ type: "presence" } & PresenceStep)
  /** A sign of life, with the number of the last step. */
  | { type: "presence.here"; step: number }
  /** Just started, and does not know yet who is present elsewhere. */
  | { type: "presence.asked" }
  /** Stops, and everybody present there goes. */
  | { type: "presence.over" };

/** Who is present on one node by a key of theirs; null for guests. */
export type Presences = Map<string, PersonView | null>;

/** How a node's presences differ from those of the step before; `step` counts from 1. */
export interface PresenceStep {
  step: number;
  came: [key: string, person: PersonView | null][];
  went: string[];
}

/** The other nodes. What is told to them comes late, twice, in another order, or never. */
export interface Nodes {
  /** Whether what is told now is likely to arrive. */
  isReachable(): boolean;
  tell(word: Word): void;
  /** Nobody hears their own words. */
  listen(listener: (word: Word, node: string) => void): void;
}

/** Where each node keeps who is present on it, for those who come later; what is not written for a while is forgotten. */
export interface Roster {
  /** False when what the change belongs to is not there any more: then everything has to be written. */
  change(step: PresenceStep): Promise<boolean>;
  write(step: number, presences: Presences): Promise<void>;
  /** Null when that node has nothing there. */
  read(node: string): Promise<{ step: number; presences: Presences } | null>;
  remove(): Promise<void>;
}

/** `first`: no attempt was refused before in this window. */
export type Allowance = { allowed: true } | { allowed: false; retryAfterSeconds: number; first: boolean };

/** Counts attempts of a subject. A refused attempt does not extend its window. */
export interface RateLimit {
  take(subject: string): Promise<Allowance>;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export interface KeyMaker {
  clientKey(): ClientKey;
  /** 12 hexadecimal digits. */
  slug(): string;
}
