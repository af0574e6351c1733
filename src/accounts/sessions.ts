/** Who is signed in where. A session can be ended at any moment, and is then over for every request and socket. */
import type { Bus } from "../chat/ports.ts";
import type { SessionId, UserId } from "../shared/ids.ts";
import type { Account, Clock, Secrets, Session, SessionStore } from "./ports.ts";

/** Two weeks from signing in, not sliding. Seconds, as cookies count. */
export const SESSION_SECONDS = 14 * 24 * 60 * 60;

const CSRF_LENGTH = 32;
const ID_LENGTH = 32;

/** Characters kept of what a browser says of itself. */
const AGENT_MAX_LENGTH = 200;

/** Sessions kept in memory, the least recently added dropped first; each takes about a kilobyte. */
const CACHE_SIZE = 10_000;

export interface SignedIn {
  session: Session;
  account: Account;
}

/** Where and with what somebody signs in, for them to recognise in the list of their sessions. */
export interface Device {
  address: string;
  agent: string;
}

export interface Sessions {
  /** Signs in. The same person signing in again over a living session keeps its id and gets a new CSRF secret. */
  open(account: Account, current: SignedIn | null, device: Device): Promise<SignedIn>;
  /** Null when there is no such session, it has expired, or the account is disabled. */
  current(id: SessionId): Promise<SignedIn | null>;
  end(id: SessionId): Promise<void>;
  /** All sessions of somebody, or all but one. */
  endAll(user: UserId, except?: SessionId): Promise<void>;
  /** Rises whenever one may be over: what was found before it rose has to be asked for again. */
  changes(): number;
  /** Those that have not expired, the newest first. */
  ofUser(user: UserId): Promise<Session[]>;
}

export function createSessions(deps: {
  store: SessionStore;
  clock: Clock;
  secrets: Secrets;
  /** Told of sessions that are over, so that their sockets close; tells of those, and of changed accounts. */
  bus: Bus;
}): Sessions {
  const { store, clock, secrets, bus } = deps;
  const cache = new Map<SessionId, SignedIn>();
  /** Counts what made the cache forget: whoever read the store before the count changed may have read what is over. */
  let changes = 0;
  /** Otherwise nobody would tell us what is over, and the store is asked each time. */
  let isTold = true;

  bus.subscribe((event) => {
    if (event.type === "sessions.ended") {
      changes++;
      for (const id of event.sessions) cache.delete(id);
    } else if (event.type === "account.changed") {
      changes++;
      for (const [id, { account }] of cache) if (account.id === event.userId) cache.delete(id);
    } else if (event.type === "accounts.reread" || event.type === "rights.unheard") {
      changes++;
      cache.clear();
      isTold = event.type === "accounts.reread";
    }
  });

  function remember(signedIn: SignedIn): SignedIn {
    if (!isTold) return signedIn;
    if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value as SessionId);
    cache.set(signedIn.session.id, signedIn);
    return signedIn;
  }

  async function read(id: SessionId): Promise<SignedIn | null> {
    const before = changes;
    const found = await store.find(id);
    if (changes !== before) return read(id);
    return found && remember(found);
  }

  async function end(id: SessionId): Promise<void> {
    await store.remove(id);
    bus.publish({ type: "sessions.ended", sessions: [id] });
  }

  return {
    end,
    changes: () => changes,

    async endAll(user, except) {
      const sessions = await store.removeOfUser(user, except ?? null);
      bus.publish({ type: "sessions.ended", sessions });
    },

    async ofUser(user) {
      const all = await store.ofUser(user);
      return all.filter(({ expiresAt }) => expiresAt > clock.now());
    },

    async open(account, current, { address, agent }) {
      const now = clock.now();
      const csrf = secrets.text(CSRF_LENGTH);
      const expiresAt = now + SESSION_SECONDS * 1000;
      if (current?.account.id === account.id) {
        const before = changes;
        const renewed = await store.renew(current.session.id, csrf, expiresAt);
        if (renewed && changes === before) {
          changes++;
          cache.delete(current.session.id);
          return { session: { ...current.session, csrf, expiresAt }, account };
        }
      }
      if (current) await end(current.session.id);
      const expired = await store.removeExpired(now);
      if (expired.length > 0) bus.publish({ type: "sessions.ended", sessions: expired });
      const session: Session = {
        id: secrets.text(ID_LENGTH) as SessionId,
        userId: account.id,
        csrf,
        createdAt: now,
        expiresAt,
        address,
        agent: agent.slice(0, AGENT_MAX_LENGTH),
      };
      await store.create(session);
      // Not remembered as it is: the account may have been disabled since its password was checked.
      return { session, account };
    },

    async current(id) {
      const found = cache.get(id) ?? (await read(id));
      if (found && found.session.expiresAt > clock.now() && found.account.isActive) return found;
      cache.delete(id);
      return null;
    },
  };
}
