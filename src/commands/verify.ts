/** Says whether a backup is whole. Needs nothing but the file. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { verify, type Verified } from "../backup/verify.ts";
import { complain, say } from "../log.ts";
import { contents, quantity, leavingNothingIn, reason } from "./tidy.ts";
import { onlyWord } from "./words.ts";

export const HELP = `  echochat verify <file>
                       reads a backup and says whether it is whole`;

/** Answers with the exit code: 0, 1 when it is not whole, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<number> {
  const name = onlyWord(args);
  if (name === null) {
    complain(`Usage:\n\n${HELP}`);
    return 2;
  }
  const file = resolve(name);
  const folder = mkdtempSync(join(tmpdir(), "echochat-verify-"));
  try {
    say(reportOf(await leavingNothingIn([folder], () => verify(file, join(folder, "database"))), file));
    return 0;
  } catch (error) {
    complain(reason(error, file));
    return 1;
  }
}

const KIND = { sqlite: "SQLite", postgres: "PostgreSQL" };

function reportOf({ manifest, isLookedInto }: Verified, file: string): string {
  const { madeAt, program, kind, members, absent } = manifest;
  const lines = [
    `${file} is whole: EchoChat ${program} on ${KIND[kind]}, ${madeAt}; ${contents(manifest)}, ${quantity(members.length, "file")}.`,
  ];
  if (!isLookedInto) lines.push("There is no pg_restore on PATH, so the dump was compared by its hash only.");
  if (absent.length > 0)
    lines.push(`${quantity(absent.length, "picture")} of people were missing when it was made.`);
  return lines.join("\n");
}
