/** What people and the world do in a run: which of it, and when, is drawn from the seed. */
import type { Tables } from "./database.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { HALL, PUBLIC, type Person, type World } from "./world.ts";

/** Each run has some kinds of trouble and is spared the others, so that no kind hides another. */
export interface Plan {
  /** Messages in each room before anybody comes. */
  told: number;
  isLossy: boolean;
  has: Record<Kind, boolean>;
}

const KINDS = [
  ...([
    "crash",
    "stop",
    "cut",
    "silence",
    "sleep",
    "failing",
    "losing",
    "limiting",
    "slow",
    "stalls",
  ] as const),
  ...(["skew", "leaving", "signing", "repeating", "restoring", "heavy", "changing", "forgetting"] as const),
];
type Kind = (typeof KINDS)[number];

/** How long people and trouble are about. Milliseconds. */
export const ACTIVE = 20_000;
const LAST_DROPS = 3_000;

export function drawPlan(random: Random): Plan {
  const isLong = random.chance(0.06);
  const has = Object.fromEntries(
    KINDS.map((kind) => [kind, random.chance(kind === "restoring" ? 0.2 : 0.45)]),
  );
  const told = isLong ? 100 + random.below(500) : random.below(6);
  return { told, isLossy: random.chance(0.25), has: has as Plan["has"] };
}

/** Lets people in and plans what happens. */
export function begin(world: World, { isLossy, has }: Plan): void {
  const { scheduler, random, machine, weather, people } = world;
  weather.distance = random.between(1, 60);
  if (has.stalls) Object.assign(weather, { stalls: 0.05, stallMax: random.between(100, 4_000) });
  if (has.failing) machine.failing = random.between(0.05, 0.5);
  if (has.losing) machine.losing = random.between(0.02, 0.15);
  if (has.limiting) machine.limiting = 0.15;
  if (has.slow) machine.diskMax = random.between(5, 400);
  if (has.heavy) machine.weight = random.pick([300, 2_000, 5_000]);
  if (isLossy) machine.dropping = random.between(0.02, 0.4);

  if (has.forgetting) repeat(scheduler, random.between(30, 500), world.forget);
  for (const person of people) scheduler.after(random.between(0, 2_000), () => openFor(world, person));
  for (let left = 20 + random.below(50); left > 0; left--) {
    const act = random.pick(actsOf(world, has));
    scheduler.after(random.between(500, ACTIVE), act);
  }
}

/** From now on nothing goes wrong any more, and nobody does anything. */
export function calm({ scheduler, machine, weather, pages }: World): void {
  Object.assign(machine, { failing: 0, losing: 0, limiting: 0, diskMax: 1, weight: 1 });
  // What is said last is lost like anything before: nothing that comes after it shows the gap.
  scheduler.after(LAST_DROPS, () => void (machine.dropping = 0));
  Object.assign(weather, { stalls: 0, stallMax: 0, distance: 5 });
  for (const page of pages) page.wake();
}

function repeat(scheduler: Scheduler, interval: number, task: () => void): void {
  if (scheduler.now() > ACTIVE) return;
  task();
  scheduler.after(interval, () => repeat(scheduler, interval, task));
}

function openFor(world: World, person: Person): void {
  const { random, db } = world;
  const rooms = random.pick([[PUBLIC], [HALL], [PUBLIC, HALL]]);
  const isOld = random.chance(0.2);
  world.open(person, person.id === null ? [PUBLIC] : rooms, isOld ? db.tables().epoch : undefined);
}

/** Common acts stand here more than once. */
function actsOf(world: World, has: Plan["has"]): (() => void)[] {
  const { random, scheduler, machine, weather, people, db } = world;
  let said = 0;
  let backup: Tables | null = null;

  const later = (delay: number, task: () => void) =>
    scheduler.after(Math.min(delay, ACTIVE - scheduler.now()), task);
  const signedIn = () => people.filter(({ id }) => id !== null);
  const somePage = () => {
    const open = world.pages.filter((page) => !page.isClosed());
    return open.length > 0 ? random.pick(open) : null;
  };

  function say(): void {
    const page = somePage();
    if (!page || world.personOf(page).id === null) return;
    const room = random.pick(page.rooms);
    for (let count = random.chance(0.3) ? 4 : 1; count > 0; count--) {
      page.say(room, `${page.name} ${scheduler.now().toFixed(3)} ${(said += 1)} ${random.below(1e9)}`);
    }
  }

  function change(): void {
    const page = somePage();
    const [room, place] = page ? random.pick([...page.places]) : [];
    const { name, id } = page ? world.personOf(page) : (people[0] as Person);
    const own = place?.follower.timeline.messages.filter(
      ({ author, deletedAt }) => author === name && !deletedAt,
    );
    if (!page || id === null || room === undefined || !own || own.length === 0) return;
    const text = random.chance(0.3)
      ? null
      : `${page.name} again ${scheduler.now().toFixed(3)} ${random.below(1e9)}`;
    page.change(room, random.pick(own).id, text);
  }

  function sleep(): void {
    const page = somePage();
    if (!page || page.isAsleep()) return;
    page.sleep();
    scheduler.after(random.pick([1_000, 5_000, 40_000]) * random.next(), page.wake);
  }

  /** Often just while a page of theirs asks for the room. */
  function leave(): void {
    const person = random.pick(signedIn());
    if (random.chance(0.7)) reload(person);
    scheduler.after(random.between(0, 8 * (weather.distance + machine.diskMax)), () => world.leave(person));
    later(random.between(2_000, 8_000), () => {
      world.comeBack(person);
      reload(person);
    });
  }

  function sign(): void {
    const person = random.pick(signedIn());
    world.signOut(person);
    later(random.between(500, 6_000), () => {
      world.signIn(person);
      reload(person);
    });
  }

  function reload(person: Person): void {
    for (const page of world.pages) if (world.personOf(page) === person) page.reload();
  }

  function restore(): void {
    if (backup) world.restore(backup);
    else backup = db.copy();
  }

  const wire = () => world.network.wires()[random.below(world.network.wires().length)];
  const acts: (() => void)[] = [say, say, say, say, say, say];
  acts.push(
    () => openFor(world, random.pick(people)),
    () => somePage()?.reload(),
    () => somePage()?.close(),
  );
  if (has.changing) acts.push(change, change, change);
  const crash = () => world.kill(random.chance(0.7) ? "reset" : "silence");
  if (has.crash) acts.push(crash, crash);
  if (has.stop) acts.push(() => world.stop());
  if (has.cut)
    acts.push(
      () => wire()?.cut(),
      () => world.network.wires().forEach((each) => each.cut()),
    );
  if (has.silence) acts.push(() => wire()?.silence());
  if (has.sleep) acts.push(sleep);
  if (has.skew) acts.push(() => void (machine.skew += random.between(-1, 1) * 3_600_000));
  if (has.leaving) acts.push(leave);
  if (has.signing) acts.push(sign);
  if (has.repeating) {
    const sendTwice = () => {
      const page = somePage();
      if (page) world.repeat(page);
    };
    acts.push(sendTwice, sendTwice);
  }
  if (has.restoring) acts.push(restore, restore);
  return acts;
}
