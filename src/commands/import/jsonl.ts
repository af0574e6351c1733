/** Reads what `echochat export` has written, or another program in its format, into an empty installation. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { clock } from "../../compose/domain.ts";
import { readConfig, type Config } from "../../config.ts";
import { CopyUndecided } from "../../db/copy/refused.ts";
import type { Sums } from "../../export/manifest.ts";
import { importFrom } from "../../export/read.ts";
import { verifyFolder } from "../../export/verify.ts";
import { complain, say } from "../../log.ts";
import { MIGRATIONS } from "../../resources.ts";
import { openAlbum, reason, reportOf } from "../export.ts";
import { counted, createStatusLine, untilCalledOff } from "../status-line.ts";
import { onlyWord } from "../words.ts";

export const HELP = `  echochat import jsonl <folder>
                       reads what export has written into an empty installation`;

/** Answers with the exit code: 0, 1 when it cannot be done, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  const folder = onlyWord(args);
  if (folder === null) {
    complain(`Usage:\n\n${HELP}`);
    return 2;
  }
  try {
    const startedAt = performance.now();
    const sums = await untilCalledOff((signal) => read(resolve(folder), signal));
    say(
      `Imported ${resolve(folder)}.\n\n${reportOf(sums, (performance.now() - startedAt) / 1000)}\n\n${WORDS}`,
    );
    return 0;
  } catch (error) {
    complain(error instanceof CopyUndecided ? error.message : `${reason(error)}\nNothing was imported.`);
    return 1;
  }
}

const WORDS = `Nobody has a password yet: echochat user password <name> sets one.`;

async function read(folder: string, signal: AbortSignal): Promise<Sums> {
  const config = readConfig();
  const sums = await verifyFolder(folder);
  const target = await openTarget(config);
  const line = createStatusLine();
  try {
    const pictures = await openAlbum(config);
    const tell = (kind: string, lines: number) => line.show(() => `reading ${kind}: ${counted(lines)}`);
    await importFrom({ folder, target, pictures, epoch: crypto.randomUUID(), signal, tell });
    return sums;
  } finally {
    line.clear();
    await target.close();
  }
}

async function openTarget({ dataDir, databaseUrl }: Config) {
  if (databaseUrl !== null) {
    // With SQLite alone nothing of PostgreSQL is loaded.
    const { openTarget: openServer } = await import("../../db/copy/target.ts");
    return openServer(databaseUrl, MIGRATIONS.postgres, clock.now());
  }
  mkdirSync(dataDir, { recursive: true });
  const { openFileTarget } = await import("../../db/copy/file-target.ts");
  return openFileTarget(join(dataDir, "echochat.sqlite"), MIGRATIONS.sqlite, clock.now());
}
