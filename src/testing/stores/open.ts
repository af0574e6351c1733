/** Stores to test with, and people to put into them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import type { Account, Session } from "../../accounts/ports.ts";
import type { SignedInActor } from "../../chat/access.ts";
import type { Role } from "../../chat/ports.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import { createSource } from "../../db/sqlite/source.ts";
import { createSqliteStores } from "../../db/sqlite/stores.ts";
import type { Source } from "../../db/source.ts";
import type { DatabaseStores } from "../../db/stores.ts";
import { MIGRATIONS } from "../../resources.ts";
import type { RoomId, SessionId, UserId } from "../../shared/ids.ts";

/** The stores of one database, and what no port can do. */
export interface OpenStores extends DatabaseStores {
  /** A private room without anyone in it. */
  addRoom(slug: string): Promise<RoomId>;
  addMember(room: RoomId, user: UserId, role?: Role): Promise<void>;
  disableAccount(id: UserId): Promise<void>;
  removeAccount(id: UserId): Promise<void>;
  /** The same database as after a restart of the program; these stores are closed. */
  reopen(): Promise<OpenStores>;
  /** Closes the database and takes it away. */
  close(): Promise<void>;
}

/** An empty SQLite database in a file of its own. */
export async function openSqliteStores(
  folder = mkdtempSync(join(tmpdir(), "echochat-")),
): Promise<OpenStores> {
  const db = openSqlite(join(folder, "echochat.sqlite"), MIGRATIONS.sqlite, Date.now());
  const stores = createSqliteStores(db);
  return {
    ...stores,
    ...handsIn(createSource(db)),
    async reopen() {
      await stores.close();
      return openSqliteStores(folder);
    },
    async close() {
      await stores.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** What is done in a database of whatever dialect, past its ports. */
export function handsIn({ db, tables: { members, rooms, users } }: Source) {
  return {
    async addRoom(slug: string): Promise<RoomId> {
      const [made] = await db.insert(rooms).values({ slug, name: slug, createdAt: 0 }).returning();
      if (!made) throw new Error(`the room ${slug} was not made`);
      return made.id;
    },
    async addMember(roomId: RoomId, userId: UserId, role: Role = "member"): Promise<void> {
      await db.insert(members).values({ roomId, userId, role, joinedAt: 0 }).onConflictDoNothing();
    },
    async disableAccount(id: UserId): Promise<void> {
      await db.update(users).set({ isActive: false }).where(eq(users.id, id));
    },
    async removeAccount(id: UserId): Promise<void> {
      await db.delete(users).where(eq(users.id, id));
    },
  };
}

let made = 0;

/** A text that no other call gives: names, slugs and keys that never clash. */
export function unique(prefix: string): string {
  made += 1;
  return `${prefix}-${made.toString().padStart(8, "0")}`;
}

export async function addAccount(
  { accounts }: Pick<OpenStores, "accounts">,
  name = unique("ann"),
): Promise<Account> {
  const account = await accounts.create({
    name,
    nameKey: name.toLowerCase(),
    nameLook: name,
    passwordHash: "none",
    createdAt: 1,
  });
  if (!account) throw new Error(`the name ${name} is taken`);
  return account;
}

/** Somebody new who belongs to a room, as the edge would establish them. */
export async function actorIn(
  stores: OpenStores,
  room: string,
  account?: Pick<Account, "id" | "name">,
): Promise<SignedInActor> {
  const { id, name } = account ?? (await addAccount(stores));
  const entry = await stores.rooms.entry(room, id);
  if (entry) await stores.addMember(entry.room.id, id);
  return { kind: "member", id, name, session: await signIn(stores, id), rank: "user" };
}

/** A new account that is signed in. */
export async function addPerson(
  stores: Pick<OpenStores, "accounts" | "sessions">,
  name?: string,
): Promise<Account> {
  const account = await addAccount(stores, name);
  await signIn(stores, account.id);
  return account;
}

/** Opens the session under which tests write for somebody, unless it is open already. */
export async function signIn({ sessions }: Pick<OpenStores, "sessions">, user: UserId): Promise<SessionId> {
  const session = sessionFor(user);
  if (!(await sessions.find(session.id))) await sessions.create(session);
  return session.id;
}

/** The one that `signIn` opens. */
export function sessionOf(user: UserId): SessionId {
  return `session-of-${user}` as SessionId;
}

export function sessionFor(userId: UserId): Session {
  const times = { createdAt: 0, expiresAt: Number.MAX_SAFE_INTEGER };
  return { id: sessionOf(userId), userId, csrf: "", ...times, address: "", agent: "" };
}
