/** What a failure of the database means; the drivers' own errors may stand below others. */

/** After a failed fsync the kernel may have dropped what was to be written, and a second try would succeed without it. */
export function isLost(error: unknown): boolean {
  return hasCode(error, /^SQLITE_IOERR_(DIR_)?FSYNC$/);
}

/** The disk is full or does not answer, or another process holds the database: later the same may succeed. */
export function isUnavailable(error: unknown): boolean {
  return hasCode(error, /^SQLITE_(FULL|IOERR|BUSY|READONLY)/);
}

function hasCode(error: unknown, code: RegExp): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && code.test(String(error.code))) || hasCode(error.cause, code);
}
