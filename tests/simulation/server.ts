/** One life of the server: the real rules, put together as `src/app.ts` and `src/compose` do, from its start to its end. */
import { createAccess, type Actor } from "../../src/chat/access.ts";
import { createMemoryBus } from "../../src/bus/memory.ts";
import type { createFeed } from "../../src/chat/feed.ts";
import { createMembers } from "../../src/chat/members.ts";
import { createMessages } from "../../src/chat/messages.ts";
import { StorageLost, type Allowance, type MemberStore, type Page } from "../../src/chat/ports.ts";
import type { createRecent } from "../../src/chat/recent.ts";
import type { Stored, createWriter } from "../../src/chat/writer.ts";
import type { ClientKey, RoomId, SessionId, UserId } from "../../src/shared/ids.ts";
import type { tellHeads } from "../../src/ws/beacon.ts";
import { createFarewell } from "../../src/ws/farewell.ts";
import { createGateway, type GatewayDeps } from "../../src/ws/gateway.ts";
import type { socketHandlers } from "../../src/ws/handlers.ts";
import type { createHub, Hub } from "../../src/ws/hub.ts";
import { createTyping } from "../../src/ws/typing.ts";
import { createUnread } from "../../src/ws/unread.ts";
import type { Socket } from "../../src/ws/socket.ts";
import { memberKey, type Database } from "./database.ts";
import type { Pipe } from "./pipe.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { createEnds, type End, type Ends } from "./sockets.ts";
import {
  createEntries,
  createMessageStore,
  Trouble,
  type Disk,
  type Step,
  type StoreHabits,
} from "./store.ts";

/** The makers of what carries a message on the server. */
export interface ServerParts {
  createWriter: typeof createWriter;
  createRecent: typeof createRecent;
  createFeed: typeof createFeed;
  createHub: typeof createHub;
  socketHandlers: typeof socketHandlers;
  tellHeads: typeof tellHeads;
  store: StoreHabits;
}

/** What may go wrong with the server's machine just now. */
export interface Machine {
  /** The longest that a step of the disk takes. Milliseconds. */
  diskMax: number;
  /** Chances of a commit. */
  failing: number;
  losing: number;
  /** Chance that a sender is told to wait. */
  limiting: number;
  /** Chance that a published frame is dropped. */
  dropping: number;
  /** What the clock shows too much. Milliseconds. */
  skew: number;
  /** What each byte that waits for a reader counts for. */
  weight: number;
}

export interface ServerDeps {
  scheduler: Scheduler;
  random: Random;
  machine: Machine;
  db: Database;
  sessions: ReadonlyMap<SessionId, UserId>;
  parts: ServerParts;
  watch: (socket: Socket, text: string) => void;
  onFault: (error: unknown) => void;
  /** The program has ended itself. */
  onCrash: () => void;
}

export interface Server {
  accept(session: SessionId | null, down: Pipe): End;
  isStopping(): boolean;
  /** The page of a room as it is drawn. */
  open(session: SessionId | null, slug: string): Promise<Page & { epoch: string }>;
  /** The form that works without scripts. */
  post(session: SessionId | null, slug: string, draft: Draft): Promise<Stored & { epoch: string }>;
  leave(session: SessionId, slug: string): Promise<void>;
  /** Of a session that has just been taken away. */
  tellEnded(session: SessionId): void;
  /** Somebody has another name, or picture. */
  forget(): void;
  hub: Hub;
  ends: Ends;
  stop(stopped: () => void): void;
  /** From here on nothing of it happens any more. */
  kill(): void;
}

interface Draft {
  key: ClientKey;
  text: string;
}

/** As in `src/app.ts` and `src/ws/beacon.ts`. Milliseconds. */
const LAST_WORDS = 250;
const BEACON = 10_000;

export function startServer(deps: ServerDeps): Server {
  const { scheduler, random, machine, db, sessions, parts, watch } = deps;
  let isAlive = true;
  let isStopping = false;

  const after = (delay: number, task: () => void) => scheduler.after(delay, () => void (isAlive && task()));
  const clock = { now: () => 1_800_000_000_000 + scheduler.now() + machine.skew };
  const disk = createDisk(deps, after);
  const bus = createMemoryBus();

  function onFault(error: unknown): void {
    if (!isAlive) return;
    if (!(error instanceof StorageLost)) return deps.onFault(error);
    kill();
    deps.onCrash();
  }

  const store = createMessageStore(db, disk, parts.store);
  const access = createAccess(createEntries(db, disk));
  const afterTurn = (task: () => void) => after(random.between(0, 3), task);
  const writer = parts.createWriter({ store, bus, afterTurn, onFailure: onFault });
  const rate = { take: async (): Promise<Allowance> => allowance(random.chance(machine.limiting)) };
  const messages = createMessages({ store, writer, access, clock, rate, maxLength: 1000 });
  const feed = parts.createFeed({ store, recent: parts.createRecent({ store, bus }) });
  const members = createMembers({ store: leaving(db) as MemberStore, bus });
  const hub = parts.createHub(bus);
  const handlers = parts.socketHandlers(hub, clock.now, onFault);
  const gateway = createGateway({
    access,
    acts: { submitRemoval: (actor, _, id) => messages.submitRemoval(actor, id) },
    feed,
    hub,
    members,
    messages,
    presence: { show: async () => {}, hide() {}, members: () => [], stop() {} },
    sessions: { current } as GatewayDeps["sessions"],
    typing: createTyping({ access, clock, hub, nodes: null }),
    unread: createUnread({ hub, rooms: { mine: async () => [] } }),
    onRefused() {},
    onError: onFault,
  });
  const loses = () => random.chance(machine.dropping);
  const { weight } = machine;
  const ends = createEnds({ handlers: () => handlers, watch, loses, weight, isAlive: () => isAlive });
  hub.attach(ends);
  const farewell = createFarewell(hub, random.next);

  function beat(): void {
    parts.tellHeads({ hub, feed }).catch(onFault);
    after(BEACON, beat);
  }
  after(BEACON, beat);

  /** As much of it as tells who somebody is. */
  async function current(session: SessionId) {
    const id = sessions.get(session);
    return id === undefined ? null : { session: { id: session }, account: { id, name: nameOf(id) } };
  }

  function actorOf(session: SessionId | null): Actor {
    const id = session === null ? undefined : sessions.get(session);
    if (session === null || id === undefined) return { kind: "guest" };
    return { kind: "member", id, name: nameOf(id), session, rank: "user" };
  }

  function nameOf(id: UserId): string {
    return db.tables().users.get(id)?.name ?? "";
  }

  function kill(): void {
    isAlive = false;
  }

  return {
    hub,
    ends,
    isStopping: () => isStopping || !isAlive,

    accept(session, down) {
      const fresh = {
        entry: null,
        work: Promise.resolve(),
        queued: 0,
        looksUnheard: 0,
        drained: null,
        heardAt: clock.now(),
      };
      const place = { origin: "", address: "10.0.0.1", slug: "", sessionEndsAt: Infinity };
      return ends.open({ protocol: gateway, actor: actorOf(session), ...place, ...fresh }, down);
    },

    async open(session, slug) {
      const reader = await access.reader(actorOf(session), slug);
      const page = await messages.latest(reader);
      return { ...page, epoch: feed.epoch() };
    },

    async post(session, slug, draft) {
      const stored = await messages.post(await access.member(actorOf(session), slug), draft);
      return { ...stored, epoch: feed.epoch() };
    },

    async leave(session, slug) {
      const actor = actorOf(session);
      if (actor.kind === "member") await members.leave(await access.reader(actor, slug), actor.id);
    },

    tellEnded: (session) => bus.publish({ type: "sessions.ended", sessions: [session] }),
    forget: () => bus.publish({ type: "accounts.reread" }),
    kill,

    stop(stopped) {
      isStopping = true;
      farewell.announce();
      after(LAST_WORDS, () => {
        void writer.settled().then(() => {
          farewell.close();
          kill();
          stopped();
        });
      });
    },
  };
}

function createDisk({ random, machine }: ServerDeps, after: Scheduler["after"]): Disk {
  const shares: Record<Step, number> = { read: 1, begin: 0.5, sync: 2, answer: 0.5 };
  return {
    // A process that has ended waits for ever: nothing of it goes on.
    pause: (step) =>
      new Promise((resolve, reject) => {
        const fails = step === "read" && random.chance(machine.failing / 4);
        const done = fails ? () => reject(new Trouble("the database is busy")) : resolve;
        after(random.between(0, machine.diskMax * shares[step]), done);
      }),
    outcome() {
      if (random.chance(machine.losing)) return "lost";
      return random.chance(machine.failing) ? "failed" : "synced";
    },
    survives: () => random.chance(0.5),
  };
}

function leaving(db: Database): Pick<MemberStore, "forget" | "markRead"> {
  return {
    async forget(room: RoomId, user: UserId) {
      db.tables().members.delete(memberKey(room, user));
    },
    async markRead() {},
  };
}

function allowance(isRefused: boolean): Allowance {
  return isRefused ? { allowed: false, retryAfterSeconds: 1, first: true } : { allowed: true };
}
