import { eq, lte } from "drizzle-orm";
import type { AccountStore, SessionStore } from "../../accounts/ports.ts";
import type { SqliteDatabase } from "./open.ts";
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
  };
}

export function createSessionStore(db: SqliteDatabase): SessionStore {
  return {
    async create(session) {
      db.insert(sessions).values(session).run();
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
    async removeExpired(now) {
      db.delete(sessions).where(lte(sessions.expiresAt, now)).run();
    },
  };
}
