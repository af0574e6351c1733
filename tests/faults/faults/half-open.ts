import type { Fault } from "../round.ts";

/** Connections stay open, and nothing comes through them any more. */
export const halfOpen: Fault = {
  name: "half-open connections",
  missing: () => null,
  async during({ scene }) {
    scene.network.silence();
    await Bun.sleep(100);
  },
};
