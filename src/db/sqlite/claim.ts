/** A file that one process has at a time: however that one ends, the next may have it. */
import { Database } from "bun:sqlite";
import { closeSync, openSync } from "node:fs";
import { hasCode } from "../failures.ts";

/** What lets go of it, or null where somebody else has it. A file system that knows no locks gives it to everybody. */
export function claim(file: string): (() => void) | null {
  closeSync(openSync(file, "a", 0o600));
  const client = new Database(file, { readwrite: true, create: false });
  try {
    client.run("BEGIN EXCLUSIVE");
  } catch (error) {
    client.close();
    if (hasCode(error, /^SQLITE_BUSY/)) return null;
    if (!hasCode(error, /^SQLITE_IOERR/)) throw error;
  }
  return () => client.close();
}
