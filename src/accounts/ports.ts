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
  createdAt: number;
}

export interface AccountStore {
  /** Null when somebody has a name of the same normalised form. */
  create(account: {
    name: string;
    nameKey: string;
    passwordHash: string;
    createdAt: number;
  }): Promise<Account | null>;
  byNameKey(nameKey: string): Promise<Account | null>;
}

export interface Session {
  id: SessionId;
  userId: UserId;
  /** The secret that unsafe requests of this session must show. */
  csrf: string;
  expiresAt: number;
}

export interface SessionStore {
  create(session: Session & { createdAt: number }): Promise<void>;
  /** The session with its account, whether or not it has expired. */
  find(id: SessionId): Promise<{ session: Session; account: Account } | null>;
  /** False when there is no such session any more. */
  renew(id: SessionId, csrf: string, expiresAt: number): Promise<boolean>;
  remove(id: SessionId): Promise<void>;
  removeExpired(now: number): Promise<void>;
}

export interface Clock {
  now(): number;
}

/** Text from the alphabet `[A-Za-z0-9]`, each character drawn independently from a secure source. */
export interface Secrets {
  text(length: number): string;
}
