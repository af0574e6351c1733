import type { Fault } from "../round.ts";

/** The server's clock jumps, back and forth, while people write. */
export const clockSteps: Fault = {
  name: "clock steps",
  missing: () => null,
  place: () => ({ program: "tests/faults/servers/stepping-clock.ts" }),
  async during({ scene, isLong, random }) {
    for (let times = isLong ? 8 : 3; times > 0; times--) {
      process.kill(scene.server().pid, "SIGUSR2");
      await Bun.sleep(500 * random());
      // Who comes back now is told by number what they missed.
      scene.network.drop();
    }
  },
};
