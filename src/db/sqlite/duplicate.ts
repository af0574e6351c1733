/** A copy of the whole database, as it is at one moment. Writers go on meanwhile: the copy is a reader among others. */
import { Database } from "bun:sqlite";
import { closeSync, fsyncSync, openSync, rmSync } from "node:fs";

/** It holds hashes of passwords. */
const MODE = 0o600;

/** The journal stays where the disk is full, or a kill comes. */
const BESIDE = ["", "-journal"];

/**
 * The copy has no epoch: whoever starts on it makes a new one, because its numbers may since have been given to other
 * messages. Where it does not come about nothing is left of it.
 */
export function duplicate(client: Database, target: string): void {
  const remove = () => BESIDE.forEach((ending) => rmSync(`${target}${ending}`, { force: true }));
  remove();
  closeSync(openSync(target, "wx", MODE));
  try {
    client.run("VACUUM INTO ?", [target]);
    const copy = new Database(target, { readwrite: true, create: false });
    try {
      // Of a journal that a kill leaves behind the next copy would be spoiled.
      copy.run("PRAGMA journal_mode = MEMORY");
      copy.run("DELETE FROM installation");
    } finally {
      copy.close();
    }
    const handle = openSync(target, "r+");
    fsyncSync(handle);
    closeSync(handle);
  } catch (error) {
    remove();
    throw error;
  }
}
