import type { Fault } from "../round.ts";
import { ROOMS } from "../template.ts";

/**
 * What the server publishes reaches nobody for a while, and nothing is published after it that would show the gap: people
 * learn of it by the head that they are told again and again.
 */
export const lostFrames: Fault = {
  name: "frames lost, the last ones too",
  missing: () => null,
  place: () => ({ program: "tests/faults/servers/lossy.ts" }),
  terms: { isLossy: true },
  async during({ scene, flood }) {
    // The attic is silent but for this.
    await lose(scene.server().pid, () => flood(ROOMS.attic, { count: 5 }));
  },
};

async function lose(pid: number, task: () => Promise<void>): Promise<void> {
  process.kill(pid, "SIGUSR2");
  await Bun.sleep(50); // until the signal has arrived
  await task();
  process.kill(pid, "SIGUSR2");
  await Bun.sleep(50);
}
