/** Moves an installation from its SQLite file to PostgreSQL: copies everything and says what is left to do. */
import { join } from "node:path";
import { clock } from "../compose/domain.ts";
import { ConfigError, readConfig } from "../config.ts";
import type { Copied, Progress } from "../db/copy/copy.ts";
import { CopyRefused, CopyUndecided } from "../db/copy/refused.ts";
import { complain, say } from "../log.ts";
import { MIGRATIONS } from "../resources.ts";
import { isPostgres } from "./databases.ts";
import { counted, createStatusLine, untilCalledOff, type StatusLine } from "./status-line.ts";

export const HELP = `  echochat migrate --to postgres://user@host/database
                       copies the database of DATA_DIR into an empty one of PostgreSQL`;

/** Answers with the exit code: 0, 1 when it cannot be done, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  const [flag, url = "", ...more] = args;
  if (flag !== "--to" || !isPostgres(url) || more.length > 0) {
    complain(`Usage:\n\n${HELP}`);
    return 2;
  }
  try {
    await untilCalledOff((signal) => copy(url, signal));
    return 0;
  } catch (error) {
    complain(error instanceof CopyUndecided ? error.message : `${reason(error)}\nNothing was copied.`);
    return 1;
  }
}

async function copy(url: string, signal: AbortSignal): Promise<void> {
  const { dataDir } = readConfig();
  const file = join(dataDir, "echochat.sqlite");
  const startedAt = performance.now();
  const line = createStatusLine();
  // With SQLite alone nothing of PostgreSQL is loaded.
  const { copyInstallation } = await import("../db/copy/copy.ts");
  const options = { file, url, migrations: MIGRATIONS, now: clock.now(), signal, tell: shownIn(line) };
  const copied = await copyInstallation(options).finally(line.clear);
  say(reportOf(copied, file, dataDir, (performance.now() - startedAt) / 1000));
  if (copied.hasMovedOn) complain(MOVED_ON);
}

const shownIn =
  (line: StatusLine) =>
  ({ act, table, rows }: Progress) =>
    line.show(() => `${act} ${table}: ${counted(rows)}`);

const MOVED_ON = `
Warning: a server wrote to the file meanwhile, and the copy does not have that. Take this one as a rehearsal: stop
the server, empty the database, and copy again.`;

function reportOf({ tables }: Copied, file: string, dataDir: string, seconds: number): string {
  const lines = tables.map(
    ({ name, rows, hash }) => `  ${name.padEnd(12)} ${counted(rows).padStart(12)}  ${hash}`,
  );
  const all = tables.reduce((sum, { rows }) => sum + rows, 0);
  return `Copied ${file}.

  ${"table".padEnd(12)} ${"rows".padStart(12)}  SHA-256 of the rows
${lines.join("\n")}

${counted(all)} rows in ${seconds.toFixed(1)} s, ${counted(Math.round(all / seconds))} a second. Read back from PostgreSQL, each table has as many rows with the same hash.

Left to do:
  SECRET_KEY    the same on every node. Unless it was set here as well, it is in ${join(dataDir, "secret.key")};
                with another one everybody is signed out, and links of invitations end.
  pictures      are files, in ${join(dataDir, "media")}: they go to the MEDIA_DIR of the nodes, or into their bucket.
  DATABASE_URL  the database that was copied to, on every node.`;
}

/** One line; what the drivers complain of has a code. */
function reason(error: unknown): string {
  if (error instanceof CopyRefused || error instanceof ConfigError) return error.message;
  if (error instanceof Error && "code" in error) return `The database says: ${error.message}`;
  throw error;
}
