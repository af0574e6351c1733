import { beforeEach, describe, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { UserId } from "../shared/ids.ts";
import { createCompany, type Company } from "./company.ts";
import type { Nodes, Presences, Roster, Stay, Who, Word } from "./ports.ts";
import { createPresence } from "./presence.ts";

const SECOND = 1_000;
const ANN: Who = { kind: "member", id: 1 as UserId, name: "ann", avatar: null };
const BOB: Who = { kind: "member", id: 2 as UserId, name: "bob", avatar: "pics/bob.webp" };
const HOME: Who = { kind: "guest", address: "203.0.113.7" };
const CAFE: Who = { kind: "guest", address: "198.51.100.7" };

interface Node {
  company: Company;
  /** Of each move that listeners here were told of: whether it changed who is here. */
  moves: boolean[];
  names(): string[];
  guests(): number;
}

/** What lies between the nodes. */
let listeners: Map<string, Parameters<Nodes["listen"]>[0]>;
let rosters: Map<string, { step: number; presences: Presences }>;
let isReachable: boolean;
/** Which words get lost. */
let loses: (word: Word) => boolean;
let reads: number;
let now: number;
let tasks: { at: number; task: () => void }[];
let buses: ReturnType<typeof createMemoryBus>[];
let running: { company: Company; isRunning: boolean }[];
let one: Node;
let two: Node;

beforeEach(async () => {
  [listeners, rosters] = [new Map(), new Map()];
  [isReachable, loses, reads, now] = [true, () => false, 0, 1_795_339_770_247];
  [tasks, buses, running] = [[], [], []];
  [one, two] = [start("one"), start("two")];
  await wait(1);
});

function start(name: string): Node {
  const clock = { now: () => now };
  const bus = createMemoryBus();
  const own = createPresence({ clock, bus, ttl: 40, grace: 5, touchInterval: 30 });
  const after = (milliseconds: number, task: () => void) => void tasks.push({ at: now + milliseconds, task });
  const company = createCompany({ own, nodes: nodesOf(name), roster: rosterOf(name), clock, after });
  const moves: boolean[] = [];
  company.onMove((changed) => void moves.push(changed));
  buses.push(bus);
  running.push({ company, isRunning: true });
  const names = () => company.present().online.map((person) => person.name);
  return { company, moves, names, guests: () => company.present().guests };
}

function nodesOf(name: string): Nodes {
  return {
    isReachable: () => isReachable,
    listen: (listener) => void listeners.set(name, listener),
    tell(word) {
      if (!isReachable || loses(word)) return;
      for (const [node, listener] of listeners) if (node !== name) listener(structuredClone(word), name);
    },
  };
}

function rosterOf(name: string): Roster {
  return {
    async change({ step, came, went }) {
      const kept = rosters.get(name);
      if (!kept) return false;
      kept.step = step;
      for (const [key, person] of came) kept.presences.set(key, person);
      for (const key of went) kept.presences.delete(key);
      return true;
    },
    async write(step, presences) {
      rosters.set(name, { step, presences: new Map(presences) });
    },
    async read(node) {
      reads++;
      if (!isReachable) throw new Error("Redis is away");
      return structuredClone(rosters.get(node) ?? null);
    },
    remove: async () => void rosters.delete(name),
  };
}

/** Seconds go by, and everything happens whose time comes. */
async function wait(seconds: number): Promise<void> {
  const end = now + seconds * SECOND;
  for (await settle(); now < end; await settle()) {
    now = Math.min(end, now + 100);
    for (let due; (due = tasks.findIndex(({ at }) => at <= now)) >= 0;) tasks.splice(due, 1)[0]?.task();
    if ((end - now) % SECOND !== 0) continue;
    for (const { company, isRunning } of running) if (isRunning) company.tick();
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

/** From one moment to the next, as a process that is killed. */
function kill(index: number, name: string): void {
  const node = running[index];
  if (node) node.isRunning = false;
  listeners.delete(name);
}

describe("people on two nodes", () => {
  test("are seen on both, and go on both; guests are counted", async () => {
    const ann = one.company.join(ANN, "held");
    two.company.join(BOB, "held");
    const guest = two.company.join(HOME, "held");
    await wait(1);
    for (const { names, guests } of [one, two])
      expect([names().toSorted(), guests()]).toEqual([["ann", "bob"], 1]);
    ann.leave(true);
    guest.leave(true);
    await wait(1);
    for (const { names, guests } of [one, two]) expect([names(), guests()]).toEqual([["bob"], 0]);
    expect(two.company.present().online).toEqual([{ name: "bob", avatar: "pics/bob.webp" }]);
  });

  test("are seen once, wherever and however often they are here", async () => {
    const stays = [one, two].flatMap(({ company }) => [ANN, HOME].map((who) => company.join(who, "held")));
    two.company.join(CAFE, "held");
    await wait(1);
    for (const { names, guests } of [one, two]) expect([names(), guests()]).toEqual([["ann"], 2]);
    for (const stay of stays.slice(0, 2)) stay.leave(true);
    await wait(1);
    for (const { names, guests } of [one, two]) expect([names(), guests()]).toEqual([["ann"], 2]);
    expect(one.moves.slice(-2)).toEqual([false, false]);
  });

  test("move from one to the other, and are seen all the time", async () => {
    const before = one.company.join(ANN, "held");
    await wait(1);
    before.leave(false);
    await wait(2);
    expect([one.names(), two.names()]).toEqual([["ann"], ["ann"]]);
    const moved = [one.moves.length, two.moves.length];
    two.company.join(ANN, "held");
    await wait(10);
    expect([one.names(), two.names()]).toEqual([["ann"], ["ann"]]);
    expect([one.moves.slice(moved[0]), two.moves.slice(moved[1])].flat()).not.toContain(true);
  });

  test("are seen by their new names", async () => {
    one.company.join(ANN, "held");
    await wait(1);
    const event = { type: "account.changed", userId: 1 as UserId, name: "anna", avatar: "a.webp" } as const;
    buses[0]?.publish(event);
    await wait(1);
    for (const { company } of [one, two])
      expect(company.present().online).toEqual([{ name: "anna", avatar: "a.webp" }]);
  });

  test("are told of to whoever listens, once for those who come together", async () => {
    one.company.join(ANN, "held");
    one.company.join(BOB, "held");
    await wait(1);
    expect(two.moves).toEqual([true]);
  });

  test("are seen by a node that starts later", async () => {
    one.company.join(ANN, "held");
    two.company.join(BOB, "held");
    await wait(1);
    const three = start("three");
    await wait(1);
    expect(three.names().toSorted()).toEqual(["ann", "bob"]);
  });
});

describe("a node that", () => {
  test("has missed something reads it, at the next sign of life at the latest", async () => {
    loses = ({ type }) => type === "presence";
    one.company.join(ANN, "held");
    await wait(1);
    expect(two.names()).toEqual([]);
    loses = () => false;
    await wait(5);
    expect(two.names()).toEqual(["ann"]);
    const before = reads;
    one.company.join(BOB, "held");
    await wait(20);
    expect(two.names()).toEqual(["ann", "bob"]);
    expect(reads).toBe(before);
  });

  test("dies takes its people with it, and nobody before", async () => {
    one.company.join(ANN, "held");
    two.company.join(BOB, "held");
    await wait(30);
    expect(two.names().toSorted()).toEqual(["ann", "bob"]);
    kill(0, "one");
    await wait(9);
    expect(two.names().toSorted()).toEqual(["ann", "bob"]);
    await wait(7);
    expect(two.names()).toEqual(["bob"]);
    expect(two.moves.at(-1)).toBe(true);
  });

  test("stops takes its people with it at once", async () => {
    one.company.join(ANN, "held");
    await wait(1);
    expect(two.names()).toEqual(["ann"]);
    await one.company.leave();
    expect(two.names()).toEqual([]);
    expect(rosters.has("one")).toBe(false);
  });
});

describe("while Redis is away", () => {
  let bobs: Stay;
  beforeEach(async () => {
    one.company.join(ANN, "held");
    bobs = two.company.join(BOB, "held");
    await wait(1);
    expect(one.names()).toEqual(["ann", "bob"]);
    isReachable = false;
  });

  test("those here stay, and those elsewhere are forgotten after a time", async () => {
    await wait(10);
    expect(one.names()).toEqual(["ann", "bob"]);
    await wait(6);
    expect([one.names(), two.names()]).toEqual([["ann"], ["bob"]]);
  });

  test("people come and go, and all is known when it is back, even if it has forgotten everything", async () => {
    await wait(20);
    bobs.leave(true);
    two.company.join(HOME, "held");
    one.company.join(CAFE, "held");
    rosters.clear();
    isReachable = true;
    await wait(2);
    for (const { names, guests } of [one, two]) expect([names(), guests()]).toEqual([["ann"], 2]);
  });
});
