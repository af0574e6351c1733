/** Carries an installation of EchoChat's original over into this one. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Pictures } from "../../accounts/ports.ts";
import { clock } from "../../compose/domain.ts";
import { openPictures } from "../../compose/pictures.ts";
import { ConfigError, readConfig, type Config } from "../../config.ts";
import { TargetRefused } from "../../db/carrying/refused.ts";
import { createAvatars, openMedia } from "../../echochat/avatars.ts";
import { carry } from "../../echochat/carry.ts";
import type { Original, OriginalTable, Target } from "../../echochat/ports.ts";
import { ImportRefused } from "../../echochat/refused.ts";
import type { Report } from "../../echochat/report.ts";
import { complain, createLog, say } from "../../log.ts";
import { createPictures } from "../../media/pictures.ts";
import { MIGRATIONS } from "../../resources.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { isPostgres } from "../databases.ts";
import { counted, createStatusLine, progressBar } from "../status-line.ts";

export const HELP = `  echochat import echochat --database <SQLite file or postgres://...> --media <folder> [--dry-run]
                       carries people, rooms, messages and pictures of EchoChat's original over; may be repeated`;

interface Order {
  database: string;
  media: string;
  isRehearsal: boolean;
}

/** Answers with the exit code: 0, 1 when it cannot be done, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  const order = orderOf(args);
  if (!order) {
    complain(`Usage:\n\n${HELP}`);
    return 2;
  }
  const opened: { close(): Promise<void> }[] = [];
  try {
    const config = readConfig();
    const original = await openOriginal(order.database);
    opened.push(original);
    const root = openMedia(order.media);
    const target = await openTarget(config, order);
    opened.push(target);
    await carryOver({ order, config, original, target, root });
    return 0;
  } catch (error) {
    complain(reason(error));
    return 1;
  } finally {
    for (const one of opened.toReversed()) await one.close();
  }
}

/** Null for wrong usage. */
function orderOf(args: readonly string[]): Order | null {
  const given = new Map<string, string>();
  let isRehearsal = false;
  for (let at = 0; at < args.length; at++) {
    const flag = args[at] ?? "";
    if (flag === "--dry-run") isRehearsal = true;
    else if ((flag === "--database" || flag === "--media") && !given.has(flag))
      given.set(flag, args[++at] ?? "");
    else return null;
  }
  const [database, media] = [given.get("--database"), given.get("--media")];
  return database && media ? { database, media, isRehearsal } : null;
}

/** What is not needed of the two drivers is not loaded. */
async function openOriginal(database: string): Promise<Original> {
  if (isPostgres(database)) return (await import("../../echochat/postgres.ts")).openOriginalServer(database);
  if (/^\w+:\/\//.test(database))
    throw new ImportRefused(
      "--database takes the path of a SQLite file, or postgres://user:password@host:port/name.",
    );
  return (await import("../../echochat/sqlite.ts")).openOriginalFile(database);
}

async function openTarget({ dataDir, databaseUrl: url }: Config, { isRehearsal }: Order): Promise<Target> {
  const file = join(dataDir, "echochat.sqlite");
  if (isRehearsal) {
    const { rehearseOnFile, rehearseOnServer } = await import("../../db/carrying/rehearsal.ts");
    return url === null ? rehearseOnFile(file) : rehearseOnServer(url);
  }
  if (url !== null) {
    const { openPostgresTarget } = await import("../../db/carrying/postgres.ts");
    return openPostgresTarget({ url, migrations: MIGRATIONS.postgres }, clock.now());
  }
  mkdirSync(dataDir, { recursive: true });
  const { openSqliteTarget } = await import("../../db/carrying/sqlite.ts");
  return openSqliteTarget(file, MIGRATIONS.sqlite, clock.now());
}

async function picturesFor(config: Config, { isRehearsal }: Order): Promise<Pictures> {
  const log = createLog();
  const onFault = (what: string, error: unknown) => log.error(what, { error });
  // Each is drawn even so: whether it can be is part of the report.
  if (isRehearsal)
    return createPictures({ put: async () => {}, get: async () => null, remove: async () => {} }, onFault);
  try {
    return await openPictures(config, onFault);
  } catch (error) {
    throw new ImportRefused(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

async function carryOver(parts: {
  order: Order;
  config: Config;
  original: Original;
  target: Target;
  root: string;
}): Promise<void> {
  const { order, config, original, target, root } = parts;
  const startedAt = performance.now();
  const line = createStatusLine();
  const all = await original.count();
  const report = await carry({
    original,
    target,
    avatars: createAvatars(root, await picturesFor(config, order)),
    isSlug: (text) => text === PUBLIC_ROOM || config.roomSlug.test(text),
    now: clock.now(),
    note(words) {
      line.clear();
      say(words);
    },
    tell: (table, read) => line.show(() => `${table.padEnd(9)}${progressBar(read, all[table])}`),
  }).finally(line.clear);
  say(wordsFor(report, order, (performance.now() - startedAt) / 1000));
}

const COLUMNS = ["read", "carried", "here", "skipped"] as const;
const TABLES: Record<OriginalTable, string> = {
  users: "auth_user",
  profiles: "users_profile",
  rooms: "chat_room",
  messages: "chat_message",
};

function wordsFor({ tables, ...report }: Report, { database, isRehearsal }: Order, seconds: number): string {
  const heads = ["read", "carried", "already here", "skipped"];
  const line = (name: string, cells: readonly string[]) =>
    `  ${name.padEnd(14)}${cells.map((cell) => cell.padStart(14)).join("")}`;
  const lines = Object.entries(TABLES).map(([table, name]) =>
    line(
      name,
      COLUMNS.map((column) => counted(tables[table as OriginalTable][column])),
    ),
  );
  const { carried, unchosen, leftOut } = report.pictures;
  const source = isPostgres(database) ? new URL(database).pathname.slice(1) : database;
  return `${isRehearsal ? "Nothing was written. This is what would be carried over from" : "Carried over from"} ${source}:

${line("table", heads)}
${lines.join("\n")}

  pictures       ${counted(carried)} carried, ${counted(leftOut)} left out, ${counted(unchosen)} people had none of their own
  renamed        ${counted(report.renamed)}
  made besides   ${counted(report.authors)} closed accounts for authors who were gone, ${counted(report.roomsMade)} rooms that had no row

${counted(tables.messages.carried)} messages in ${seconds.toFixed(1)} s. Each row that is not here as it was there is named above.`;
}

/** One line. */
function reason(error: unknown): string {
  if (error instanceof ImportRefused || error instanceof TargetRefused || error instanceof ConfigError)
    return error.message;
  if (error instanceof Error && "code" in error)
    return `The database says: ${error.message}. What was carried stays: the same command goes on from there.`;
  throw error;
}
