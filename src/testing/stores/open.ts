/** Stores to test with, and people to put into them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import type { Account, AccountStore, AuditLog, Directory, SessionStore } from "../../accounts/ports.ts";
import type { SignedInActor } from "../../chat/access.ts";
import type { InvitationStore, MemberStore, MessageStore, Role, RoomStore } from "../../chat/ports.ts";
import { createAccountStore, createSessionStore } from "../../db/sqlite/accounts.ts";
import { createAuditLog } from "../../db/sqlite/audit.ts";
import { createDirectory } from "../../db/sqlite/directory.ts";
import { createInvitationStore } from "../../db/sqlite/invitations.ts";
import { createMemberStore } from "../../db/sqlite/members.ts";
import { createMessageStore } from "../../db/sqlite/messages.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import { createRoomStore } from "../../db/sqlite/rooms.ts";
import { members, rooms, users } from "../../db/sqlite/schema.ts";
import { MIGRATIONS } from "../../resources.ts";
import type { RoomId, SessionId, UserId } from "../../shared/ids.ts";

/** The stores of one database, and what no port can do. */
export interface OpenStores {
  accounts: AccountStore;
  sessions: SessionStore;
  rooms: RoomStore;
  members: MemberStore;
  invitations: InvitationStore;
  messages: MessageStore;
  audit: AuditLog;
  directory: Directory;
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
  const db = openSqlite(join(folder, "echochat.sqlite"), MIGRATIONS, Date.now());
  return {
    accounts: createAccountStore(db),
    sessions: createSessionStore(db),
    rooms: createRoomStore(db),
    members: createMemberStore(db),
    invitations: createInvitationStore(db),
    messages: createMessageStore(db),
    audit: createAuditLog(db),
    directory: createDirectory(db),
    async addRoom(slug) {
      return db.insert(rooms).values({ slug, name: slug, createdAt: 0 }).returning().get().id;
    },
    async addMember(roomId, userId, role = "member") {
      db.insert(members).values({ roomId, userId, role, joinedAt: 0 }).onConflictDoNothing().run();
    },
    async disableAccount(id) {
      db.update(users).set({ isActive: false }).where(eq(users.id, id)).run();
    },
    async removeAccount(id) {
      db.delete(users).where(eq(users.id, id)).run();
    },
    async reopen() {
      db.$client.close();
      return openSqliteStores(folder);
    },
    async close() {
      db.$client.close();
      rmSync(folder, { recursive: true });
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
  return { kind: "member", id, name, session: unique("session") as SessionId, rank: "user" };
}
