import type { Fault } from "../round.ts";

/** Whoever stops the program waits so long before they kill it. Milliseconds. */
const STOP_PATIENCE = 10_000;

/** The server is asked to stop, and is started again: nothing is lost, and nobody is cut off without a word. */
export const restart: Fault = {
  name: "graceful restart",
  missing: () => null,
  async during({ scene, claim }) {
    const { log, server } = scene;
    const before = log.entries.length;
    const at = performance.now();
    const code = await server().kill("SIGTERM");
    claim(code === 0 && performance.now() - at < STOP_PATIENCE, "it stops in time and without a fault");
    await scene.restart();

    const since = log.entries.slice(before);
    const told = new Set(since.flatMap((entry) => (entry.type === "bye" ? [entry.line] : [])));
    const native = new Set(since.flatMap((entry) => (entry.type === "got" ? [entry.line] : [])));
    claim(
      [...native].every((line) => told.has(line)),
      "everybody at a page is told to come back",
    );
  },
};
