/** Writes people, rooms, members, messages and pictures into a folder, in a format that other programs can read. */
import { join, resolve } from "node:path";
import { version } from "../../package.json";
import { PicturesAway } from "../accounts/ports.ts";
import { clock } from "../compose/domain.ts";
import { openStorage } from "../compose/pictures.ts";
import { ConfigError, readConfig, type Config } from "../config.ts";
import { CopyRefused } from "../db/copy/refused.ts";
import { openSource } from "../db/copy/source.ts";
import { KIND_NAMES, type Sums } from "../export/manifest.ts";
import { exportTo, type Exported } from "../export/write.ts";
import { complain, say } from "../log.ts";
import type { MediaStorage } from "../media/storage.ts";
import { MIGRATIONS } from "../resources.ts";
import { counted, createStatusLine, untilCalledOff } from "./status-line.ts";
import { onlyWord } from "./words.ts";

export const HELP = `  echochat export <folder>
                       writes people, rooms, members, messages and pictures as JSON Lines`;

/** Answers with the exit code: 0, 1 when it cannot be done, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  const folder = onlyWord(args);
  if (folder === null) {
    complain(`Usage:\n\n${HELP}`);
    return 2;
  }
  try {
    const startedAt = performance.now();
    const { sums, missing } = await untilCalledOff((signal) => write(resolve(folder), signal));
    say(
      `Exported to ${resolve(folder)}.\n\n${reportOf(sums, (performance.now() - startedAt) / 1000)}\n\n${WORDS}`,
    );
    if (missing.length > 0) complain(wordsOf(missing));
    return 0;
  } catch (error) {
    complain(`${reason(error)}\nNothing was exported.`);
    return 1;
  }
}

const WORDS = `Private rooms and addresses of email are in there: keep it where nobody else reads it.
Passwords, sessions, links of invitations and the log of staff are not.`;

async function write(folder: string, signal: AbortSignal): Promise<Exported> {
  const config = readConfig();
  const rows = await openRows(config);
  const line = createStatusLine();
  try {
    const pictures = await openAlbum(config);
    const tell = (kind: string, lines: number) => line.show(() => `writing ${kind}: ${counted(lines)}`);
    return await exportTo({ folder, rows, pictures, program: version, now: clock.now(), signal, tell });
  } finally {
    line.clear();
    await rows.close();
  }
}

/** Refuses, in one line that names a variable, when nothing can be kept there. */
export async function openAlbum(config: Config): Promise<MediaStorage> {
  try {
    return await openStorage(config);
  } catch (error) {
    throw error instanceof Error ? new ConfigError(error.message, { cause: error }) : error;
  }
}

async function openRows({ dataDir, databaseUrl }: Config) {
  if (databaseUrl === null) return openSource(join(dataDir, "echochat.sqlite"), MIGRATIONS.sqlite);
  // With SQLite alone nothing of PostgreSQL is loaded.
  const { openServerSource } = await import("../db/copy/server-source.ts");
  return openServerSource(databaseUrl, MIGRATIONS.postgres);
}

/** What went in or out, by kind. */
export function reportOf(sums: Sums, seconds: number): string {
  const lines = KIND_NAMES.map((kind) => `  ${kind.padEnd(10)} ${counted(sums[kind].lines).padStart(12)}`);
  const all = KIND_NAMES.reduce((sum, kind) => sum + sums[kind].lines, 0);
  return `${lines.join("\n")}

${counted(all)} lines in ${seconds.toFixed(1)} s, ${counted(Math.round(all / seconds))} a second.`;
}

function wordsOf(missing: readonly string[]): string {
  return `
Warning: pictures of people that are missing from where pictures are kept: ${counted(missing.length)}, such as ${missing[0]}. Those
people are exported without one.`;
}

/** One line; what databases and file systems complain of has a code. */
export function reason(error: unknown): string {
  if (error instanceof CopyRefused || error instanceof ConfigError) return error.message;
  if (error instanceof PicturesAway) return `Where pictures lie is out of reach: ${error.message}.`;
  if (error instanceof Error && "code" in error) return `It cannot be done: ${error.message}`;
  throw error;
}
