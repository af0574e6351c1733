/** Questions to a server that may fall silent: the first one waits a little, the others not at all until it is back. */

/**
 * A question is given up when this clock has ticked so often without an answer. Between two ticks the process has read what
 * had arrived, so that one which was busy itself does not take the server for silent. Milliseconds.
 */
const TICK = 125;
const TICKS = 4;

export interface Patience {
  /** Rejects soon when no answer comes, and at once while none is expected. */
  ask<T>(question: () => Promise<T>): Promise<T>;
}

interface Waiting {
  since: number;
  giveUp(reason: Error): void;
}

export function createPatience(server: { isReachable(): boolean; ping(): Promise<unknown> }): Patience {
  /** In the order of asking. */
  const waiting = new Set<Waiting>();
  let isSilent = false;
  let isPinged = false;
  let ticks = 0;
  let clock: Timer | null = null;

  function tick(): void {
    ticks++;
    const [oldest] = waiting;
    if (oldest && ticks - oldest.since >= TICKS) fallSilent();
    if (isSilent) ping();
    else if (!oldest) stop();
  }

  function stop(): void {
    if (clock) clearInterval(clock);
    clock = null;
  }

  function fallSilent(): void {
    isSilent = true;
    for (const { giveUp } of waiting) giveUp(new Error("no answer in time"));
    waiting.clear();
  }

  function ping(): void {
    if (isPinged) return;
    isPinged = true;
    void server
      .ping()
      .then(() => (isSilent = false))
      .catch(() => {}) // still away
      .finally(() => (isPinged = false));
  }

  return {
    async ask<T>(question: () => Promise<T>): Promise<T> {
      if (isSilent || !server.isReachable()) throw new Error("not asked: no answer is expected");
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const mine: Waiting = { since: ticks, giveUp: reject };
      waiting.add(mine);
      clock ??= setInterval(tick, TICK).unref();
      try {
        question().then(resolve, reject);
        return await promise;
      } finally {
        waiting.delete(mine);
      }
    },
  };
}
