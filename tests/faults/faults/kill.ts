import type { Fault } from "../round.ts";

/** The server dies without a word, and is started again. */
export const kill: Fault = {
  name: "kill -9 in mid-load",
  missing: () => null,
  async during({ scene, isLong, random }) {
    for (let times = isLong ? 3 : 1; times > 0; times--) {
      await scene.server().kill("SIGKILL");
      await scene.restart();
      if (times > 1) await Bun.sleep(3_000 * random());
    }
  },
};
