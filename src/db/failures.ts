/** Whether an error has such a code, or one that stands below it: libraries wrap what the drivers throw. */
export function hasCode(error: unknown, code: RegExp): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && code.test(String(error.code))) || hasCode(error.cause, code);
}
