/** The data folder: whether it can be written, whether what is written stays, and how much more it takes. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { reasonOf, unwell, well, type Finding } from "./finding.ts";

/** What the folder needs is what somebody has to do who gives it to the program. */
const GIVE = "give it to the user that runs the program";

/** Writes a file and takes it away; where the folder is still to be made it looks whether it can be. */
export function writable(about: string, folder: string): Finding {
  const place = resolve(folder);
  try {
    if (existsSync(place)) {
      probe(place, (file) => void writeSync(file, "x"));
      return well(about, `${place} can be written`);
    }
    accessSync(nearest(place), constants.W_OK | constants.X_OK);
    return well(about, `${place} is not there yet: the first start makes it`);
  } catch (error) {
    return unwell(about, `${place} cannot be written (${reasonOf(error)}): ${GIVE}`);
  }
}

function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(dirname(folder));
}

function probe<T>(folder: string, use: (file: number) => T): T {
  const path = join(folder, `.doctor-${crypto.randomUUID()}`);
  const file = openSync(path, "wx", 0o600);
  try {
    return use(file);
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}

const ROUNDS = 25;
const PAGE = new Uint8Array(4096);

/** No disk, and no cache of one, confirms what it is given within this time. Milliseconds beyond a plain write. */
const NOTHING = 0.008;

/** No plate turns to where the page belongs so quickly. Milliseconds. */
const TURN = 1;

const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;

/**
 * A time tells lies of one kind only: what costs nothing reaches no disk. Whether what takes its time survives a power cut
 * only pulling the plug would tell.
 */
export function fsync(folder: string): Finding {
  const about = "fsync";
  const place = nearest(resolve(folder));
  try {
    if ([TMPFS, RAMFS].includes(statfsSync(place).type))
      return unwell(
        about,
        `${place} is in memory: nothing in it outlives this machine's next start; use a disk`,
      );
    const { write, sync } = probe(place, (file) => ({
      write: median(() => writeSync(file, PAGE, 0, PAGE.length, 0)),
      sync: median(() => {
        writeSync(file, PAGE, 0, PAGE.length, 0);
        fsyncSync(file);
      }),
    }));
    return judged(place, Math.max(0, sync - write));
  } catch (error) {
    return unwell(
      about,
      `${place} fails (${reasonOf(error)}): stop the server, and replace or repair the disk`,
    );
  }
}

function judged(place: string, waited: number): Finding {
  const time = `fsync takes ${waited.toFixed(waited < 1 ? 3 : 1)} ms`;
  if (waited < NOTHING)
    return unwell(
      "fsync",
      `${time}, so it waits for no disk, and a power cut may take acknowledged messages: use a file system that does not ignore it`,
    );
  const doubt =
    waited < TURN && spins(place)
      ? "; the disk says that it spins, and none turns so fast: where it is a real one, turn its write cache off"
      : "";
  return well(
    "fsync",
    `${time}: something waits for a disk, or for a cache that should survive a power cut${doubt}`,
  );
}

function median(act: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const startedAt = performance.now();
    act();
    return performance.now() - startedAt;
  }).toSorted((one, other) => one - other);
  return times[Math.floor(ROUNDS / 2)] ?? 0;
}

/** As Linux has it from the disk; virtual ones often say so, too. */
function spins(folder: string): boolean {
  const { dev } = statSync(folder);
  const device = `/sys/dev/block/${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  return [`${device}/queue/rotational`, `${device}/../queue/rotational`].some(
    (path) => existsSync(path) && readFileSync(path, "utf8").trim() === "1",
  );
}

/** Bytes, besides a second copy of the database. */
const SPARE = 256 * 1024 * 1024;

/** An upgrade copies the database before it changes it. */
export function room(folder: string): Finding {
  const place = nearest(resolve(folder));
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const file = join(place, "echochat.sqlite");
  const size = existsSync(file) ? statSync(file).size : 0;
  const words = `${megabytes(free)} free, the database has ${megabytes(size)}`;
  if (free >= size + SPARE) return well("disk room", words);
  return unwell("disk room", `${words}: make room, an upgrade needs as much again and ${megabytes(SPARE)}`);
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024).toLocaleString("en")} MB`;
}
