/** Redis carries hints: without it people wait a little longer, and miss nothing. */
import { serves, type NodesLoad } from "../acts.ts";
import type { NodesFault } from "./all.ts";

/** How long it stays away. Milliseconds. */
const AWAY = { short: 2_000, long: 30_000 };

/** In which everybody has what was written at whichever node. Milliseconds. */
const WITHOUT_REDIS = 5_000;

export const redisKilled: NodesFault = {
  name: "Redis killed, then started again",
  missing: () => null,
  async during(load) {
    const { redis } = load.scene;
    for (let times = load.isLong ? 3 : 1; times > 0; times--) {
      await redis.kill();
      await goOn(load, AWAY.short);
      await redis.start();
    }
  },
};

export const redisFrozen: NodesFault = {
  name: "Redis frozen, then continued",
  missing: () => null,
  async during(load) {
    const { redis } = load.scene;
    redis.freeze();
    await goOn(load, load.isLong ? AWAY.long : AWAY.short);
    redis.thaw();
  },
};

export const redisCutOff: NodesFault = {
  name: "one node cut off from Redis",
  missing: () => null,
  async during(load) {
    const { toRedis } = load.scene;
    toRedis.cut();
    await goOn(load, load.isLong ? AWAY.long : AWAY.short);
    toRedis.mend();
  },
};

/** It is away for so long, and nobody has to care. */
async function goOn(load: NodesLoad, away: number): Promise<void> {
  const over = Bun.sleep(away);
  await load.caughtUp(WITHOUT_REDIS);
  await serves(load, load.scene.nodes);
  await over;
  await load.caughtUp(WITHOUT_REDIS);
}
