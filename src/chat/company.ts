/**
 * Who is here, on all nodes together: each keeps its own presences and tells the others how they change. A node that has
 * missed a step reads what that one has; one that is silent is forgotten with its people.
 */
import type { PersonView } from "../shared/protocol.ts";
import type { Clock, Nodes, Presence, Presences, PresenceStep, Roster } from "./ports.ts";

export interface Company extends Presence {
  /** To be called each second or so. */
  tick(): void;
  /** Takes everybody here away from the others. */
  leave(): Promise<void>;
}

export interface CompanyDeps {
  /** Of this node. */
  own: Presence;
  nodes: Nodes;
  roster: Roster;
  clock: Clock;
  after: (milliseconds: number, task: () => void) => void;
}

/** However many come and go at once, the other nodes are told so often. Milliseconds. */
const STEP_INTERVAL = 20;

/** Signs of life of a node, and how long it is waited for without one. Milliseconds. */
const BEAT_INTERVAL = 5_000;
const SILENCE_MAX = 15_000;

/** Somebody who is present on at least one node. */
interface Seat {
  person: PersonView | null;
  nodes: Set<string>;
}

interface Other {
  step: number;
  /** The highest step heard of. */
  known: number;
  keys: Set<string>;
  heardAt: number;
  isReading: boolean;
}

/** As this node is called here; the others have names that are never empty. */
const HERE = "";

export function createCompany({ own, nodes, roster, clock, after }: CompanyDeps): Company {
  const seats = new Map<string, Seat>();
  const others = new Map<string, Other>();
  const listeners: ((changed: boolean) => void)[] = [];
  /** Of this node: all, and those the others have not been told of. */
  const present: Presences = new Map();
  let pending = new Map<string, PersonView | null | undefined>();
  let step = 0;
  /** What the roster has of this node is true. */
  let isWritten = false;
  let beatAt = -Infinity;
  let isChanged = false;

  own.onEach((key, person) => {
    if (person === undefined) present.delete(key);
    else present.set(key, person);
    seat(HERE, key, person);
    pending.set(key, person);
    if (pending.size === 1) after(STEP_INTERVAL, () => void go());
  });
  own.onMove(() => tell(true));

  function tell(always: boolean): void {
    const changed = isChanged;
    isChanged = false;
    if (changed || always) for (const listener of listeners) listener(changed);
  }

  /** `undefined`: not there any more. */
  function seat(node: string, key: string, person: PersonView | null | undefined): void {
    const taken = seats.get(key);
    if (person === undefined) {
      if (!taken?.nodes.delete(node) || taken.nodes.size > 0) return;
      seats.delete(key);
    } else if (!taken) {
      seats.set(key, { person, nodes: new Set([node]) });
    } else {
      taken.nodes.add(node);
      if (isSame(taken.person, person)) return;
      taken.person = person;
    }
    isChanged = true;
  }

  /** The next step, for whoever is to know of it. */
  async function go(): Promise<void> {
    const changes = [...pending];
    pending = new Map();
    const came = changes.flatMap(([key, person]) => (person === undefined ? [] : [[key, person] as const]));
    const went = changes.flatMap(([key, person]) => (person === undefined ? [key] : []));
    await write({ step: ++step, came: came.map(([...each]) => each), went });
  }

  async function write(change: PresenceStep): Promise<void> {
    if (!nodes.isReachable()) return void (isWritten = false);
    try {
      if (isWritten && (await roster.change(change))) {
        if (change.came.length + change.went.length > 0) return nodes.tell({ type: "presence", ...change });
      } else {
        isWritten = true;
        await roster.write(++step, present);
      }
      nodes.tell({ type: "presence.here", step });
    } catch {
      // Where they are kept cannot be reached just now: the next sign of life writes everything.
      isWritten = false;
    }
  }

  function beat(): void {
    beatAt = clock.now();
    void write({ step, came: [], went: [] });
  }

  nodes.listen((word, node) => {
    switch (word.type) {
      case "presence":
      case "presence.here":
        return hear(node, word);
      case "presence.asked":
        return beat();
      case "presence.over":
        forget(node);
        return tell(false);
      case "messages.changed":
      case "typing":
    }
  });

  function hear(node: string, word: { step: number } & Partial<PresenceStep>): void {
    const fresh = { step: 0, known: 0, keys: new Set<string>(), heardAt: 0, isReading: false };
    const other = others.get(node) ?? fresh;
    others.set(node, other);
    other.heardAt = clock.now();
    other.known = Math.max(other.known, word.step);
    if (word.came && word.went && word.step === other.step + 1 && !other.isReading) {
      other.step = word.step;
      for (const [key, person] of word.came) arrive(node, other, key, person);
      for (const key of word.went) depart(node, other, key);
      tell(false);
    } else if (word.step > other.step) void read(node, other);
  }

  function arrive(node: string, other: Other, key: string, person: PersonView | null): void {
    other.keys.add(key);
    seat(node, key, person);
  }

  function depart(node: string, other: Other, key: string): void {
    other.keys.delete(key);
    seat(node, key, undefined);
  }

  async function read(node: string, other: Other): Promise<void> {
    if (other.isReading) return;
    other.isReading = true;
    try {
      for (let before = -1; other.step < other.known && other.step > before;) {
        before = other.step;
        const found = await roster.read(node);
        if (!found || others.get(node) !== other) return;
        for (const key of other.keys) if (!found.presences.has(key)) depart(node, other, key);
        for (const [key, person] of found.presences) arrive(node, other, key, person);
        other.step = Math.max(found.step, other.step);
        tell(false);
      }
    } catch {
      // It cannot be read just now: the next sign of life of that node leads here again.
    } finally {
      other.isReading = false;
    }
  }

  function forget(node: string): void {
    for (const key of others.get(node)?.keys ?? []) seat(node, key, undefined);
    others.delete(node);
  }

  nodes.tell({ type: "presence.asked" });
  beat();

  return {
    ...own,
    onMove: (listener) => void listeners.push(listener),

    present() {
      own.expire();
      const online: PersonView[] = [];
      let guests = 0;
      for (const { person } of seats.values()) {
        if (person) online.push(person);
        else guests++;
      }
      return { online, guests };
    },

    tick() {
      const now = clock.now();
      for (const [node, { heardAt }] of others) if (now - heardAt >= SILENCE_MAX) forget(node);
      tell(false);
      const isBack = !isWritten && nodes.isReachable();
      if (isBack || now - beatAt >= BEAT_INTERVAL) beat();
    },

    async leave() {
      nodes.tell({ type: "presence.over" });
      // What cannot be taken away now goes by itself.
      if (nodes.isReachable()) await roster.remove().catch(() => {});
    },
  };
}

function isSame(one: PersonView | null, other: PersonView | null): boolean {
  return one?.name === other?.name && one?.avatar === other?.avatar;
}
