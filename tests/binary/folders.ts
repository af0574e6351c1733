/** Folders that a test makes and leaves behind: they are gone when it is over. */
import { makeDataDir, removeDataDir } from "../../src/testing/world.ts";

const made: string[] = [];

export function aFolder(): string {
  const folder = makeDataDir();
  made.push(folder);
  return folder;
}

/** Belongs after each test. */
export function removeFolders(): void {
  for (const folder of made.splice(0)) removeDataDir(folder);
}
