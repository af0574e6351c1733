/** The way in, the same for pages and API: who may try how often, and what the audit log keeps of it. */
import type { Accounts, Registration } from "../accounts/accounts.ts";
import { nameKey } from "../accounts/names.ts";
import type { Account, Audit } from "../accounts/ports.ts";
import type { Allowance, RateLimit } from "../chat/ports.ts";
import { USERNAME_MAX_LENGTH } from "../shared/limits.ts";
import type { Visitor } from "./identify.ts";
import { network, type Origins, type Peer } from "./origin.ts";

/** Longer names nobody has; what they begin with is enough to count them. */
const KEY_MAX = 2 * USERNAME_MAX_LENGTH;

export type Attempt = "login" | "register";

export interface Credentials {
  username: string;
  password: string;
}

export interface Entrance {
  /** Counts an attempt of the client's network; the seconds to wait after too many of them. */
  knock(attempt: Attempt, request: Request, peer: Peer): Promise<number | null>;
  /** Null for wrong credentials. `wait`: too many attempts on this account, in seconds. */
  logIn(
    credentials: Credentials,
    request: Request,
    peer: Peer,
    visitor: Visitor,
  ): Promise<{ account: Account } | { wait: number } | null>;
  register(registration: Registration, request: Request, peer: Peer): ReturnType<Accounts["register"]>;
}

export function createEntrance(deps: {
  accounts: Accounts;
  audit: Audit;
  origins: Pick<Origins, "address">;
  /** For each network. */
  rates: Record<Attempt, RateLimit>;
  /** For each account, from wherever its password is guessed at. */
  accountRate: RateLimit;
}): Entrance {
  const { accounts, audit, origins, rates, accountRate } = deps;

  /** A storm of attempts is one entry in the log for each window. */
  async function waitFor(
    allowance: Allowance,
    attempt: Attempt,
    name: string,
    address: string,
  ): Promise<number | null> {
    if (allowance.allowed) return null;
    if (allowance.first) await audit.record("session.limited", { id: null, name, address }, "", attempt);
    return allowance.retryAfterSeconds;
  }

  return {
    async knock(attempt, request, peer) {
      const address = origins.address(request, peer);
      return waitFor(await rates[attempt].take(network(address)), attempt, "", address);
    },

    async logIn({ username, password }, request, peer, visitor) {
      const address = origins.address(request, peer);
      const key = nameKey(username).slice(0, KEY_MAX);
      // Whoever keeps an account under fire from many networks must not lock its owner out: a browser with a living
      // session of this very account is the owner's, and is counted by its network alone.
      const owner = visitor.signedIn?.account;
      if (!owner || nameKey(owner.name) !== key) {
        const wait = await waitFor(await accountRate.take(key), "login", username, address);
        if (wait !== null) return { wait };
      }
      const account = await accounts.authenticate(username, password);
      if (!account) await audit.record("session.refused", { id: null, name: username, address });
      return account && { account };
    },

    async register(registration, request, peer) {
      const result = await accounts.register(registration);
      if ("account" in result) {
        const { id, name } = result.account;
        const by = { id, name, address: origins.address(request, peer) };
        await audit.record("account.registered", by, `user:${name}`);
      }
      return result;
    },
  };
}
