/** Takes a backup of the installation, whether the server runs or not. */
import { join, resolve } from "node:path";
import { partialOf } from "../backup/archive.ts";
import { takeBackup, type Taken } from "../backup/take.ts";
import { clock } from "../compose/domain.ts";
import { openStorage } from "../compose/pictures.ts";
import { environmentWith, readConfig, type Config } from "../config.ts";
import { Refused, type SnapshotSource } from "../db/snapshot/facts.ts";
import { openSqliteSource } from "../db/snapshot/sqlite.ts";
import { complain, say } from "../log.ts";
import { version } from "../../package.json";
import { aloneIn, contents, quantity, megabytes, reason } from "./tidy.ts";
import { onlyWord } from "./words.ts";

export const HELP = `  echochat backup <file>
                       everything in one file, while the server goes on`;

/** Answers with the exit code: 0, 1 when it cannot be done, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  const name = onlyWord(args);
  if (name === null) {
    complain(`Usage:\n\n${HELP}`);
    return 2;
  }
  const file = resolve(name);
  try {
    const startedAt = performance.now();
    const taken = await take(file);
    say(reportOf(taken, file, (performance.now() - startedAt) / 1000));
    if (taken.absent.length > 0)
      complain(
        `Warning: ${quantity(taken.absent.length, "picture")} of people could not be found, such as ${taken.absent[0]}.`,
      );
    return 0;
  } catch (error) {
    complain(`${reason(error, file)}\nThere is no backup.`);
    return 1;
  }
}

async function take(file: string): Promise<Taken> {
  const config = readConfig();
  const partial = partialOf(file);
  const copy = `${partial}.sqlite`;
  const busy = `Another backup into ${file} is under way.`;
  return aloneIn([partial, copy], `${partial}.lock`, busy, async () => {
    const source = await openSource(config, copy);
    try {
      const storage = await openStorage(config).catch((error: Error) => {
        throw new Refused(error.message, { cause: error });
      });
      return await takeBackup({ file, source, storage, program: version, now: clock.now() });
    } finally {
      await source.close();
    }
  });
}

async function openSource({ databaseUrl, dataDir }: Config, copy: string): Promise<SnapshotSource> {
  if (databaseUrl === null) return openSqliteSource(join(dataDir, "echochat.sqlite"), copy);
  const { openPostgresSource } = await import("../db/snapshot/postgres.ts");
  return openPostgresSource(databaseUrl, environmentWith);
}

function reportOf(taken: Taken, file: string, seconds: number): string {
  const { pictures, size } = taken;
  return `Backed up to ${file}: ${contents(taken)}, ${quantity(pictures, "picture")}; ${megabytes(size)} in ${seconds.toFixed(1)} s.
The key that signs sessions and invitations is not in it: keep SECRET_KEY, or secret.key of DATA_DIR, in another place.`;
}
