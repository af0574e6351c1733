import type { AuditAction } from "../shared/audit.ts";
import type { SessionId, UserId } from "../shared/ids.ts";

export interface Account {
  id: UserId;
  name: string;
  email: string;
  bio: string;
  /** Path below /media/, or null for the default. */
  avatar: string | null;
  passwordHash: string;
  isActive: boolean;
  isStaff: boolean;
  isSuperuser: boolean;
  /** Reads everything, writes nothing. */
  isMuted: boolean;
  createdAt: number;
  /** Null when they have not been seen since they registered. */
  lastSeenAt: number | null;
  /** Set when the account is gone and only its name is left. */
  deletedAt: number | null;
}

/** What two names are compared by: the same name, or one that looks the same. */
export interface NameKeys {
  nameKey: string;
  nameLook: string;
}

/** What may change of an account; the keys go with `name`. */
export type AccountChanges = Partial<Omit<Account, "id" | "createdAt"> & NameKeys>;

export interface AccountStore {
  /** Null when somebody has a name of the same normalised form. */
  create(account: {
    name: string;
    nameKey: string;
    nameLook: string;
    passwordHash: string;
    createdAt: number;
  }): Promise<Account | null>;
  byNameKey(nameKey: string): Promise<Account | null>;
  /** Whether somebody else has this name, or one that looks like it. */
  nameTaken(keys: NameKeys, by: UserId | null): Promise<boolean>;
  byId(id: UserId): Promise<Account | null>;
  /** Whether somebody else has this address, in whatever case. */
  emailTaken(email: string, by: UserId): Promise<boolean>;
  /** All of them at once. */
  markSeen(seen: ReadonlyMap<UserId, number>): Promise<void>;
  /** Another hash of the same password; nothing is changed where `before` is not the hash any more. */
  rehash(id: UserId, before: string, after: string): Promise<void>;
  /** Null, and nothing changed, when somebody else has the name. */
  update(id: UserId, changes: AccountChanges): Promise<Account | null>;
}

export interface Session {
  id: SessionId;
  userId: UserId;
  /** The secret that unsafe requests of this session must show. */
  csrf: string;
  createdAt: number;
  expiresAt: number;
  /** Where and with what it was opened. */
  address: string;
  agent: string;
}

export interface SessionStore {
  create(session: Session): Promise<void>;
  /** The newest first, whether or not they have expired. */
  ofUser(user: UserId): Promise<Session[]>;
  /** The session with its account, whether or not it has expired. */
  find(id: SessionId): Promise<{ session: Session; account: Account } | null>;
  /** False when there is no such session any more. */
  renew(id: SessionId, csrf: string, expiresAt: number): Promise<boolean>;
  remove(id: SessionId): Promise<void>;
  /** All of a user but one; answers with those that were. */
  removeOfUser(user: UserId, except: SessionId | null): Promise<SessionId[]>;
  /** Answers with those that were. */
  removeExpired(now: number): Promise<SessionId[]>;
}

export interface AuditEntry {
  at: number;
  action: AuditAction;
  /** Null when nobody was signed in. */
  actorId: UserId | null;
  /** As it was then, or as it was typed. */
  actorName: string;
  /** Whom or what it was done to, such as `user:ann` or `room:public`. */
  subject: string;
  detail: string;
  address: string;
}

/** Entries are added and read, never changed and never removed. */
export interface AuditLog {
  append(entry: AuditEntry): Promise<void>;
  /** The newest first, from the one before `before` on; `next` is where the following page begins. */
  page(options: {
    before: number | null;
    /** Found in names, subjects, details and addresses; empty: everywhere. */
    q: string;
    action: AuditAction | null;
    limit: number;
  }): Promise<Stretch<AuditEntry & { id: number }>>;
}

/** One page of a long list. `next` is null at its end. */
export interface Stretch<Item> {
  items: Item[];
  next: number | null;
}

/** Who did something, and from where. */
export interface By {
  id: UserId | null;
  name: string;
  address: string;
}

export interface Audit {
  record(action: AuditAction, by: By, subject?: string, detail?: string): Promise<void>;
}

/** Standing in the whole installation, each above the one before. */
export type AccountRank = "user" | "staff" | "superuser";

/**
 * What staff and the command line do to an account, once it is clear that they may. What is so already stays so, and
 * leaves no entry in the log.
 */
export interface Standing {
  /** By a name in whatever case; null for one that nobody has, or whose account is gone. */
  find(name: string): Promise<Account | null>;
  mute(account: Account, muted: boolean, by: By): Promise<Account>;
  /** Ends the sessions as well, also of somebody who is disabled already. */
  disable(account: Account, disabled: boolean, by: By): Promise<Account>;
  endSessions(account: Account, by: By): Promise<void>;
  setRank(account: Account, rank: AccountRank, by: By): Promise<Account>;
  /** Ends the sessions as well: whoever knew the old password is out. */
  setPassword(account: Account, passwordHash: string, by: By): Promise<Account>;
}

/** A room as staff see it: from outside. */
export interface RoomListing {
  id: number;
  slug: string;
  name: string;
  owner: string | null;
  members: number;
  /** At most `MESSAGES_COUNTED`. */
  messages: number;
  isClosed: boolean;
}

/** The lists that staff look through, the newest first. Rooms of two people are nobody else's business. */
export interface Directory {
  users(options: ListOptions): Promise<Stretch<Account>>;
  rooms(options: ListOptions): Promise<Stretch<RoomListing>>;
}

export interface ListOptions {
  /** A part of the name; empty: all. */
  q: string;
  before: number | null;
  limit: number;
}

export interface Clock {
  now(): number;
}

/** Text from the alphabet `[A-Za-z0-9]`, each character drawn independently from a secure source. */
export interface Secrets {
  text(length: number): string;
}

/**
 * `unreadable`: not whole, or of no kind that is read here. `too_many_pixels`: more than 25 million. `unavailable`: nothing
 * is wrong with it, but it cannot be stored now.
 */
export type PictureFault = "unreadable" | "too_many_pixels" | "unavailable";

/** Where pictures lie is out of reach, for now. */
export class PicturesAway extends Error {}

/** The pictures of people, each in two sizes. */
export interface Pictures {
  /** Draws an upload anew, so that nothing of it is left but what is seen, and answers with its path below /media/. */
  keep(upload: Uint8Array<ArrayBuffer>): Promise<{ path: string } | { fault: PictureFault }>;
  /** It is nobody's any more. */
  discard(path: string): Promise<void>;
  /** What is stored under a path below /media/; null for anything but a picture. */
  open(path: string): Promise<{ type: string; content: Blob } | null>;
}
