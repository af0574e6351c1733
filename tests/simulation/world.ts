/** Everything of one run: a database, a server that may end and start again, pages, and the network between them. */
import type { Role } from "../../src/chat/ports.ts";
import type { MessageId, RoomId, SessionId, UserId } from "../../src/shared/ids.ts";
import type { ServerFrame } from "../../src/shared/protocol.ts";
import type { Socket } from "../../src/ws/socket.ts";
import { createDatabase, memberKey, type Database, type Hall, type Row, type Tables } from "./database.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { createNetwork, type Network } from "./network.ts";
import { openPage, type Page, type PageParts } from "./page.ts";
import type { Weather } from "./pipe.ts";
import type { Random } from "./random.ts";
import { createScheduler, type Scheduler } from "./scheduler.ts";
import { startServer, type Machine, type Server, type ServerParts } from "./server.ts";
import { Trouble } from "./store.ts";

export interface Parts extends ServerParts, PageParts {}

/** Somebody with a browser. */
export interface Person {
  name: string;
  /** Null for a guest. */
  id: UserId | null;
  session: SessionId | null;
}

export interface World {
  scheduler: Scheduler;
  random: Random;
  ledger: Ledger;
  db: Database;
  machine: Machine;
  weather: Weather;
  people: Person[];
  pages: Page[];
  network: Network;
  server(): Server | null;
  open(person: Person, rooms: readonly string[], drawn?: string): Page;
  personOf(page: Page): Person;
  /** Submits what is on its way from a page by another way, with the same key. */
  repeat(page: Page): void;
  kill(howClientsHear: "reset" | "silence"): void;
  stop(): void;
  /** Puts an earlier copy in the place of the database. */
  restore(copy: Tables): void;
  /** What the server remembers of people may be over. */
  forget(): void;
  leave(person: Person): void;
  comeBack(person: Person): void;
  signOut(person: Person): void;
  signIn(person: Person): void;
  /** Every history there has been, by its name. */
  histories(): ReadonlyMap<string, Tables>;
}

export const PUBLIC = "public";
export const HALL = "hall";
const HALL_ID = 2 as RoomId;

export interface WorldOptions {
  random: Random;
  parts: Parts;
  /** Messages in each room before anybody comes. */
  told: number;
  /** Frames are dropped, so that gaps are no fault of the server. */
  isLossy: boolean;
  trace: ((line: string) => void) | null;
}

export function createWorld({ random, parts, told, isLossy, trace }: WorldOptions): World {
  const scheduler = createScheduler();
  const weather: Weather = { stalls: 0, stallMax: 0, distance: 5 };
  const machine: Machine = {
    diskMax: 1,
    failing: 0,
    losing: 0,
    limiting: 0,
    dropping: 0,
    skew: 0,
    weight: 1,
  };
  const ledger = createLedger(isLossy, trace, scheduler.now);
  const people: Person[] = ["ann", "bob", "cid"].map((name, i) => ({
    name,
    id: (i + 1) as UserId,
    session: `${name}-1` as SessionId,
  }));
  people.push({ name: "guest", id: null, session: null });
  const sessions = new Map<SessionId, UserId>();
  for (const { id, session } of people) if (id !== null && session !== null) sessions.set(session, id);
  const over = new Set<SessionId>();
  /** Who has lost the hall, and was told so. */
  const gone = new Set<UserId>();

  const db = createDatabase(tablesOf(people, told, ledger), sessions);
  const histories = new Map<string, Tables>();
  const pages: Page[] = [];
  const owners = new Map<Page, Person>();
  let epochs = 1;
  let signIns = 1;
  let server: Server | null = null;

  /** I9, at the last place where it can be seen: what leaves for whom. */
  function watch({ data: { actor } }: Socket, text: string): void {
    if (actor.kind === "guest" || (gone.size === 0 && over.size === 0)) return;
    if (over.has(actor.session)) ledger.broke("I9", `${actor.session} is over and is sent ${text}`);
    if (!gone.has(actor.id)) return;
    const frame = JSON.parse(text) as ServerFrame;
    const isOfRoom = frame.type === "changes" || frame.type === "head" || frame.type === "caught-up";
    if (isOfRoom && frame.room === HALL)
      ledger.broke("I9", `${actor.name} has left ${HALL} and is sent ${text}`);
  }

  function start(): void {
    if (server) return;
    ledger.trace(() => "the server starts");
    server = startServer({
      scheduler,
      random,
      machine,
      db,
      sessions,
      parts,
      watch,
      onFault(error) {
        if (!(error instanceof Trouble))
          ledger.broke("I13", String(error instanceof Error ? error.stack : error));
      },
      onCrash: () => ended("reset"),
    });
  }

  /** The process is gone, whatever it was doing; another one starts in a while. */
  function ended(how: "reset" | "silence"): void {
    ledger.trace(() => `the server is gone (${how})`);
    server = null;
    db.crash((written) => random.below(written + 1));
    for (const wire of network.wires()) {
      if (how === "reset") wire.cut();
      else wire.silence();
    }
    scheduler.after(random.between(200, 3_000), start);
  }

  const network = createNetwork({ scheduler, random, weather, ledger, server: () => server });

  const world: World = {
    scheduler,
    random,
    ledger,
    db,
    machine,
    weather,
    people,
    pages,
    network,
    server: () => server,
    personOf: (page) => owners.get(page) as Person,

    open(person, rooms, drawn) {
      const name = `${person.name}-${pages.length + 1}`;
      const session = () => person.session;
      const page = openPage({ scheduler, random, network, ledger, parts, session }, name, rooms, drawn);
      pages.push(page);
      owners.set(page, person);
      return page;
    },

    repeat(page) {
      const { session } = world.personOf(page);
      for (const [room, { outbox }] of page.places) {
        const [first] = outbox.filter(({ refusal }) => refusal === null);
        if (!first) continue;
        const { key, text } = first;
        ledger.trace(() => `${page.name} sends ${key} by the form too`);
        network.request(
          (to) => to.post(session, room, { key, text }),
          ({ epoch, message: { id, seq } }) => ledger.acknowledged(page, epoch, room, { key, id, seq }),
          () => {},
        );
      }
    },

    kill(how) {
      if (!server) return;
      server.kill();
      ended(how);
    },

    stop() {
      if (!server || server.isStopping()) return;
      ledger.trace(() => "the server is told to stop");
      server.stop(() => {
        server = null;
        db.crash((written) => written);
        scheduler.after(random.between(200, 2_000), start);
      });
    },

    restore(copy) {
      if (server) world.kill("reset");
      ledger.trace(() => "a backup is restored");
      histories.set(db.tables().epoch, db.copy());
      db.restore(copy, `epoch-${(epochs += 1)}`);
      // Whoever had left since then is a member again.
      gone.clear();
    },

    forget: () => server?.forget(),

    leave(person) {
      const { session, id } = person;
      if (!server || session === null || id === null) return;
      const asked = server;
      ledger.trace(() => `${person.name} leaves ${HALL}`);
      asked.leave(session, HALL).then(
        () => void (server === asked && !db.tables().members.has(memberKey(HALL_ID, id)) && gone.add(id)),
        () => {},
      );
    },

    comeBack({ name, id }) {
      if (id === null) return;
      ledger.trace(() => `${name} comes back to ${HALL}`);
      gone.delete(id);
      db.tables().members.set(memberKey(HALL_ID, id), "member");
    },

    signOut(person) {
      const { session } = person;
      if (!server || session === null || !sessions.delete(session)) return;
      ledger.trace(() => `${person.name} signs out`);
      server.tellEnded(session);
      over.add(session);
    },

    signIn(person) {
      if (person.id === null || (person.session !== null && sessions.has(person.session))) return;
      person.session = `${person.name}-${(signIns += 1)}` as SessionId;
      sessions.set(person.session, person.id);
    },

    histories: () => new Map(histories).set(db.tables().epoch, db.tables()),
  };
  start();
  return world;
}

/** Two rooms in which everybody has been for a while. */
function tablesOf(people: readonly Person[], told: number, ledger: Ledger): Tables {
  const hall = (id: number, slug: string, kind: "public" | "private"): [RoomId, Hall] => [
    id as RoomId,
    { id: id as RoomId, slug, kind, name: slug, avatar: null, topic: "", isClosed: false, journal: [] },
  ];
  const rooms = new Map([hall(1, PUBLIC, "public"), hall(HALL_ID, HALL, "private")]);
  const members = people.flatMap(({ id }) => (id === null ? [] : [memberKey(HALL_ID, id)]));
  const rows = new Map<MessageId, Row>();
  for (const { id: room, slug, journal } of rooms.values()) {
    for (let rev = 1; rev <= told; rev++) {
      const [id, text, key] = [rows.size + 1, `${slug} ${rev}`, `before-${rows.size + 1}`];
      const view = { id, seq: rev, rev, author: "ann", avatar: null, text, createdAt: rev, editedAt: null };
      journal.push({ ...view, deletedAt: null, key });
      rows.set(id as MessageId, { room, author: 1 as UserId, view: { ...view, deletedAt: null, key } });
      ledger.reworded(text);
    }
  }
  return {
    epoch: "epoch-1",
    rooms,
    users: new Map(people.flatMap(({ id, name }) => (id === null ? [] : [[id, { name, isMuted: false }]]))),
    members: new Map(members.map((member): [string, Role] => [member, "member"])),
    rows,
    keys: new Map(),
    lastId: rows.size,
  };
}
