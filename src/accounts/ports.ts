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

/** What may change of an account; `nameKey` goes with `name`. */
export type AccountChanges = Partial<Omit<Account, "id" | "createdAt"> & { nameKey: string }>;

export interface AccountStore {
  /** Null when somebody has a name of the same normalised form. */
  create(account: {
    name: string;
    nameKey: string;
    passwordHash: string;
    createdAt: number;
  }): Promise<Account | null>;
  byNameKey(nameKey: string): Promise<Account | null>;
  byId(id: UserId): Promise<Account | null>;
  /** Whether somebody else has this address, in whatever case. */
  emailTaken(email: string, by: UserId): Promise<boolean>;
  /** All of them at once. */
  markSeen(seen: ReadonlyMap<UserId, number>): Promise<void>;
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
  removeExpired(now: number): Promise<void>;
}

export interface Clock {
  now(): number;
}

/** Text from the alphabet `[A-Za-z0-9]`, each character drawn independently from a secure source. */
export interface Secrets {
  text(length: number): string;
}
