import { beforeEach, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { createMemoryBus } from "../bus/memory.ts";
import type { UserId } from "../shared/ids.ts";
import type { Bus, Presence, Stay, Who } from "./ports.ts";
import { createPresence } from "./presence.ts";

const SECOND = 1000;
const TIMES = { ttl: 40, grace: 5, touchInterval: 30 };

const ANN: Who = { kind: "member", id: 1 as UserId, name: "ann", avatar: null };
const BOB: Who = { kind: "member", id: 2 as UserId, name: "bob", avatar: "pics/bob.webp" };
const HOME: Who = { kind: "guest", address: "203.0.113.7" };
const CAFE: Who = { kind: "guest", address: "2001:db8::7" };

let now: number;
let bus: Bus;
let presence: Presence;
let told: boolean[];

beforeEach(() => start());

function start(times = TIMES): void {
  now = 1_795_339_770_247;
  bus = createMemoryBus();
  presence = createPresence({ clock: { now: () => now }, bus, ...times });
  told = [];
  presence.onMove((changed) => told.push(changed));
}

/** Time goes by, and whoever drives the timer does so in the moment that was asked for. */
function wait(seconds: number): void {
  const end = now + seconds * SECOND;
  for (let next = presence.nextExpiry(); next !== null && next <= end; next = presence.nextExpiry()) {
    now = next;
    presence.expire();
  }
  now = end;
}

const here = () => presence.present().online.map(({ name }) => name);
const guests = () => presence.present().guests;

describe("people are here", () => {
  test("in the order in which they came, with their avatars", () => {
    presence.join(BOB, "pinging");
    presence.join(ANN, "held");
    expect(presence.present()).toEqual({
      online: [
        { name: "bob", avatar: "pics/bob.webp" },
        { name: "ann", avatar: null },
      ],
      guests: 0,
    });
  });

  test("once, however many tabs they have, and until the last is closed", () => {
    const tabs = [presence.join(ANN, "pinging"), presence.join(ANN, "held"), presence.join(ANN, "pinging")];
    expect(here()).toEqual(["ann"]);
    for (const tab of tabs) {
      expect(here()).toEqual(["ann"]);
      tab.leave(true);
    }
    expect(here()).toEqual([]);
  });

  test("and guests are counted by their address", () => {
    const [one, two] = [presence.join(HOME, "pinging"), presence.join(HOME, "held")];
    presence.join(CAFE, "held");
    expect(presence.present()).toEqual({ online: [], guests: 2 });
    one.leave(true);
    expect(guests()).toBe(2);
    two.leave(true);
    expect(guests()).toBe(1);
  });

  test("by the name and avatar they have now, which everybody is told", () => {
    presence.join(ANN, "held");
    presence.join(BOB, "held");
    told = [];
    bus.publish({ type: "account.changed", userId: 1 as UserId, name: "anna", avatar: "pics/a.webp" });
    expect(presence.present().online[0]).toEqual({ name: "anna", avatar: "pics/a.webp" });
    expect(told).toEqual([true]);
    bus.publish({ type: "account.changed", userId: 1 as UserId, name: "anna", avatar: "pics/a.webp" });
    bus.publish({ type: "account.changed", userId: 3 as UserId, name: "cleo", avatar: null });
    expect(told).toEqual([true]);
    expect(here()).toEqual(["anna", "bob"]);
  });
});

describe("whoever leaves", () => {
  test("cleanly is gone at once", () => {
    const stay = presence.join(ANN, "pinging");
    stay.leave(true);
    expect(here()).toEqual([]);
    expect(told).toEqual([true, true]);
  });

  test.each(["pinging", "held"] as const)("without a word is waited for (%s)", (how) => {
    const stay = presence.join(ANN, how);
    wait(10);
    stay.leave(false);
    wait(4.999);
    expect(here()).toEqual(["ann"]);
    told = [];
    wait(0.001);
    expect(here()).toEqual([]);
    expect(told).toEqual([true]);
  });

  test("and comes back within the grace has never been away, nor lost their place", () => {
    const stay = presence.join(ANN, "held");
    presence.join(BOB, "held");
    stay.leave(false);
    wait(4);
    presence.join(ANN, "held");
    wait(100);
    expect(here()).toEqual(["ann", "bob"]);
    expect(told.filter(Boolean)).toHaveLength(2);
  });

  test("twice counts once", () => {
    const [stay] = [presence.join(ANN, "held"), presence.join(ANN, "held")];
    stay.leave(true);
    stay.leave(true);
    stay.touch();
    expect(here()).toEqual(["ann"]);
  });

  test("is told of even where another tab of theirs stays", () => {
    presence.join(ANN, "held");
    presence.join(ANN, "held").leave(true);
    expect(told).toEqual([true, false, false]);
  });
});

describe("a pinging socket", () => {
  test("lasts for the TTL after its last sign of life, and everybody is told of its end", () => {
    const stay = presence.join(ANN, "pinging");
    wait(31);
    stay.touch();
    wait(39.999);
    expect(here()).toEqual(["ann"]);
    told = [];
    wait(0.001);
    expect(here()).toEqual([]);
    expect(told).toEqual([true]);
  });

  test("is heard at most once in the interval", () => {
    const stay = presence.join(ANN, "pinging");
    wait(20);
    stay.touch();
    wait(20);
    expect(here()).toEqual([]);
  });

  test("is heard again after its time was over, keeps its place, and everybody is told", () => {
    const stay = presence.join(ANN, "pinging");
    presence.join(BOB, "held");
    wait(40);
    expect(here()).toEqual(["bob"]);
    told = [];
    stay.touch();
    expect(here()).toEqual(["ann", "bob"]);
    expect(told).toEqual([true]);
    stay.touch();
    expect(told).toEqual([true]);
  });

  test("that pings every ten seconds, a little early or late, never goes", () => {
    const stay = presence.join(ANN, "pinging");
    for (let i = 0; i < 20; i++) {
      for (const late of [0.08, -0.07, 0.02, -0.03]) {
        wait(10 + late);
        stay.touch();
      }
    }
    expect(told).toEqual([true]);
  });

  test("whose time is over leaves without coming back", () => {
    const stay = presence.join(ANN, "pinging");
    wait(41);
    told = [];
    stay.leave(false);
    expect(here()).toEqual([]);
    expect(told).toEqual([false]);
    expect(presence.nextExpiry()).toBeNull();
  });

  test("lives on a page that is open, and its own time begins when that is closed", () => {
    const stay = presence.join(ANN, "pinging");
    const page = presence.join(ANN, "held");
    wait(1000);
    expect(here()).toEqual(["ann"]);
    page.leave(true);
    wait(39);
    expect(here()).toEqual(["ann"]);
    wait(1);
    expect(here()).toEqual([]);
    stay.touch();
    expect(here()).toEqual(["ann"]);
  });
});

test("nobody's time runs while there are only open pages", () => {
  presence.join(ANN, "held");
  presence.join(HOME, "held");
  expect(presence.nextExpiry()).toBeNull();
  wait(1_000_000);
  expect(presence.present()).toEqual({ online: [{ name: "ann", avatar: null }], guests: 1 });
});

interface Opened {
  who: Who;
  how: "held" | "pinging";
  stay: Stay;
}

interface Happening {
  at: number;
  what: "join" | "touch" | "clean" | "broken";
  socket: Opened;
}

/** Who is here at a moment: everything that has ever happened is read again, without a timer. */
function modelOf(happenings: readonly Happening[], moment: number) {
  const keyOf = (who: Who) => (who.kind === "member" ? who.name : who.address);
  interface Person {
    open: Set<Opened>;
    until: number;
    heardAt: Map<Opened, number>;
  }
  const people = new Map<string, Person>();
  for (const { at, what, socket } of happenings) {
    const { who } = socket;
    const person = people.get(keyOf(who)) ?? { open: new Set(), until: -Infinity, heardAt: new Map() };
    const isHere = at < person.until;
    const until = () =>
      [...person.open].some(({ how }) => how === "held") ? Infinity : at + TIMES.ttl * SECOND;
    if (what === "join") {
      if (!isHere && person.open.size === 0) people.delete(keyOf(who));
      people.set(keyOf(who), person);
      person.open.add(socket);
      person.heardAt.set(socket, at);
      person.until = until();
    } else if (what === "touch") {
      const sinceHeard = at - (person.heardAt.get(socket) ?? 0);
      if (isHere && sinceHeard < TIMES.touchInterval * SECOND * 0.95) continue;
      person.heardAt.set(socket, at);
      person.until = until();
    } else {
      person.open.delete(socket);
      if (!isHere) continue;
      if (person.open.size > 0) person.until = until();
      else person.until = what === "clean" ? at : at + TIMES.grace * SECOND;
    }
  }
  const present = [...people].filter(([, { until }]) => moment < until).map(([key]) => key);
  return {
    online: present.filter((key) => key === "ann" || key === "bob"),
    guests: present.filter((key) => key !== "ann" && key !== "bob").length,
  };
}

test("whatever happens, the list is what reading everything from the beginning would give", () => {
  const step = fc.oneof(
    fc.record({
      does: fc.constant("join" as const),
      who: fc.constantFrom(ANN, BOB, HOME, CAFE),
      how: fc.constantFrom("held" as const, "pinging" as const),
    }),
    fc.record({
      does: fc.constantFrom("touch" as const, "clean" as const, "broken" as const),
      which: fc.nat(),
    }),
    fc.record({
      does: fc.constant("wait" as const),
      seconds: fc.constantFrom(0, 1, 4, 5, 9, 10, 29, 30, 39, 40),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      start();
      const happenings: Happening[] = [];
      const open: Opened[] = [];
      let shown = JSON.stringify(presence.present());
      presence.onMove((changed) => {
        const shows = JSON.stringify(presence.present());
        // Nothing changes untold, and nothing is told as a change that is none.
        expect(changed).toBe(shows !== shown);
        shown = shows;
      });
      for (const one of steps) {
        if (one.does === "wait") wait(one.seconds);
        else if (one.does === "join") {
          const socket = { who: one.who, how: one.how, stay: presence.join(one.who, one.how) };
          happenings.push({ at: now, what: "join", socket });
          open.push(socket);
        } else {
          const socket = open[one.which % open.length];
          if (!socket || (one.does === "touch" && socket.how === "held")) continue;
          happenings.push({ at: now, what: one.does, socket });
          if (one.does === "touch") socket.stay.touch();
          else open.splice(open.indexOf(socket), 1)[0]?.stay.leave(one.does === "clean");
        }
        expect(JSON.stringify(presence.present())).toBe(shown);
        expect({ online: here(), guests: guests() }).toEqual(modelOf(happenings, now));
      }
    }),
    { numRuns: 500 },
  );
});
