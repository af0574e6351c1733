/** Brings in what another program has, or what this one has written out. */
import { complain } from "../log.ts";
import * as echochat from "./import/echochat.ts";
import * as jsonl from "./import/jsonl.ts";

/** The forms that can be brought in, by the first argument. */
const KINDS: Record<string, { HELP: string; run(args: readonly string[]): Promise<number> }> = {
  echochat,
  jsonl,
};

export const HELP = Object.values(KINDS)
  .map((kind) => kind.HELP)
  .join("\n");

/** Answers with the exit code: 0, 1 when it cannot be done, 2 for wrong usage. */
export async function run([kind = "", ...args]: readonly string[]): Promise<number> {
  const known = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (known) return known.run(args);
  complain(`Usage:\n\n${HELP}`);
  return 2;
}
