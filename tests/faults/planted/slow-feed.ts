/** Reads what somebody has missed as slowly as a database at the other end of a network does. */
import { createFeed } from "../../../src/chat/feed.ts";
import type { Parts } from "../../../src/app.ts";

/** Milliseconds. */
const LATENCY = 30;

export const createSlowFeed: Parts["createFeed"] = (deps) => {
  const feed = createFeed(deps);
  return {
    ...feed,
    async catchUp(reader, held) {
      const caughtUp = await feed.catchUp(reader, held);
      await Bun.sleep(LATENCY);
      return caughtUp;
    },
  };
};
