import { appendFileSync, rmSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { mountDisk } from "../../../src/testing/small-disk.ts";
import type { Entry } from "../log.ts";
import type { Fault } from "../round.ts";
import type { Scene } from "../scene.ts";
import { OWNER } from "../template.ts";

/** What the data fits into at first. Megabytes. */
const SIZE = 24;

/** Too little for messages, enough for all else. Bytes. */
const LEFT = 512 * 1024;

/** Milliseconds. */
const REFUSAL_PATIENCE = 10_000;

/** The disk that the data is on is full for a while: people read and log in, and are told that they cannot write. */
export const diskFull: Fault = {
  name: "disk full",

  missing: whyNoDisk,

  place: () => ({ disk: mountDisk(SIZE) }),

  async during({ scene, claim }) {
    const { dataDir, client } = scene;
    const ballast = join(dataDir, "ballast");
    const isRefused = refusals(scene);
    fill(ballast, LEFT);
    await isRefused();
    const login = await client("guest").login(OWNER);
    claim(login.status === 200, `people log in while there is no space for messages (${login.status})`);

    fill(ballast, 0);
    await isRefused();
    const page = await client(OWNER).get("/", { accept: "text/html" });
    claim(page.status === 200, `people read while there is no space for anything (${page.status})`);
    rmSync(ballast);
  },
};

export function whyNoDisk(): string | null {
  try {
    mountDisk(1).remove();
    return null;
  } catch (error) {
    return `needs root on Linux, for a small disk of its own: ${String(error)}`;
  }
}

/** Waits for somebody to be told that what they write cannot be stored. */
export function refusals({ log }: Pick<Scene, "log">): () => Promise<void> {
  return async () => {
    const before = log.entries.length;
    const isUnavailable = (entry: Entry) => entry.type === "refused" && entry.code === "unavailable";
    const deadline = performance.now() + REFUSAL_PATIENCE;
    let found = false;
    while (!found && performance.now() < deadline) {
      await Bun.sleep(20);
      found = log.entries.slice(before).some(isUnavailable);
    }
    log.write({ type: "claim", holds: found, sentence: "whoever writes is told that it cannot be stored" });
  };
}

/** Until only so much is left on its disk. Bytes. */
export function fill(file: string, left: number): void {
  const { bavail, bsize } = statfsSync(dirname(file));
  try {
    appendFileSync(file, new Uint8Array(Math.max(0, bavail * bsize - left)));
  } catch (error) {
    // The server has taken some of it meanwhile: there is no more to take.
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}
