/** Which migrations a database has seen, against those that come with this program. */
import { readMigrationFiles } from "drizzle-orm/migrator";

export type Standing = "current" | "older" | "newer" | "foreign";

/** `applied`: when the migrations of the database were written, which is what tells them apart. */
export function standingOf(applied: readonly number[], migrations: string): Standing {
  const known = readMigrationFiles({ migrationsFolder: migrations }).map(({ folderMillis }) => folderMillis);
  const both = Math.min(applied.length, known.length);
  if (both === 0 || known.slice(0, both).some((when, at) => when !== applied[at])) return "foreign";
  if (applied.length === known.length) return "current";
  return applied.length < known.length ? "older" : "newer";
}
