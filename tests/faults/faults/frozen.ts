import type { Fault } from "../round.ts";

/** The server does nothing for a while, as a machine that swaps or is moved. */
export const frozen: Fault = {
  name: "server frozen, then continued",
  missing: () => null,
  async during({ scene, isLong }) {
    const { pid } = scene.server();
    process.kill(pid, "SIGSTOP");
    await Bun.sleep(isLong ? 20_000 : 2_000);
    process.kill(pid, "SIGCONT");
  },
};
