/** Takes in what another program or installation has left: the first word says in which form it is. */
import { complain } from "../log.ts";
import * as jsonl from "./import/jsonl.ts";

const FORMS: Record<string, Pick<typeof jsonl, "run">> = { jsonl };

export const HELP = jsonl.HELP;

/** Answers with the exit code: 0, 1 when it cannot be done, 2 for wrong usage. */
export async function run([form = "", ...args]: readonly string[]): Promise<number> {
  const known = Object.hasOwn(FORMS, form) ? FORMS[form] : undefined;
  if (known) return known.run(args);
  complain(`Usage:\n\n${HELP}`);
  return 2;
}
