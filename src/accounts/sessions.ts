/** Who is signed in where. A session can be ended at any moment, and is then over for every request and socket. */
import type { SessionId } from "../shared/ids.ts";
import type { Account, Clock, Secrets, Session, SessionStore } from "./ports.ts";

/** Two weeks from signing in, not sliding. Seconds, as cookies count. */
export const SESSION_SECONDS = 14 * 24 * 60 * 60;

const CSRF_LENGTH = 32;
const ID_LENGTH = 32;

/** Sessions kept in memory, the least recently added dropped first; each takes about a kilobyte. */
const CACHE_SIZE = 10_000;

export interface SignedIn {
  session: Session;
  account: Account;
}

export interface Sessions {
  /** Signs in. The same person signing in again over a living session keeps its id and gets a new CSRF secret. */
  open(account: Account, current: SignedIn | null): Promise<SignedIn>;
  /** Null when there is no such session, it has expired, or the account is disabled. */
  current(id: SessionId): Promise<SignedIn | null>;
  end(id: SessionId): Promise<void>;
}

export function createSessions(deps: {
  store: SessionStore;
  clock: Clock;
  secrets: Secrets;
  /** Told after a session is over, so that its sockets close. */
  onEnded(sessions: readonly SessionId[]): void;
}): Sessions {
  const { store, clock, secrets, onEnded } = deps;
  const cache = new Map<SessionId, SignedIn>();
  /** Counts what has been ended: whoever read the store before the count changed may have read what is over. */
  let ends = 0;

  function remember(signedIn: SignedIn): SignedIn {
    if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value as SessionId);
    cache.set(signedIn.session.id, signedIn);
    return signedIn;
  }

  async function read(id: SessionId): Promise<SignedIn | null> {
    const before = ends;
    const found = await store.find(id);
    if (ends !== before) return read(id);
    return found && remember(found);
  }

  async function end(id: SessionId): Promise<void> {
    await store.remove(id);
    ends++;
    cache.delete(id);
    onEnded([id]);
  }

  return {
    end,

    async open(account, current) {
      const now = clock.now();
      const csrf = secrets.text(CSRF_LENGTH);
      const expiresAt = now + SESSION_SECONDS * 1000;
      if (current?.account.id === account.id) {
        const before = ends;
        const renewed = await store.renew(current.session.id, csrf, expiresAt);
        if (renewed && ends === before)
          return remember({ session: { ...current.session, csrf, expiresAt }, account });
      }
      if (current) await end(current.session.id);
      await store.removeExpired(now);
      const session: Session = {
        id: secrets.text(ID_LENGTH) as SessionId,
        userId: account.id,
        csrf,
        expiresAt,
      };
      await store.create({ ...session, createdAt: now });
      return remember({ session, account });
    },

    async current(id) {
      const found = cache.get(id) ?? (await read(id));
      if (found && found.session.expiresAt > clock.now() && found.account.isActive) return found;
      cache.delete(id);
      return null;
    },
  };
}
