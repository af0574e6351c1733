/** What an account may do, and what follows when that changes: sessions end, caches forget, the log tells. */
import type { Bus } from "../chat/ports.ts";
import { nameKey } from "./names.ts";
import type { Account, AccountChanges, AccountRank, AccountStore, Audit, By, Standing } from "./ports.ts";
import type { Sessions } from "./sessions.ts";

const RANKS: readonly AccountRank[] = ["user", "staff", "superuser"];

export function rankOf({ isStaff, isSuperuser }: Pick<Account, "isStaff" | "isSuperuser">): AccountRank {
  return isSuperuser ? "superuser" : isStaff ? "staff" : "user";
}

export function subjectOf({ name }: Pick<Account, "name">): string {
  return `user:${name}`;
}

export function createStanding(deps: {
  store: AccountStore;
  sessions: Pick<Sessions, "endAll">;
  bus: Bus;
  audit: Audit;
}): Standing {
  const { store, sessions, bus, audit } = deps;

  async function change(account: Account, changes: AccountChanges): Promise<Account> {
    const changed = (await store.update(account.id, changes)) ?? account;
    const { id: userId, name, avatar } = changed;
    bus.publish({ type: "account.changed", userId, name, avatar });
    return changed;
  }

  return {
    async find(name) {
      const account = await store.byNameKey(nameKey(name));
      return account?.deletedAt === null ? account : null;
    },

    async mute(account, isMuted, by) {
      if (account.isMuted === isMuted) return account;
      const changed = await change(account, { isMuted });
      await audit.record(isMuted ? "account.muted" : "account.unmuted", by, subjectOf(account));
      return changed;
    },

    async disable(account, disabled, by) {
      const isSo = account.isActive === !disabled;
      const changed = isSo ? account : await change(account, { isActive: !disabled });
      // Again too where it is so already: whoever did it may have been broken off before this.
      if (disabled) await sessions.endAll(account.id);
      if (isSo) return account;
      await audit.record(disabled ? "account.disabled" : "account.enabled", by, subjectOf(account));
      return changed;
    },

    async endSessions(account, by: By) {
      await sessions.endAll(account.id);
      await audit.record("account.sessions_ended", by, subjectOf(account));
    },

    async setRank(account, rank, by) {
      const before = rankOf(account);
      if (before === rank) return account;
      // Whoever is above staff is staff too, as clients expect that look at that one flag.
      const flags = { isStaff: rank !== "user", isSuperuser: rank === "superuser" };
      const changed = await change(account, flags);
      const rises = RANKS.indexOf(rank) > RANKS.indexOf(before);
      await audit.record(rises ? "account.promoted" : "account.demoted", by, subjectOf(account), rank);
      return changed;
    },

    async setPassword(account, passwordHash, by) {
      const changed = await change(account, { passwordHash });
      await sessions.endAll(account.id);
      await audit.record("account.password_set", by, subjectOf(account));
      return changed;
    },
  };
}
