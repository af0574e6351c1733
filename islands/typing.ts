/** Who is writing just now. */
import { signal, type ReadonlySignal } from "@preact/signals";

export interface Typing {
  /** Those who are, in the order in which they began. */
  names: ReadonlySignal<readonly string[]>;
  /** Somebody is heard to write. */
  heard(name: string): void;
  /** What they wrote has come. */
  done(name: string): void;
  /** The reader changes a text of theirs. */
  typed(): void;
  stop(): void;
}

/** Nobody is writing who was not heard to for so long. Milliseconds. */
const EXPIRY = 6_000;

/** The reader is said to write at most this often. Milliseconds. */
const SAY_INTERVAL = 3_000;

export function createTyping(say: () => void): Typing {
  const names = signal<readonly string[]>([]);
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let saidAt = -Infinity;

  function done(name: string): void {
    clearTimeout(timers.get(name));
    if (timers.delete(name)) names.value = [...timers.keys()];
  }

  return {
    names,
    done,

    heard(name) {
      clearTimeout(timers.get(name));
      timers.set(name, setTimeout(done, EXPIRY, name));
      if (!names.value.includes(name)) names.value = [...timers.keys()];
    },

    typed() {
      const now = Date.now();
      if (now - saidAt < SAY_INTERVAL) return;
      saidAt = now;
      say();
    },

    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
