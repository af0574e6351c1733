/** Registering and checking credentials. */
import { canonicalName, keysOf, nameFault, nameKey, type NameFault } from "./names.ts";
import type { Passwords } from "./passwords.ts";
import type { Account, AccountStore, Clock } from "./ports.ts";

export interface Registration {
  username: string;
  password1: string;
  password2: string;
}

/** The first rule that a registration breaks; with a weak password a bad name is told as well. */
export type RegistrationFault =
  | { field: "username"; fault: "missing" | "taken" }
  | { field: "password"; fault: "missing" | "differ" }
  | { field: "password"; fault: "weak"; name: NameFault | null }
  | { field: "username"; fault: "bad"; name: NameFault };

export interface Accounts {
  register(registration: Registration): Promise<{ account: Account } | { refused: RegistrationFault }>;
  /**
   * The name exactly as registered. Null for an unknown name, a wrong password, and an account that is disabled or gone,
   * all alike and in the same time; that of a wrong password is another one while an imported hash stands.
   */
  authenticate(username: string, password: string): Promise<Account | null>;
}

export function createAccounts(deps: { store: AccountStore; passwords: Passwords; clock: Clock }): Accounts {
  const { store, passwords, clock } = deps;

  async function refusal(name: string, registration: Registration): Promise<RegistrationFault | null> {
    const { username, password1, password2 } = registration;
    if (username === "") return { field: "username", fault: "missing" };
    if (await store.nameTaken(keysOf(name), null)) return { field: "username", fault: "taken" };
    if (password1 === "" || password2 === "") return { field: "password", fault: "missing" };
    if (password1 !== password2) return { field: "password", fault: "differ" };
    const fault = nameFault(name);
    if (!(await passwords.allows(password1, name))) return { field: "password", fault: "weak", name: fault };
    return fault && { field: "username", fault: "bad", name: fault };
  }

  return {
    async register(registration) {
      const name = canonicalName(registration.username);
      const refused = await refusal(name, registration);
      if (refused) return { refused };
      const passwordHash = await passwords.hash(registration.password1);
      const account = await store.create({
        name,
        ...keysOf(name),
        passwordHash,
        createdAt: clock.now(),
      });
      return account ? { account } : { refused: { field: "username", fault: "taken" } };
    },

    async authenticate(username, password) {
      const found = await store.byNameKey(nameKey(username));
      const account = found?.name === username.normalize("NFKC") ? found : null;
      const matches = await passwords.verify(password, account?.passwordHash ?? null);
      if (!account || !matches || !account.isActive || account.deletedAt !== null) return null;
      if (!passwords.isDated(account.passwordHash)) return account;
      const passwordHash = await passwords.hash(password);
      await store.rehash(account.id, account.passwordHash, passwordHash);
      return { ...account, passwordHash };
    },
  };
}
