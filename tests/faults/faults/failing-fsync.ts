import { join } from "node:path";
import type { Fault } from "../round.ts";

const FAILING_DISK = join(import.meta.dir, "..", "..", "..", "src", "testing", "failing-disk.ts");

/** A server that cannot trust its disk is gone by then. Milliseconds. */
const END_PATIENCE = 10_000;

/** The disk refuses to make a commit permanent: the server ends at once, telling nobody that anything was stored. */
export const failingFsync: Fault = {
  name: "fsync fails",
  missing: () => (process.platform === "linux" ? null : "needs Linux, to refuse a system call"),
  place: () => ({ env: { BUN_OPTIONS: `--preload=${FAILING_DISK}` } }),
  async during({ scene, claim }) {
    const server = scene.server();
    process.kill(server.pid, "SIGUSR2");
    const ended = await Promise.race([server.exited, Bun.sleep(END_PATIENCE).then(() => "not at all")]);
    claim(ended === 1, `the server ends when its disk has failed (${ended})`);
    if (ended !== 1) await server.kill("SIGKILL");
    await scene.restart();
  },
};
