import { describe, expect, test } from "bun:test";
import type { Account, Session } from "../../src/accounts/ports.ts";
import type { ClientKey, MessageId, RoomId, SessionId, UserId } from "../../src/shared/ids.ts";
import { PUBLIC_ROOM } from "../../src/shared/rooms.ts";
import { sessionOf, type OpenStores } from "../../src/testing/stores/open.ts";
import { editing } from "../../src/testing/stores/editing.ts";
import { posting } from "../../src/testing/stores/posting.ts";
import { aroundMessage, changing, paging } from "../../src/testing/stores/reading.ts";
import { refusing } from "../../src/testing/stores/refusing.ts";
import { findingMessages, removing } from "../../src/testing/stores/removing.ts";
import { edit, post } from "../../src/testing/stores/scene.ts";
import { createDatabase, memberKey, type Database, type Hall, type Tables } from "./database.ts";
import { createEntries, createMessageStore, PERFECT, type StoreHabits } from "./store.ts";

// What it has tables for; the rest of the suite speaks of accounts, invitations and lists of rooms.
describe("the log in memory", () => {
  const stores = open();
  describe("posting messages", () => posting(() => stores));
  describe("editing a message", () => editing(() => stores));
  describe("refusing a message", () => refusing(() => stores));
  describe("reading pages", () => paging(() => stores));
  describe("reading around a message", () => aroundMessage(() => stores));
  describe("reading what has changed", () => changing(() => stores));
  describe("removing a message", () => removing(() => stores));
  describe("finding messages", () => findingMessages(() => stores));
});

describe("when the power goes", () => {
  test("what was answered is there, and a batch that was not synced is there as a whole or not at all", async () => {
    for (const [survivors, expected] of [
      [0, ["answered"]],
      [1, ["answered", "a", "b"]],
    ] as const) {
      const { db, say, texts } = talk({});
      await say("answered");
      db.begin([says("a"), says("b")]);
      db.crash(() => survivors);
      expect(texts()).toEqual([...expected]);
    }
  });

  test("a store that answers early loses what it has answered", async () => {
    const { db, say, texts } = talk({ answersEarly: true });
    expect(await say("answered")).toMatchObject([{ outcome: "stored" }]);
    expect(texts()).toEqual(["answered"]);
    db.crash(() => 0);
    expect(texts()).toEqual([]);
  });

  test("an edit that is lost leaves the text from before", () => {
    const { db, texts } = talk({});
    db.sync(db.begin([says("before")]));
    const [row] = db.tables().rows.values();
    db.show(db.begin([edit(row?.view.id as MessageId, ANN, "after")]));
    expect(texts()).toEqual(["after"]);
    db.crash(() => 0);
    expect(texts()).toEqual(["before"]);
  });
});

let made = 0;
let people = 1;
let halls = 1;

const ROOM = 1 as RoomId;

const ANN = 1 as UserId;

function says(text: string) {
  const key = `key-${text}-${(made += 1)}` as ClientKey;
  return post({ room: ROOM, author: ANN, key, text, createdAt: 1 });
}

/** A room with one person; nothing that is written is synced until the database says so. */
function talk(habits: StoreHabits) {
  const db = createDatabase(empty(), new Map([[sessionOf(ANN), ANN]]));
  db.tables().rooms.set(ROOM, hall(ROOM, "public", "public"));
  db.tables().users.set(ANN, { name: "ann", isMuted: false });
  const never = new Promise<void>(() => {});
  const disk = {
    ...PERFECT,
    pause: (step: string) => (step === "sync" && habits.answersEarly ? never : Promise.resolve()),
  };
  const store = createMessageStore(db, disk, habits);
  return {
    db,
    say: (text: string) => store.write([says(text)]),
    texts: () => [...db.tables().rows.values()].map(({ view }) => view.text),
  };
}

/** As much of the stores as these promises ask for. */
function open(): OpenStores {
  const sessions = new Map<SessionId, UserId>();
  const db = createDatabase(empty(), sessions);
  const { rooms, users, members } = db.tables();
  rooms.set(ROOM, hall(ROOM, PUBLIC_ROOM, "public"));
  const here = {
    messages: createMessageStore(db, PERFECT),
    rooms: {
      ...createEntries(db, PERFECT),
      update: async (id: RoomId, changes: Partial<Hall>) =>
        void Object.assign(rooms.get(id) ?? expect.unreachable(), changes),
      remove: async (id: RoomId) => void rooms.delete(id),
    },
    members: {
      async setRole(room: RoomId, user: UserId, role: "member" | "removed") {
        if (role === "removed") members.delete(memberKey(room, user));
        else members.set(memberKey(room, user), role);
        return true;
      },
      forget: async (room: RoomId, user: UserId) => void members.delete(memberKey(room, user)),
    },
    accounts: {
      create: async ({ name }: { name: string }) => addUser(db, name),
      async update(id: UserId, { isMuted, deletedAt }: Partial<Account>) {
        if (deletedAt) users.delete(id);
        else Object.assign(users.get(id) ?? expect.unreachable(), { isMuted });
      },
    },
    sessions: {
      find: async (id: SessionId) => sessions.get(id) ?? null,
      create: async ({ id, userId }: Session) => void sessions.set(id, userId),
      remove: async (id: SessionId) => void sessions.delete(id),
    },
    async addRoom(slug: string) {
      const id = (halls += 1) as RoomId;
      rooms.set(id, hall(id, slug, "private"));
      return id;
    },
    addMember: async (room: RoomId, user: UserId) => void members.set(memberKey(room, user), "member"),
    disableAccount: async (id: UserId) => void users.delete(id),
    removeAccount: async (id: UserId) => void users.delete(id),
  };
  return here as unknown as OpenStores;
}

function addUser(db: Database, name: string): Pick<Account, "id" | "name"> {
  const id = (people += 1) as UserId;
  db.tables().users.set(id, { name, isMuted: false });
  return { id, name };
}

function hall(id: RoomId, slug: string, kind: Hall["kind"]): Hall {
  return { id, slug, kind, name: slug, avatar: null, topic: "", isClosed: false, journal: [] };
}

function empty(): Tables {
  const maps = { rooms: new Map(), users: new Map(), members: new Map(), rows: new Map(), keys: new Map() };
  return { epoch: "epoch-1", ...maps, lastId: 0 };
}
