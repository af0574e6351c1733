/** What people do with their password at hand: change it, or close their account for good. */
import type { Bus } from "../chat/ports.ts";
import type { UserId } from "../shared/ids.ts";
import { NO_PASSWORD, type Passwords } from "./passwords.ts";
import type { Account, AccountChanges, AccountStore, Clock, Pictures } from "./ports.ts";
import type { SignedIn, Sessions } from "./sessions.ts";

export interface NewPassword {
  current: string;
  password1: string;
  password2: string;
}

export type NewPasswordFault = "wrong" | "missing" | "differ" | "weak";
export type ClosingFault = "wrong" | "unconfirmed";

export interface Credentials {
  /** Null when it is done: every other session is over, with its sockets. */
  changePassword(signedIn: SignedIn, form: NewPassword): Promise<NewPasswordFault | null>;
  /**
   * Null when it is done. What was written stays, under a name that nobody else can take; everything else of the account
   * goes. `confirmation` is the user's own name, typed.
   */
  close(signedIn: SignedIn, form: { password: string; confirmation: string }): Promise<ClosingFault | null>;
}

export function createCredentials(deps: {
  store: AccountStore;
  passwords: Passwords;
  sessions: Sessions;
  pictures: Pictures;
  bus: Bus;
  clock: Clock;
}): Credentials {
  const { store, passwords, sessions, pictures, bus, clock } = deps;

  /** The account as it is now, if this is its password. */
  async function confirmed(id: UserId, password: string): Promise<Account | null> {
    const account = await store.byId(id);
    return (await passwords.verify(password, account?.passwordHash ?? null)) ? account : null;
  }

  async function change({ id }: Account, changes: AccountChanges): Promise<void> {
    const changed = await store.update(id, changes);
    if (!changed) throw new Error("the account does not exist");
    bus.publish({ type: "account.changed", userId: id, name: changed.name, avatar: changed.avatar });
  }

  return {
    async changePassword({ account: { id }, session }, { current, password1, password2 }) {
      const account = await confirmed(id, current);
      if (!account) return "wrong";
      if (password1 === "" || password2 === "") return "missing";
      if (password1 !== password2) return "differ";
      if (!(await passwords.allows(password1, account.name))) return "weak";
      await change(account, { passwordHash: await passwords.hash(password1) });
      await sessions.endAll(id, session.id);
      return null;
    },

    async close({ account: { id } }, { password, confirmation }) {
      const account = await confirmed(id, password);
      if (!account) return "wrong";
      if (confirmation !== account.name) return "unconfirmed";
      await change(account, { ...NOTHING_LEFT, deletedAt: clock.now() });
      await sessions.endAll(id);
      if (account.avatar !== null) await pictures.discard(account.avatar);
      return null;
    },
  };
}

const NOTHING_LEFT = {
  email: "",
  bio: "",
  avatar: null,
  passwordHash: NO_PASSWORD,
  isActive: false,
  isStaff: false,
  isSuperuser: false,
};
