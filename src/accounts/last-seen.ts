/** When people were last here: kept in memory and written now and then, so that no request waits for it. */
import type { UserId } from "../shared/ids.ts";
import type { AccountStore, Clock } from "./ports.ts";

/** Whoever logs out has left for good, and does not look as if they were only just here. Milliseconds. */
const LOGOUT_SETBACK = 5 * 60_000;

export interface LastSeen {
  seen(user: UserId): void;
  loggedOut(user: UserId): void;
  /** Writes what has come together since the last time, and that whoever is still here is here. */
  flush(): Promise<void>;
}

export interface LastSeenDeps {
  store: Pick<AccountStore, "markSeen">;
  clock: Clock;
  /** Who has a page open, whether or not it asks for anything. */
  stillHere: () => Iterable<UserId>;
}

export function createLastSeen({ store, clock, stillHere }: LastSeenDeps): LastSeen {
  let times = new Map<UserId, number>();
  const seen = (user: UserId) => void times.set(user, clock.now());
  return {
    seen,
    loggedOut: (user) => void times.set(user, clock.now() - LOGOUT_SETBACK),

    async flush() {
      for (const user of stillHere()) seen(user);
      if (times.size === 0) return;
      const writing = times;
      times = new Map();
      await store.markSeen(writing);
    },
  };
}
