/** The one file that is shipped, made from the source as it is. */
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..", "..");

/** In front of a command that is met half-way: while whoever watches it has to wait for a processor, it gets on little. */
export const GENTLY = ["nice", "-n", "10"] as const;

let made: Promise<string> | undefined;

/** Its path; made once for all tests of a process. */
export function binary(): Promise<string> {
  return (made ??= build());
}

async function build(): Promise<string> {
  await Bun.$`${process.execPath} deploy/build.ts`.cwd(ROOT).quiet();
  return join(ROOT, "out", "echochat");
}
