import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { SessionId } from "../shared/ids.ts";
import { addAccount, openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import type { Account, SessionStore } from "./ports.ts";
import { createMemoryBus } from "../bus/memory.ts";
import { createSessions, SESSION_SECONDS, type Sessions } from "./sessions.ts";

const TWO_WEEKS = 14 * 24 * 60 * 60 * 1000;

let stores: OpenStores;
let ann: Account;
let bob: Account;
let sessions: Sessions;
let now: number;
let ended: SessionId[];

beforeAll(async () => {
  stores = await openSqliteStores();
});
afterAll(() => stores.close());

beforeEach(async () => {
  now = 1_795_339_770_247;
  ended = [];
  sessions = restarted();
  ann = await addAccount(stores);
  bob = await addAccount(stores);
});

describe("signing in", () => {
  test("opens a session that is known from then on, after a restart too", async () => {
    const { session } = await sessions.open(ann, null, DEVICE);
    expect(session).toMatchObject({ userId: ann.id, expiresAt: now + TWO_WEEKS });
    expect(session.csrf).not.toBe("");
    expect(await sessions.current(session.id)).toEqual({ session, account: ann });
    expect(await restarted().current(session.id)).toMatchObject({ session, account: ann });
  });

  test("opens sessions that are independent of each other", async () => {
    const [phone, desk] = [await sessions.open(ann, null, DEVICE), await sessions.open(ann, null, DEVICE)];
    expect(phone.session.id).not.toBe(desk.session.id);
    expect(phone.session.csrf).not.toBe(desk.session.csrf);
    await sessions.end(phone.session.id);
    expect(await sessions.current(desk.session.id)).not.toBeNull();
  });

  test("again as the same person keeps the id, takes a new secret and begins the two weeks anew", async () => {
    const first = await sessions.open(ann, null, DEVICE);
    now += 1000;
    const again = await sessions.open(ann, first, DEVICE);
    expect(again.session.id).toBe(first.session.id);
    expect(again.session.csrf).not.toBe(first.session.csrf);
    expect(again.session.expiresAt).toBe(now + TWO_WEEKS);
    expect(await sessions.current(first.session.id)).toEqual(again);
    expect(await restarted().current(first.session.id)).toMatchObject(again);
    expect(ended).toEqual([]);
  });

  test("as another person ends the session that was, and opens one with another id", async () => {
    const before = await sessions.open(ann, null, DEVICE);
    expect(await sessions.current(before.session.id)).not.toBeNull();
    const after = await sessions.open(bob, before, DEVICE);
    expect(after.account).toEqual(bob);
    expect(after.session.id).not.toBe(before.session.id);
    expect(after.session.csrf).not.toBe(before.session.csrf);
    expect(ended).toEqual([before.session.id]);
    expect(await sessions.current(before.session.id)).toBeNull();
    expect(await restarted().current(before.session.id)).toBeNull();
  });

  test("over a session that has ended meanwhile does not bring it back", async () => {
    const before = await sessions.open(ann, null, DEVICE);
    expect(await sessions.current(before.session.id)).not.toBeNull();
    await sessions.end(before.session.id);
    const after = await sessions.open(ann, before, DEVICE);
    expect(await sessions.current(before.session.id)).toBeNull();
    expect(await restarted().current(after.session.id)).toMatchObject(after);
  });
});

describe("a session lasts", () => {
  test("two weeks, and ends at that very moment", async () => {
    expect(SESSION_SECONDS * 1000).toBe(TWO_WEEKS);
    const { session } = await sessions.open(ann, null, DEVICE);
    now += TWO_WEEKS - 1;
    expect(await sessions.current(session.id)).not.toBeNull();
    expect(await restarted().current(session.id)).not.toBeNull();
    now += 1;
    expect(await sessions.current(session.id)).toBeNull();
    expect(await restarted().current(session.id)).toBeNull();
  });

  test("no longer for being used", async () => {
    const { session } = await sessions.open(ann, null, DEVICE);
    for (let day = 0; day < 13; day++) {
      now += TWO_WEEKS / 14;
      expect(await sessions.current(session.id)).not.toBeNull();
    }
    now += TWO_WEEKS / 14;
    expect(await sessions.current(session.id)).toBeNull();
  });

  test("in the store until somebody signs in after its end", async () => {
    const { session } = await sessions.open(ann, null, DEVICE);
    now += TWO_WEEKS;
    expect(await stores.sessions.find(session.id)).not.toBeNull();
    await sessions.open(bob, null, DEVICE);
    expect(await stores.sessions.find(session.id)).toBeNull();
    expect(ended).toContain(session.id);
  });
});

describe("a session that is ended", () => {
  test("is over at once, after a restart too, and its sockets are told", async () => {
    const { session } = await sessions.open(ann, null, DEVICE);
    expect(await sessions.current(session.id)).not.toBeNull();
    await sessions.end(session.id);
    expect(ended).toEqual([session.id]);
    expect(await sessions.current(session.id)).toBeNull();
    expect(await restarted().current(session.id)).toBeNull();
  });

  test("stays over for those who were just asking for it", async () => {
    const { session } = await sessions.open(ann, null, DEVICE);
    const slow = heldBack(stores.sessions, "find");
    const others = restarted(slow.store);
    const asking = others.current(session.id);
    await slow.asked;
    await others.end(session.id);
    slow.release();
    await asking;
    expect(await stores.sessions.find(session.id)).toBeNull();
    expect(await others.current(session.id)).toBeNull();
  });

  test("stays over for those who were just signing in again", async () => {
    const before = await sessions.open(ann, null, DEVICE);
    const slow = heldBack(stores.sessions, "renew");
    const others = restarted(slow.store);
    const opening = others.open(ann, before, DEVICE);
    await slow.asked;
    await others.end(before.session.id);
    slow.release();
    await opening;
    expect(await stores.sessions.find(before.session.id)).toBeNull();
    expect(await others.current(before.session.id)).toBeNull();
  });

  test("at once when it ends elsewhere while nobody would tell, and when that is told again", async () => {
    const bus = createMemoryBus();
    const here = restarted(stores.sessions, bus);
    for (const event of ["rights.unheard", "accounts.reread"] as const) {
      const { session } = await here.open(ann, null, DEVICE);
      expect(await here.current(session.id)).not.toBeNull();
      bus.publish({ type: event });
      expect(await here.current(session.id)).not.toBeNull();
      if (event === "accounts.reread") bus.publish({ type: "sessions.ended", sessions: [session.id] });
      await stores.sessions.remove(session.id);
      expect(await here.current(session.id)).toBeNull();
    }
  });

  test("may be one that never was", async () => {
    await sessions.end(unique("session") as SessionId);
    expect(await sessions.current(unique("session") as SessionId)).toBeNull();
  });
});

test("a disabled account is nobody", async () => {
  const { session } = await sessions.open(ann, null, DEVICE);
  expect(await restarted().current(session.id)).not.toBeNull();
  await stores.disableAccount(ann.id);
  expect(await restarted().current(session.id)).toBeNull();
});

const DEVICE = { address: "192.0.2.1", agent: "a browser" };

/** Sessions as after a restart of the program: nothing is remembered but what is stored. */
function restarted(store: SessionStore = stores.sessions, bus = createMemoryBus()): Sessions {
  bus.subscribe((event) => void (event.type === "sessions.ended" && ended.push(...event.sessions)));
  return createSessions({
    store,
    clock: { now: () => now },
    secrets: { text: (length) => unique("s").padEnd(length, "x") },
    bus,
  });
}

/** A store behind a slow line: what it has done for one of its methods is known when it is released. */
function heldBack(store: SessionStore, method: "find" | "renew") {
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  async function hold<T>(answer: Promise<T>): Promise<T> {
    await answer;
    asked.resolve();
    await released.promise;
    return answer;
  }
  const { find, renew } = store;
  const held: Pick<SessionStore, "find" | "renew"> = {
    find: (id) => hold(find(id)),
    renew: (...renewal) => hold(renew(...renewal)),
  };
  return {
    store: { ...store, [method]: held[method] },
    asked: asked.promise,
    release: () => released.resolve(),
  };
}
