/** PostgreSQL keeps everything: without it nothing is stored and nothing forgotten, and nodes go on when it is back. */
import { join } from "node:path";
import { rmSync } from "node:fs";
import { mountDisk } from "../../../../src/testing/small-disk.ts";
import { fill, refusals, whyNoDisk } from "../../faults/disk-full.ts";
import { OWNER } from "../../template.ts";
import { serves, writes } from "../acts.ts";
import type { Nodes } from "../scene.ts";
import type { NodesFault } from "./all.ts";

export const postgresRestarted: NodesFault = {
  name: "PostgreSQL restarted",
  missing: () => null,
  async during({ scene, isLong, random }) {
    for (let times = isLong ? 3 : 1; times > 0; times--) {
      await scene.postgres.restart("immediate");
      if (times > 1) await Bun.sleep(3_000 * random());
    }
  },
};

/** In which a node has connections again. Milliseconds. */
const CONNECT_PATIENCE = 5_000;

export const connectionsTerminated: NodesFault = {
  name: "connections to PostgreSQL terminated",
  missing: () => null,
  async during({ scene, claim, isLong, random }) {
    for (let times = isLong ? 10 : 3; times > 0; times--) {
      const deadline = performance.now() + CONNECT_PATIENCE;
      let ended = 0;
      // Of the last time there may be none again yet.
      while ((ended = await terminate(scene)) === 0 && performance.now() < deadline) await Bun.sleep(20);
      claim(ended > 0, "there are connections to terminate");
      await Bun.sleep(600 * random());
    }
  },
};

/** Connections of nodes by which they are told whose rights end: their last words are one or the other. */
export const LISTENING = "(query ILIKE 'listen%' OR query = 'SELECT 1')";

/** All of them, or those of whom this is true; how many there were. */
export async function terminate({ postgres }: Nodes, which = "true"): Promise<number> {
  return (await postgres.run(`SELECT pg_terminate_backend(pid) ${connections(which)}`)).length;
}

/** PostgreSQL goes on, but these stand still until what this answers with is called: what they are told comes then. */
export async function freeze({ postgres }: Nodes, which: string): Promise<() => void> {
  const pids = (await postgres.run(`SELECT pid ${connections(which)}`)).map(({ pid }) => Number(pid));
  const signal = (name: "SIGSTOP" | "SIGCONT") => pids.forEach((pid) => void process.kill(pid, name));
  signal("SIGSTOP");
  return () => signal("SIGCONT");
}

function connections(which: string): string {
  return `FROM pg_stat_activity WHERE datname LIKE 'chat%' AND pid <> pg_backend_pid() AND ${which}`;
}

/** Milliseconds. */
const APART = { short: 3_000, long: 20_000 };

/** A node that is not heard any more holds up the others for so long at most. Milliseconds. */
export const HELD_UP = 5_000 + 2_000;

export const postgresCutOff: NodesFault = {
  name: "one node cut off from PostgreSQL",
  missing: () => null,
  async during(load) {
    const { toPostgres, nodes } = load.scene;
    toPostgres.cut();
    const over = Bun.sleep(load.isLong ? APART.long : APART.short);
    await writes(load, nodes.slice(1), HELD_UP);
    await serves(load, nodes.slice(1));
    await over;
    toPostgres.mend();
  },
};

/** What its files fit into at first. Megabytes. */
const DISK = 192;

/** PostgreSQL writes on into what it has until it needs more for its log. */
const SWITCHES = 20;

export const postgresDiskFull: NodesFault = {
  name: "disk of PostgreSQL full",
  missing: whyNoDisk,
  place: () => ({ disk: mountDisk(DISK) }),

  async during({ scene, claim }) {
    const { postgres, client } = scene;
    const ballast = join(postgres.folder, "ballast");
    const isRefused = refusals(scene);
    fill(ballast, 0);
    await isRefused();
    const page = await client(OWNER).get("/", { accept: "text/html" });
    claim(page.status === 200, `people read while there is no space for messages (${page.status})`);
    const login = await client("guest").login(OWNER);
    claim(login.status === 200, `people log in while there is no space for messages (${login.status})`);

    // Without space for its log it gives up altogether.
    const giveUp = async () => {
      for (let times = 0; times < SWITCHES; times++)
        await postgres.run("SELECT pg_logical_emit_message(false, '', 'full'), pg_switch_wal()");
    };
    const gaveUp = await giveUp().then(
      () => false,
      () => true,
    );
    claim(gaveUp, "there is no space for the log either");
    await isRefused();
    // As an operator does.
    rmSync(ballast);
    await postgres.restart("immediate");
  },
};
