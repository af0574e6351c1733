/** Makes an installation of a backup where there is none. */
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { syncFolder } from "../backup/archive.ts";
import type { Manifest } from "../backup/manifest.ts";
import { putBack } from "../backup/put-back.ts";
import { verify } from "../backup/verify.ts";
import { openStorage } from "../compose/pictures.ts";
import { environmentWith, readConfig, type Config } from "../config.ts";
import { standingOf } from "../db/copy/versions.ts";
import { hasCode } from "../db/failures.ts";
import { Refused } from "../db/snapshot/facts.ts";
import { complain, say } from "../log.ts";
import { isPictureName } from "../media/storage.ts";
import { MIGRATIONS } from "../resources.ts";
import { aloneIn, contents, quantity, reason } from "./tidy.ts";
import { onlyWord } from "./words.ts";

export const HELP = `  echochat restore <file>
                       puts a backup where there is nothing yet`;

/** Answers with the exit code: 0, 1 when it cannot be done, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  const name = onlyWord(args);
  if (name === null) {
    complain(`Usage:\n\n${HELP}`);
    return 2;
  }
  const file = resolve(name);
  try {
    say(await restore(file, readConfig()));
    return 0;
  } catch (error) {
    complain(`${reason(error, file)}\nNothing was restored.`);
    return 1;
  }
}

/** The database comes last: without it there is no installation, and all of this can be done again. */
async function restore(file: string, config: Config): Promise<string> {
  const { dataDir } = config;
  const target = await targetOf(config);
  mkdirSync(dataDir, { recursive: true });
  const folder = join(dataDir, "restore.partial");
  const busy = `Another restore into ${dataDir} is under way.`;
  return aloneIn([folder], `${folder}.lock`, busy, async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: 0o700 });
    const database = join(folder, "database");
    const { manifest } = await verify(file, database);
    demandFit(manifest, target.kind);
    const storage = await openStorage(config).catch((error: Error) => {
      throw new Refused(error.message, { cause: error });
    });
    const pictures = await putBack(file, manifest, storage, picturesIn(config));
    await target.put(database);
    return reportOf(manifest, pictures, config);
  });
}

interface Target {
  kind: Manifest["kind"];
  put(database: string): Promise<void>;
}

/** Refuses one that is in use. */
async function targetOf({ databaseUrl: url, dataDir }: Config): Promise<Target> {
  if (url === null) return targetFile(join(dataDir, "echochat.sqlite"));
  const { demandEmpty, restoreDump } = await import("../db/snapshot/postgres.ts");
  await demandEmpty(url);
  return { kind: "postgres", put: (dump) => restoreDump(dump, url, environmentWith) };
}

/** A log of another database would be taken for one of this. */
const BESIDE = ["", "-wal", "-shm", "-journal"];

function targetFile(file: string): Target {
  const there = BESIDE.map((ending) => `${file}${ending}`).find((name) => existsSync(name));
  if (there) throw new Refused(`There is ${there} already: move it away, or give an empty DATA_DIR.`);
  return {
    kind: "sqlite",
    async put(database) {
      try {
        // Unlike a renaming it does not go over a file that is there by now.
        linkSync(database, file);
        await syncFolder(dirname(file));
      } catch (error) {
        if (!hasCode(error, /^EEXIST$/)) throw error;
        throw new Refused(`Somebody has made ${file} meanwhile: stop the server, and move it away.`, {
          cause: error,
        });
      }
    },
  };
}

function demandFit({ kind, schema }: Manifest, wanted: Manifest["kind"]): void {
  if (kind !== wanted)
    throw new Refused(
      kind === "sqlite"
        ? "The backup is of SQLite: restore it without DATABASE_URL, then `echochat migrate` to PostgreSQL."
        : "The backup is of PostgreSQL: set DATABASE_URL to an empty database.",
    );
  const standing = standingOf(schema, MIGRATIONS[kind]);
  if (standing === "newer" || standing === "foreign")
    throw new Refused("The backup was made by a later version: restore it with that one.");
}

/** What lies in a folder; a bucket may be shared, and is only asked for what is to be put there. */
function picturesIn({ dataDir, mediaDir, s3 }: Config): string[] {
  const media = mediaDir ?? join(dataDir, "media");
  if (s3 || !existsSync(media)) return [];
  return readdirSync(media, { recursive: true, encoding: "utf8" }).filter(isPictureName);
}

function reportOf(manifest: Manifest, pictures: number, { secretKey, dataDir }: Config): string {
  const key = join(dataDir, "secret.key");
  const lines = [
    `Restored the backup of ${manifest.madeAt}: ${contents(manifest)}, ${quantity(pictures, "picture")}. Start the server.`,
  ];
  if (secretKey === null && !existsSync(key))
    lines.push(
      `Before that put the key of the old installation into ${key}, or its SECRET_KEY into the environment; with a new one everybody signs in again, and links of invitations end.`,
    );
  return lines.join("\n");
}
