/** Many people at once, by every way into two rooms, for as long as a run goes. */
import type { View } from "./checker/findings.ts";
import { createPoster, type Poster } from "./clients/doors.ts";
import { flood } from "./clients/flood.ts";
import { createOriginal } from "./clients/original.ts";
import { createPerson, type Person } from "./clients/person.ts";
import type { OneServer, Scene } from "./scene.ts";
import { ATTIC_READER, PEOPLE, ROOMS } from "./template.ts";
import { createTexts, type Texts } from "./clients/texts.ts";

export interface Load<Where extends Scene = OneServer> {
  scene: Where;
  random: () => number;
  texts: Texts;
  /** In a long campaign faults last as long as they do in life. */
  isLong: boolean;
  /** Somebody at a page of ours. */
  person(who: string): Person;
  /** Many messages at once, directly at the server. */
  flood(room: string, how: Omit<Parameters<typeof flood>[2], "room">): Promise<void>;
  /** The number of each room's last change, as the database says. */
  heads: Scene["heads"];
  caughtUp: Crowd["caughtUp"];
  claim(holds: boolean, sentence: string): void;
}

export interface Crowd<Where extends Scene = Scene> {
  load: Load<Where>;
  /** Waits until everybody is there. */
  arrived(): Promise<void>;
  /** Nobody begins anything new. */
  hush(): void;
  /**
   * Waits until everybody holds all that there is now, in every room that is open to them; how long the last took since
   * that moment.
   */
  caughtUp(patience: number, since?: number): Promise<number>;
  /** Waits until every message that was sent is settled. */
  settled(patience: number): Promise<void>;
  leave(): View[];
}

/** Whoever reads alone. */
const GUEST = "guest";

/** Between two acts of somebody. Milliseconds. */
const PAUSE = 80;

const LOOK_INTERVAL = 20;

/** Milliseconds. */
const ARRIVAL_PATIENCE = 10_000;

/** What was written without an acknowledgement is stored by then, or lost. */
const ORIGINAL_PATIENCE = 2_000;

export function gather<Where extends Scene>(
  scene: Where,
  random: () => number,
  isLong: boolean,
): Crowd<Where> {
  const { template, log } = scene;
  const { epoch, doors } = template;
  const texts = createTexts(random);
  const shared = { log, random, texts };
  const { public: hall, den, attic } = ROOMS;

  const browser = (who: string) => template.client(who, scene.way(who));
  const roomsOf = (who: string) =>
    who === GUEST ? [hall] : who === ATTIC_READER ? [hall, den, attic] : [hall, den];
  const pages: Person[] = [...PEOPLE.pages, GUEST].map((who) => {
    return createPerson({ ...shared, who, client: browser(who), rooms: roomsOf(who), epoch });
  });
  const originals = PEOPLE.originals.map((who, i) =>
    createOriginal({ ...shared, who, client: browser(who), room: i === 0 ? hall : den }),
  );
  const posters: Poster[] = doors.map((door) => {
    const who = door.door === "rest" ? PEOPLE.posters.rest : PEOPLE.posters.form;
    return createPoster({ ...shared, who, door, client: browser(who), rooms: [hall, den] });
  });

  // The reader of the attic only reads, so that nothing of theirs waits while they are slow.
  const writers = [
    ...pages.filter(({ who }) => who !== GUEST && who !== ATTIC_READER),
    ...originals,
    ...posters,
  ];
  const timers = new Set<Timer>();
  for (const one of [...pages, ...originals]) one.wake();
  for (const { act } of writers) {
    const again = () => {
      timers.delete(timer);
      act();
      timers.add((timer = setTimeout(again, 2 * PAUSE * random())));
    };
    let timer = setTimeout(again, 2 * PAUSE * random());
    timers.add(timer);
  }

  const load: Load<Where> = {
    scene,
    random,
    texts,
    isLong,
    person: (who) => pages.find((person) => person.who === who) as Person,
    flood: (room, how) =>
      flood({ ...shared, who: PEOPLE.flooder, client: scene.client(PEOPLE.flooder) }, room, how),
    heads: scene.heads,
    caughtUp,
    claim: (holds, sentence) => log.write({ type: "claim", holds, sentence }),
  };

  async function within(patience: number, isDone: () => boolean): Promise<void> {
    const deadline = performance.now() + patience;
    while (!isDone() && performance.now() < deadline) await Bun.sleep(LOOK_INTERVAL);
  }

  async function caughtUp(patience: number, since = performance.now()): Promise<number> {
    const heads = await scene.heads();
    let longest = 0;
    const wait = async (person: Person, room: string, head: number) => {
      // A room that was closed to them meanwhile is nothing to wait for.
      const lacks = () => (person.held().get(room) ?? head) < head;
      await within(patience, () => !lacks());
      const took = lacks() ? null : Math.round(performance.now() - since);
      longest = Math.max(longest, took ?? patience);
      log.write({ type: "waited", who: person.who, room, head, took });
    };
    await Promise.all(
      pages.flatMap((person) =>
        [...person.held().keys()].map((room) => wait(person, room, heads.get(room) ?? 0)),
      ),
    );
    return longest;
  }

  return {
    load,
    arrived: () => within(ARRIVAL_PATIENCE, () => pages.every((person) => person.isLive())),

    hush() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },

    caughtUp,

    async settled(patience) {
      const all = [...pages, ...posters];
      await within(patience, () => all.every((one) => one.waiting().length === 0));
      await within(ORIGINAL_PATIENCE, () => originals.every((one) => one.waiting().length === 0));
      for (const one of all)
        if (one.waiting().length > 0) log.write({ type: "unsettled", who: one.who, keys: one.waiting() });
    },

    leave() {
      for (const poster of posters) poster.stop();
      const views = pages.flatMap((person) => person.views());
      for (const one of [...pages, ...originals]) one.sleep();
      return views;
    },
  };
}
