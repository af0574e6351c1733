import type { Fault } from "../round.ts";
import { ROOMS } from "../template.ts";

/** More than the server keeps at hand, and than one frame takes. */
const MISSED = 1_100;

/** Somebody shuts their laptop, and comes back when very much has happened. */
export const sleep: Fault = {
  name: "client asleep for 1,100 changes",
  missing: () => null,
  async during({ person, flood, heads }) {
    const sleeper = person("bob");
    sleeper.sleep();
    const head = (await heads()).get(ROOMS.public) ?? 0;
    await flood(ROOMS.public, {
      count: MISSED,
      isEnough: async () => ((await heads()).get(ROOMS.public) ?? 0) > head + MISSED,
    });
    sleeper.wake();
  },
};
