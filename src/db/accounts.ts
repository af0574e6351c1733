import { and, desc, eq, lte, ne, or, sql } from "drizzle-orm";
import type { AccountStore, SessionStore } from "../accounts/ports.ts";
import type { Source } from "./source.ts";

/** `markSeen` goes through many accounts at once, which each dialect does in its own way. */
export function createAccountStore(
  { db, tables: { users }, isTaken }: Source,
  markSeen: AccountStore["markSeen"],
): AccountStore {
  return {
    async create(account) {
      const [created] = await db.insert(users).values(account).onConflictDoNothing().returning();
      return created ?? null;
    },
    async byNameKey(nameKey) {
      const [found] = await db.select().from(users).where(eq(users.nameKey, nameKey));
      return found ?? null;
    },
    async nameTaken({ nameKey, nameLook }, by) {
      const same = or(eq(users.nameKey, nameKey), eq(users.nameLook, nameLook));
      const others = by === null ? same : and(same, ne(users.id, by));
      return (await db.select({ id: users.id }).from(users).where(others).limit(1)).length > 0;
    },
    async byId(id) {
      const [found] = await db.select().from(users).where(eq(users.id, id));
      return found ?? null;
    },
    async emailTaken(email, by) {
      const others = and(sql`lower(${users.email}) = lower(${email})`, ne(users.id, by));
      return (await db.select({ id: users.id }).from(users).where(others).limit(1)).length > 0;
    },
    markSeen,
    async rehash(id, before, after) {
      const same = and(eq(users.id, id), eq(users.passwordHash, before));
      await db.update(users).set({ passwordHash: after }).where(same);
    },
    async update(id, changes) {
      try {
        const [updated] = await db.update(users).set(changes).where(eq(users.id, id)).returning();
        return updated ?? null;
      } catch (error) {
        if (isTaken(error)) return null;
        throw error;
      }
    },
  };
}

export function createSessionStore({ db, tables: { sessions, users } }: Source): SessionStore {
  // Asked with almost every request.
  const withAccount = db
    .select({ session: sessions, account: users })
    .from(sessions)
    .innerJoin(users, eq(sessions.userId, users.id))
    .where(eq(sessions.id, sql.placeholder("id")))
    .prepare("session_with_account");

  return {
    async create(session) {
      await db.insert(sessions).values(session);
    },
    async ofUser(user) {
      return db
        .select()
        .from(sessions)
        .where(eq(sessions.userId, user))
        .orderBy(desc(sessions.createdAt), desc(sessions.id));
    },
    async find(id) {
      const [found] = await withAccount.execute({ id });
      return found ?? null;
    },
    async renew(id, csrf, expiresAt) {
      const renewed = db.update(sessions).set({ csrf, expiresAt }).where(eq(sessions.id, id)).returning();
      return (await renewed).length > 0;
    },
    async remove(id) {
      await db.delete(sessions).where(eq(sessions.id, id));
    },
    async removeOfUser(user, except) {
      const others = and(eq(sessions.userId, user), except === null ? undefined : ne(sessions.id, except));
      const removed = await db.delete(sessions).where(others).returning({ id: sessions.id });
      return removed.map(({ id }) => id);
    },
    async removeExpired(now) {
      const expired = lte(sessions.expiresAt, now);
      const removed = await db.delete(sessions).where(expired).returning({ id: sessions.id });
      return removed.map(({ id }) => id);
    },
  };
}
