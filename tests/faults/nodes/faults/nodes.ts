/** Nodes come and go: whoever was with one goes on with another. */
import { createPoster, REST } from "../../clients/doors.ts";
import { PEOPLE, ROOMS } from "../../template.ts";
import { writes, type NodesLoad } from "../acts.ts";
import type { Node } from "../node.ts";
import { HELD_UP } from "./postgres.ts";
import type { NodesFault } from "./all.ts";

/** In which everybody is with another node. Milliseconds. */
const ELSEWHERE = 10_000;

export const nodeKilled: NodesFault = {
  name: "a node killed",
  missing: () => null,
  async during({ scene, isLong, caughtUp, random }) {
    for (let times = isLong ? 3 : 1; times > 0; times--) {
      const node = scene.nodes[Math.floor(random() * scene.nodes.length)] as Node;
      await node.kill("SIGKILL");
      await caughtUp(ELSEWHERE);
      await node.start();
    }
  },
};

/** Milliseconds. */
const FROZEN = { short: 7_000, long: 20_000 };
const FREEZE_PATIENCE = 30_000;

/** A transaction that has done nothing for so long waits for somebody who does nothing. Milliseconds. */
const IDLE = 60;

export const nodeFrozen: NodesFault = {
  name: "a node frozen in the middle of a write, then continued",
  missing: () => null,
  async during(load) {
    const { scene, isLong, claim } = load;
    const [node, ...others] = scene.nodes;
    const relieve = press(load, node);
    const deadline = performance.now() + FREEZE_PATIENCE;
    let isWriting = false;
    while (!isWriting && performance.now() < deadline) {
      node.freeze();
      await Bun.sleep(2 * IDLE);
      isWriting = await hasOpenTransaction(load);
      if (!isWriting) node.thaw();
      await Bun.sleep(50 * load.random());
    }
    relieve();
    claim(isWriting, "a node can be frozen in the middle of a write");
    const over = Bun.sleep(isLong ? FROZEN.long : FROZEN.short);
    await writes(load, others, HELD_UP);
    await over;
    node.thaw();
  },
};

/** Several write at this node without a pause, until they are told to stop. */
function press(load: NodesLoad, node: Node): () => void {
  const { scene, texts, random } = load;
  const posters = [PEOPLE.flooder, PEOPLE.repeater].map((who) => {
    const client = scene.client(who, node);
    return createPoster({ who, client, door: REST, rooms: [ROOMS.public], log: scene.log, random, texts });
  });
  const pressing = setInterval(() => posters.forEach(({ act }) => act()), 1);
  return () => {
    clearInterval(pressing);
    for (const { stop } of posters) stop();
  };
}

async function hasOpenTransaction({ scene }: NodesLoad): Promise<boolean> {
  const waits = `state LIKE 'idle in transaction%' AND state_change < now() - interval '${IDLE} ms'`;
  return (await scene.query(`SELECT pid FROM pg_stat_activity WHERE ${waits}`)).length > 0;
}

export const moving: NodesFault = {
  name: "clients reconnect to another node each time",
  missing: () => null,
  async during({ scene, isLong, random }) {
    for (let times = isLong ? 12 : 5; times > 0; times--) {
      for (const [i, who] of [...PEOPLE.pages, ...PEOPLE.originals, "guest"].entries())
        scene.move(who, scene.nodes[(i + times) % scene.nodes.length] as Node);
      await Bun.sleep(200 + 600 * random());
    }
    scene.free();
  },
};

/** Whoever stops the program waits so long before they kill it. Milliseconds. */
const STOP_PATIENCE = 10_000;

/** Between one node and the next, which an operator waits for. Milliseconds. */
const BETWEEN = { short: 500, long: 4_000 };

export const rollingRestart: NodesFault = {
  name: "rolling restart of all nodes",
  missing: () => null,
  place: () => ({ nodes: 3 }),
  async during({ scene, isLong, claim }) {
    const { log, nodes } = scene;
    const before = log.entries.length;
    const pages = openPages(scene);
    for (const node of nodes) {
      const at = performance.now();
      const code = await node.kill("SIGTERM");
      const isClean = code === 0 && performance.now() - at < STOP_PATIENCE;
      claim(isClean, `${node.name} stops in time and without a fault (${code})`);
      await node.start();
      await Bun.sleep(isLong ? BETWEEN.long : BETWEEN.short);
    }
    const failed = await pages.stop();
    claim(failed.length === 0, `there is always a node that answers (${failed.join(", ")})`);

    const since = log.entries.slice(before);
    const told = new Set(since.flatMap((entry) => (entry.type === "bye" ? [entry.line] : [])));
    const native = new Set(log.entries.flatMap((entry) => (entry.type === "got" ? [entry.line] : [])));
    const ended = since.flatMap((entry) => (entry.type === "closed" ? [entry.line] : []));
    claim(
      ended.every((line) => told.has(line) || !native.has(line)),
      "everybody at a page is told to come back",
    );
  },
};

/** Milliseconds. */
const LOOK_INTERVAL = 50;

/** Somebody opens one page after the other, by way of the balancer, and answers with what went wrong. */
function openPages({ client, way }: NodesLoad["scene"]): { stop(): Promise<string[]> } {
  const guest = client("guest").moveTo(way("guest"));
  const failed: string[] = [];
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted) {
      const found = await guest.get("/", { accept: "text/html" }).then(({ status }) => status, String);
      if (found !== 200) failed.push(String(found));
      await Bun.sleep(LOOK_INTERVAL);
    }
  })();
  return {
    async stop() {
      over.abort();
      await looking;
      return failed;
    },
  };
}
