/** What a failure of the database means. */
import { hasCode } from "../failures.ts";

/** After a failed fsync the kernel may have dropped what was to be written, and a second try would succeed without it. */
export function isLost(error: unknown): boolean {
  return hasCode(error, /^SQLITE_IOERR_(DIR_)?FSYNC$/);
}

/** The disk is full or does not answer, or another process holds the database: later the same may succeed. */
export function isUnavailable(error: unknown): boolean {
  return hasCode(error, /^SQLITE_(FULL|IOERR|BUSY|READONLY)/);
}

/** Another process holds the database. */
export function isBusy(error: unknown): boolean {
  return hasCode(error, /^SQLITE_BUSY/);
}

/** The file, or its folder, is not what this user can open and write. */
export function isUnusable(error: unknown): boolean {
  return hasCode(error, /^SQLITE_(CANTOPEN|NOTADB|READONLY|PERM)/);
}

/** Somebody else has a key that may be there once. */
export function isTaken(error: unknown): boolean {
  return hasCode(error, /^SQLITE_CONSTRAINT_UNIQUE$/);
}
