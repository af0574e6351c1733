/** Who is here. Nothing is stored: whoever is present says so, and is forgotten when that was too long ago. */
import type { UserId } from "../shared/ids.ts";
import type { PersonView } from "../shared/protocol.ts";
import type { Bus, Clock, Presence, Who } from "./ports.ts";

export interface PresenceDeps {
  clock: Clock;
  /** Tells of new names and avatars. */
  bus: Bus;
  /** How long a sign of life lasts. Seconds. */
  ttl: number;
  /** How long a broken connection is waited for. Seconds. */
  grace: number;
  /** Signs of life count at most once in so many seconds. */
  touchInterval: number;
}

interface Entry {
  key: string;
  /** Null for guests. */
  person: PersonView | null;
  sockets: number;
  /** How many of them are held open by a page of ours. */
  held: number;
  /** False while somebody's time has run out and a socket of theirs is still open. */
  listed: boolean;
}

/** Pings at a steady pace come a little early and late: without this the one that is just in time would not count. */
const PUNCTUAL = 0.95;

export function createPresence({ clock, bus, ttl, grace, touchInterval }: PresenceDeps): Presence {
  const entries = new Map<string, Entry>();
  const silent = createCountdown(ttl * 1000);
  const broken = createCountdown(Math.min(grace, ttl) * 1000);
  const listeners: ((changed: boolean) => void)[] = [];
  const eachListeners: Parameters<Presence["onEach"]>[0][] = [];

  bus.subscribe((event) => {
    if (event.type !== "account.changed") return;
    const entry = entries.get(memberKey(event.userId));
    if (!entry || !rename(entry, event) || !entry.listed) return;
    tellEach(entry);
    tell(true);
  });

  function tell(changed: boolean): void {
    for (const listener of listeners) listener(changed);
  }

  function tellEach({ key, person, listed }: Entry): void {
    for (const listener of eachListeners) listener(key, listed ? person : undefined);
  }

  /** True when that is another name or avatar than before. */
  function rename(entry: Entry, { name, avatar }: PersonView): boolean {
    const before = entry.person;
    entry.person = { name, avatar };
    return before?.name !== name || before.avatar !== avatar;
  }

  /** From now on the time runs that such an entry has. */
  function restart(entry: Entry): void {
    silent.stop(entry);
    broken.stop(entry);
    if (entry.sockets === 0) broken.start(entry, clock.now());
    else if (entry.held === 0) silent.start(entry, clock.now());
  }

  function remove(entry: Entry): void {
    silent.stop(entry);
    broken.stop(entry);
    entries.delete(entry.key);
  }

  function expire(): void {
    const now = clock.now();
    const over = [...silent.takeDue(now), ...broken.takeDue(now)];
    for (const entry of over) {
      entry.listed = false;
      if (entry.sockets === 0) remove(entry);
      tellEach(entry);
    }
    if (over.length > 0) tell(true);
  }

  function list(entry: Entry): boolean {
    const isNew = !entry.listed;
    entry.listed = true;
    restart(entry);
    if (isNew) tellEach(entry);
    return isNew;
  }

  return {
    expire,
    nextExpiry: () => earlier(silent.next(), broken.next()),
    onMove: (listener) => void listeners.push(listener),
    onEach: (listener) => void eachListeners.push(listener),

    present() {
      expire();
      const online: PersonView[] = [];
      let guests = 0;
      for (const { listed, person } of entries.values()) {
        if (listed && person) online.push(person);
        else if (listed) guests++;
      }
      return { online, guests };
    },

    join(who, how) {
      expire();
      const key = keyOf(who);
      const entry = entries.get(key) ?? { key, person: null, sockets: 0, held: 0, listed: false };
      entries.set(key, entry);
      const share = how === "held" ? 1 : 0;
      entry.sockets++;
      entry.held += share;
      const renamed = who.kind === "member" && rename(entry, who);
      const isNew = list(entry);
      if (renamed && !isNew) tellEach(entry);
      tell(renamed || isNew);

      let touchedAt = clock.now();
      let isOver = false;
      return {
        touch() {
          if (isOver) return;
          expire();
          const now = clock.now();
          if (entry.listed && now - touchedAt < touchInterval * 1000 * PUNCTUAL) return;
          touchedAt = now;
          if (list(entry)) tell(true);
        },

        leave(clean) {
          if (isOver) return;
          isOver = true;
          expire();
          entry.sockets--;
          entry.held -= share;
          const goes = entry.sockets === 0 && (clean || !entry.listed);
          const isSeen = goes && entry.listed;
          if (goes) {
            remove(entry);
            entry.listed = false;
            if (isSeen) tellEach(entry);
          } else if (entry.listed) restart(entry);
          tell(isSeen);
        },
      };
    },
  };
}

function keyOf(who: Who): string {
  return who.kind === "member" ? memberKey(who.id) : `guest:${who.address}`;
}

function memberKey(id: UserId): string {
  return `member:${id}`;
}

/** The same span for everybody, so whoever began first is over first, and nobody has to be searched for. */
function createCountdown(span: number) {
  const startedAt = new Map<Entry, number>();
  return {
    start(entry: Entry, now: number): void {
      startedAt.set(entry, now);
    },
    stop(entry: Entry): void {
      startedAt.delete(entry);
    },
    next(): number | null {
      for (const at of startedAt.values()) return at + span;
      return null;
    },
    takeDue(now: number): Entry[] {
      const due: Entry[] = [];
      for (const [entry, at] of startedAt) {
        if (at + span > now) break;
        due.push(entry);
      }
      for (const entry of due) startedAt.delete(entry);
      return due;
    },
  };
}

function earlier(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}
