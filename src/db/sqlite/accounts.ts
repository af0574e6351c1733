import { and, desc, eq, lte, ne, or, sql } from "drizzle-orm";
import type { AccountStore, SessionStore } from "../../accounts/ports.ts";
import { IMMEDIATE, type SqliteDatabase } from "./open.ts";
import { sessions, users } from "./schema.ts";

export function createAccountStore(db: SqliteDatabase): AccountStore {
  return {
    async create(account) {
      const [created] = db.insert(users).values(account).onConflictDoNothing().returning().all();
      return created ?? null;
    },
    async byNameKey(nameKey) {
      return db.select().from(users).where(eq(users.nameKey, nameKey)).get() ?? null;
    },
    async nameTaken({ nameKey, nameLook }, by) {
      const same = or(eq(users.nameKey, nameKey), eq(users.nameLook, nameLook));
      const others = by === null ? same : and(same, ne(users.id, by));
      return db.select({ id: users.id }).from(users).where(others).get() !== undefined;
    },
    async byId(id) {
      return db.select().from(users).where(eq(users.id, id)).get() ?? null;
    },
    async emailTaken(email, by) {
      const same = sql`lower(${users.email}) = lower(${email})`;
      return (
        db
          .select({ id: users.id })
          .from(users)
          .where(and(same, ne(users.id, by)))
          .get() !== undefined
      );
    },
    async markSeen(seen) {
      db.transaction((tx) => {
        for (const [id, lastSeenAt] of seen)
          tx.update(users).set({ lastSeenAt }).where(eq(users.id, id)).run();
      }, IMMEDIATE);
    },
    async update(id, changes) {
      // A unique key that somebody else has: the row stays as it is, and nothing comes back.
      const [updated] = db
        .update(users)
        .set(changes)
        .where(and(eq(users.id, id), nameIsFree(changes.nameKey, id)))
        .returning()
        .all();
      return updated ?? null;
    },
  };
}

export function createSessionStore(db: SqliteDatabase): SessionStore {
  return {
    async create(session) {
      db.insert(sessions).values(session).run();
    },
    async ofUser(user) {
      return db
        .select()
        .from(sessions)
        .where(eq(sessions.userId, user))
        .orderBy(desc(sessions.createdAt), desc(sessions.id))
        .all();
    },
    async find(id) {
      const found = db
        .select({ session: sessions, account: users })
        .from(sessions)
        .innerJoin(users, eq(sessions.userId, users.id))
        .where(eq(sessions.id, id))
        .get();
      return found ?? null;
    },
    async renew(id, csrf, expiresAt) {
      const renewed = db.update(sessions).set({ csrf, expiresAt }).where(eq(sessions.id, id)).returning();
      return renewed.all().length > 0;
    },
    async remove(id) {
      db.delete(sessions).where(eq(sessions.id, id)).run();
    },
    async removeOfUser(user, except) {
      const others = and(eq(sessions.userId, user), except === null ? undefined : ne(sessions.id, except));
      const removed = db.delete(sessions).where(others).returning({ id: sessions.id }).all();
      return removed.map(({ id }) => id);
    },
    async removeExpired(now) {
      db.delete(sessions).where(lte(sessions.expiresAt, now)).run();
    },
  };
}

function nameIsFree(nameKey: string | undefined, id: number) {
  if (nameKey === undefined) return undefined;
  return sql`NOT EXISTS (SELECT 1 FROM users o WHERE o.name_key = ${nameKey} AND o.id <> ${id})`;
}
