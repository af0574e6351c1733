/** Many write at many nodes: whatever one of them stores, it stores once and in one place. */
import { flood } from "../../clients/flood.ts";
import { submitAgain } from "../../faults/duplicates.ts";
import { PEOPLE, ROOMS } from "../../template.ts";
import type { NodesFault } from "./all.ts";

export const duplicatesElsewhere: NodesFault = {
  name: "duplicate submit through all nodes",
  missing: () => null,
  async during(load) {
    const [first, ...others] = load.scene.nodes;
    const client = (node: typeof first) => load.scene.client(PEOPLE.repeater, node);
    for (let times = load.isLong ? 6 : 3; times > 0; times--)
      await submitAgain(load, [client(first), ...others.map(client)]);
  },
};

const MESSAGES = { short: 600, long: 5_000 };

/** Who has nothing else to write by socket. */
const WRITERS = [PEOPLE.flooder, PEOPLE.repeater, PEOPLE.posters.rest];

export const hotRoom: NodesFault = {
  name: "a hot room written by three nodes at once",
  missing: () => null,
  place: () => ({ nodes: 3 }),
  async during({ scene, texts, isLong, heads, claim }) {
    const { log, nodes } = scene;
    const count = isLong ? MESSAGES.long : MESSAGES.short;
    const before = (await heads()).get(ROOMS.public) ?? 0;
    await Promise.all(
      nodes.map((node, i) => {
        const who = WRITERS[i] as string;
        return flood({ who, client: scene.client(who, node), log, texts }, ROOMS.public, { count });
      }),
    );
    const written = ((await heads()).get(ROOMS.public) ?? 0) - before;
    claim(written >= nodes.length * count, `each has a number of its own (${written})`);
  },
};
