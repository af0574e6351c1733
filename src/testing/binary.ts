/** The one file that is shipped, made from the source as it is. */
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..", "..");

let made: Promise<string> | undefined;

/** Its path; made once for all tests of a process. */
export function binary(): Promise<string> {
  return (made ??= build());
}

async function build(): Promise<string> {
  await Bun.$`${process.execPath} deploy/build.ts`.cwd(ROOT).quiet();
  return join(ROOT, "out", "echochat");
}
