/** One run: everything in it follows from its seed, so a failure is told again by that number alone. */
import { createFeed } from "../../src/chat/feed.ts";
import { createRecent } from "../../src/chat/recent.ts";
import { createWriter } from "../../src/chat/writer.ts";
import * as follower from "../../src/shared/follower.ts";
import { next } from "../../src/shared/outbox.ts";
import { tellHeads } from "../../src/ws/beacon.ts";
import { socketHandlers } from "../../src/ws/handlers.ts";
import { createHub } from "../../src/ws/hub.ts";
import { ACTIVE, begin, calm, drawPlan } from "./life.ts";
import type { Place } from "./page.ts";
import { createRandom } from "./random.ts";
import { createWorld, type Parts, type World } from "./world.ts";

/** What the product is made of. */
export const PARTS: Parts = {
  createWriter,
  createRecent,
  createFeed,
  createHub,
  socketHandlers,
  tellHeads,
  store: {},
  follower,
  flying: (outbox) => {
    const message = next(outbox);
    return message ? [message] : [];
  },
  keyAgain: (key) => key,
};

/** When the trouble is over, everybody has everything within this time. Milliseconds. */
const RECOVERY = 120_000;

/** By then either end has noticed that the other is gone. Milliseconds. */
const FORGETTING = 60_000;

/** And in this time after it nobody has any reason to do anything. Milliseconds. */
const QUIET = 30_000;

/** Each promise that was broken in the run, and how. */
export function simulate(
  seed: number,
  wrong: Partial<Parts> = {},
  trace: ((line: string) => void) | null = null,
): readonly string[] {
  const random = createRandom(seed);
  const plan = drawPlan(random);
  const world = createWorld({ random, parts: { ...PARTS, ...wrong }, ...plan, trace });
  const { scheduler, ledger } = world;
  const kinds = Object.entries(plan.has).filter(([, has]) => has);
  ledger.trace(
    () => `${plan.told} messages${plan.isLossy ? ", lossy" : ""}; ${kinds.map(([kind]) => kind).join(", ")}`,
  );

  begin(world, plan);
  scheduler.run(ACTIVE);
  ledger.trace(() => "the trouble is over");
  calm(world);
  for (let waited = 0; waited < RECOVERY && !isSettled(world); waited += 1_000)
    scheduler.run(scheduler.now() + 1_000);
  ledger.trace(() => "everything is compared");
  compare(world);
  scheduler.run(scheduler.now() + FORGETTING);
  const efforts = openPages(world).map((page) => page.efforts());
  scheduler.run(scheduler.now() + QUIET);
  for (const [i, page] of openPages(world).entries()) {
    if (page.efforts() !== efforts[i]) ledger.broke("I12", `${page.name} did, in a quiet time`);
  }
  ledger.audit(world.histories());
  const [sockets, pages] = [world.server()?.hub.count() ?? 0, openPages(world).length];
  if (sockets > pages) ledger.broke("I7", `the server holds ${sockets} sockets for ${pages} pages`);
  return ledger.broken();
}

/** Nothing is on its way any more. */
function isSettled(world: World): boolean {
  if (world.network.requests() > 0 || !world.server() || world.server()?.isStopping()) return false;
  return openPages(world).every((page) => {
    const isShown = ([
      room,
      {
        standing,
        follower: { timeline, isAsking },
        outbox,
        edits,
      },
    ]: [string, Place]) => {
      if (standing === "removed") return true;
      const isQuiet = standing === "following" && !isAsking && edits.length === 0;
      return isQuiet && next(outbox) === null && timeline.rev === headOf(world, room);
    };
    return page.isOpen() && [...page.places].every(isShown);
  });
}

function compare(world: World): void {
  for (const page of openPages(world)) {
    if (!page.isOpen()) world.ledger.broke("I6", `${page.name} has no connection`);
    for (const [room, place] of page.places) {
      if (place.standing === "loading") world.ledger.broke("I6", `${page.name} does not show ${room}`);
      if (place.standing === "following") world.ledger.compare(page, room, place, world.db.tables());
    }
  }
}

function openPages({ pages }: World) {
  return pages.filter((page) => !page.isClosed());
}

function headOf({ db }: World, slug: string): number {
  for (const hall of db.tables().rooms.values()) if (hall.slug === slug) return hall.journal.length;
  return 0;
}
