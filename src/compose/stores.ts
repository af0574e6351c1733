/** The database: in the data folder, or where the configuration says. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, type Config } from "../config.ts";
import { isBusy, isUnusable } from "../db/sqlite/failures.ts";
import { openSqlite } from "../db/sqlite/open.ts";
import { createSqliteStores } from "../db/sqlite/stores.ts";
import { NotUpdated } from "../db/sqlite/update.ts";
import type { DatabaseStores } from "../db/stores.ts";
import { MIGRATIONS } from "../resources.ts";

export type Stores = DatabaseStores;

/** `onCopy` hears of the copy that is made before a file is brought up to date. */
export async function openStores(
  { dataDir, ...config }: Pick<Config, "dataDir" | "databaseUrl" | "databasePoolSize">,
  now: number,
  onCopy: (copy: string) => void = () => {},
): Promise<Stores> {
  make(dataDir);
  const { databaseUrl: url, databasePoolSize: pool } = config;
  return url === null ? openFile(dataDir, now, onCopy) : openServer(url, pool, now);
}

function make(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
  } catch (error) {
    throw new ConfigError(`DATA_DIR cannot be made: ${String(error)}`, { cause: error });
  }
}

function openFile(dataDir: string, now: number, onCopy: (copy: string) => void): DatabaseStores {
  const file = join(dataDir, "echochat.sqlite");
  try {
    return createSqliteStores(openSqlite(file, MIGRATIONS.sqlite, now, onCopy));
  } catch (error) {
    if (error instanceof NotUpdated) throw new ConfigError(error.message, { cause: error });
    if (isBusy(error))
      throw new ConfigError(
        `DATA_DIR: ${file} is in use, as it is during an import: wait until that is done`,
        {
          cause: error,
        },
      );
    if (!isUnusable(error)) throw error;
    throw new ConfigError(`DATA_DIR: ${file} cannot be used: ${String(error)}`, { cause: error });
  }
}

/** Loaded only by whoever has such a server. */
async function openServer(url: string, pool: number, now: number): Promise<DatabaseStores> {
  const { openPostgresStores, Unopened } = await import("../db/postgres/stores.ts");
  try {
    return await openPostgresStores({ url, pool, migrations: MIGRATIONS.postgres }, now);
  } catch (error) {
    throw error instanceof Unopened ? new ConfigError(`DATABASE_URL: ${error.message}`) : error;
  }
}
