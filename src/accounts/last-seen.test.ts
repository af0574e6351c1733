import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { addAccount, openSqliteStores, type OpenStores } from "../testing/stores/open.ts";
import type { UserId } from "../shared/ids.ts";
import { createLastSeen, type LastSeen } from "./last-seen.ts";
import type { Account } from "./ports.ts";

const MINUTE = 60_000;

let stores: OpenStores;
let ann: Account;
let bob: Account;
let lastSeen: LastSeen;
let withPages: UserId[];
let written: number[];
let now: number;

beforeAll(async () => {
  stores = await openSqliteStores();
});
afterAll(() => stores.close());

beforeEach(async () => {
  now = 1_795_339_770_247;
  withPages = [];
  written = [];
  [ann, bob] = [await addAccount(stores), await addAccount(stores)];
  lastSeen = createLastSeen({
    store: {
      markSeen(seen) {
        written.push(seen.size);
        return stores.accounts.markSeen(seen);
      },
    },
    clock: { now: () => now },
    stillHere: () => withPages,
  });
});

const seenAt = async ({ id }: Account) => (await stores.accounts.byId(id))?.lastSeenAt;

test("people were last seen at their last request, as of the last time it was written down", async () => {
  lastSeen.seen(ann.id);
  now += 5_000;
  lastSeen.seen(ann.id);
  expect(await seenAt(ann)).toBeNull();
  await lastSeen.flush();
  expect(await seenAt(ann)).toBe(now);
  expect(await seenAt(bob)).toBeNull();
});

test("everybody is written at once, and nobody whom nothing was heard of", async () => {
  lastSeen.seen(ann.id);
  lastSeen.seen(bob.id);
  lastSeen.seen(ann.id);
  await lastSeen.flush();
  await lastSeen.flush();
  expect(written).toEqual([2]);
});

test("whoever has a page open is seen without asking for anything", async () => {
  withPages = [ann.id, ann.id];
  await lastSeen.flush();
  now += 10_000;
  await lastSeen.flush();
  expect(await seenAt(ann)).toBe(now);
  expect(written).toEqual([1, 1]);
});

test("whoever logs out looks as if they had left five minutes ago, unless they are seen elsewhere", async () => {
  lastSeen.seen(ann.id);
  await lastSeen.flush();
  lastSeen.seen(ann.id);
  lastSeen.loggedOut(ann.id);
  await lastSeen.flush();
  expect(await seenAt(ann)).toBe(now - 5 * MINUTE);
  lastSeen.loggedOut(bob.id);
  withPages = [bob.id];
  await lastSeen.flush();
  expect(await seenAt(bob)).toBe(now);
});
