import type { Fault } from "../round.ts";

/** All sockets are gone at once, and everybody comes back at once. */
export const storm: Fault = {
  name: "reconnect storm",
  missing: () => null,
  async during({ scene, isLong, claim, random }) {
    claim(scene.network.drop() > 0, "there are sockets to drop");
    for (let times = isLong ? 4 : 1; times > 0; times--) {
      await Bun.sleep(1_000 * random());
      scene.network.drop();
    }
  },
};
