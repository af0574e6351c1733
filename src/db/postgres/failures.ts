/** What a failure of the database means: codes of SQLSTATE, of the driver and of the system. */
import { hasCode } from "../failures.ts";

/** There is no connection, or there is none any more. */
const AWAY =
  /^(08...|CONNECT(ION)?_\w+|ECONN\w+|EPIPE|ETIMEDOUT|EAI_\w+|ENOTFOUND|EHOSTUNREACH|ENETUNREACH)$/;

/** The server ends one, has no place for another, has run out of disk or of time, or takes no writes. */
const UNABLE = /^(25006|25P0[34]|53...|55P03|57...|58...)$/;

/** The connection is gone, or the server is going down or coming up. */
export function isConnectionLost(error: unknown): boolean {
  return hasCode(error, AWAY) || hasCode(error, /^(25006|25P0[34]|53300|57P0[1-5])$/);
}

/** Later the same may succeed. */
export function isUnavailable(error: unknown): boolean {
  return hasCode(error, AWAY) || hasCode(error, UNABLE) || isConflict(error);
}

/** Others were in the way; nothing was done, and a second try succeeds. */
export function isConflict(error: unknown): boolean {
  return hasCode(error, /^(40001|40P01)$/);
}

/** Somebody else has a key that may be there once. */
export function isTaken(error: unknown): boolean {
  return hasCode(error, /^23505$/);
}
