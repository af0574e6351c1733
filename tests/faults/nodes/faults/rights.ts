/** What somebody may not do any more, they may not do at any node. */
import { press } from "../../../../src/testing/rooms.ts";
import { MORE, more } from "../../faults/revoked.ts";
import { OWNER, ROOMS } from "../../template.ts";
import { isRefused, openDoors, type NodesLoad } from "../acts.ts";
import type { Node } from "../node.ts";
import type { NodesFault } from "./all.ts";
import { freeze, LISTENING, terminate } from "./postgres.ts";

/** The stated time in which another node knows, from the moment it can be told. Milliseconds. */
const KNOWN = 1_000;

/** The same for a node that has lost its connection, and has to look at everything anew. Milliseconds. */
const KNOWN_ANEW = 5_000;

/** The same for a node that is cut off from the database: it keeps to itself what it hears by other ways. Milliseconds. */
const UNHEARD = 4_000;

/** In which somebody is where they are led. Milliseconds. */
const MOVE_PATIENCE = 10_000;

export const removedElsewhere: NodesFault = {
  name: "membership revoked on another node",
  missing: () => null,
  async during(load) {
    const [here, there] = load.scene.nodes;
    await arrive(load, "cleo", there);
    await remove(load, here);
    await isRefused(load, "cleo", there);
    await isOver(load, "cleo", KNOWN);
  },
};

export const removedWithoutRedis: NodesFault = {
  name: "membership revoked on another node without Redis",
  missing: () => null,
  async during(load) {
    const { nodes, redis } = load.scene;
    const [here, there] = nodes;
    await arrive(load, "cleo", there);
    await redis.kill();
    await remove(load, here);
    await isRefused(load, "cleo", there);
    await isOver(load, "cleo", KNOWN);
    await redis.start();
  },
};

export const removedUnheard: NodesFault = {
  name: "membership revoked while no node listens",
  missing: () => null,
  async during(load) {
    const [here, there] = load.scene.nodes;
    await arrive(load, "cleo", there);
    const cut = await terminate(load.scene, LISTENING);
    load.claim(cut > 0, "there is somebody who listens");
    await remove(load, here);
    // Whoever listens again by now may have heard of it.
    await terminate(load.scene, LISTENING);
    await isOver(load, "cleo", KNOWN_ANEW);
  },
};

export const removedFromTheApart: NodesFault = {
  name: "membership revoked on a node that is cut off",
  missing: () => null,
  async during(load) {
    const { nodes, toPostgres } = load.scene;
    const [there, here] = nodes;
    await arrive(load, "cleo", there);
    toPostgres.cut();
    await remove(load, here);
    // Redis still tells that node what is written: it has to notice that nobody would tell it who may read.
    await Bun.sleep(UNHEARD);
    await isShut(load, "cleo");
    await Bun.sleep(load.isLong ? 20_000 : 1_000);
    toPostgres.mend();
    await isOver(load, "cleo", KNOWN_ANEW);
  },
};

export const sessionOverElsewhere: NodesFault = {
  name: "session ended on another node",
  missing: () => null,
  async during(load) {
    const { scene, claim } = load;
    const [here, there] = scene.nodes;
    await arrive(load, "dan", there);
    const doors = await openDoors(load, "dan", there);
    // The database refuses, not the word of it that mostly is there first.
    const tell = await freeze(scene, LISTENING);
    let lastLine: number;
    try {
      const answer = await scene.client("dan", here).logout();
      claim(answer.status === 200, `somebody logs out (${answer.status})`);
      lastLine = scene.log.lastLine();
      await isRefused(load, "dan", there, doors);
    } finally {
      tell();
    }
    await Bun.sleep(KNOWN);
    // As a guest they may come back to the public room.
    scene.log.write({ type: "shut", who: "dan", heads: await load.heads(), lastLine });
    await isOver(load, "dan");
  },
};

/** Leads somebody to this node, and waits until they follow their rooms there. */
async function arrive({ scene, person, claim }: NodesLoad, who: string, node: Node): Promise<void> {
  const before = scene.log.lastLine();
  scene.move(who, node);
  const isThere = () =>
    scene.log.entries.some(
      (entry) =>
        entry.type === "caught-up" && entry.who === who && entry.line > before && person(who).isLive(),
    );
  const deadline = performance.now() + MOVE_PATIENCE;
  while (!isThere() && performance.now() < deadline) await Bun.sleep(20);
  claim(isThere(), `${who} is with ${node.name}`);
}

async function remove({ scene, claim }: NodesLoad, node: Node): Promise<void> {
  const answer = await press(scene.client(OWNER, node), ROOMS.den, "members/cleo/remove");
  claim(answer.status === 303, `the owner puts somebody out (${answer.status})`);
}

/** After this time nothing of the den reaches them, while others go on; neither when they ask. */
async function isOver(load: NodesLoad, who: string, known = 0): Promise<void> {
  await Bun.sleep(known);
  const den = await isShut(load, who);
  load.person(who).ask(ROOMS.den);
  await more(load, ROOMS.den, den + MORE);
}

/** From this moment on nothing that is written in the den reaches them; answers with its head. */
async function isShut({ scene, heads }: NodesLoad, who: string): Promise<number> {
  const den = (await heads()).get(ROOMS.den) ?? 0;
  scene.log.write({ type: "shut", who, heads: new Map([[ROOMS.den, den]]), lastLine: null });
  return den;
}
