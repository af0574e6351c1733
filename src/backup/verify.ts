/** Whether a backup is whole, and sound in itself. */
import { checkSqlite } from "../db/snapshot/sqlite.ts";
import { checkDump } from "../db/snapshot/programs.ts";
import { examine, named } from "./examine.ts";
import { memberOf, sizesOf, type Manifest } from "./manifest.ts";
import { Damaged } from "./members.ts";

export interface Verified {
  manifest: Manifest;
  /** Whether the database has been looked into; the dump of PostgreSQL needs pg_restore for it. */
  isLookedInto: boolean;
}

/** Leaves the backup's database in this file. Throws `Damaged` where something is wrong. */
export async function verify(file: string, database: string): Promise<Verified> {
  const manifest = await examine(file, database);
  const faults = manifest.kind === "sqlite" ? faultsIn(database, manifest) : await checkDump(database);
  if (faults && faults.length > 0) throw new Damaged(`its database is not sound: ${named(faults)}`);
  return { manifest, isLookedInto: faults !== null };
}

function faultsIn(database: string, manifest: Manifest): string[] {
  const { faults, pictures } = checkSqlite(database, manifest);
  const there = new Set([...manifest.members.map(({ name }) => name), ...manifest.absent.map(memberOf)]);
  const missing = pictures.flatMap(sizesOf).filter((picture) => !there.has(memberOf(picture)));
  return [...faults, ...missing.map((picture) => `${picture} is somebody's picture, and missing`)];
}
