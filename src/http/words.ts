/** Why something was refused, in the reader's language. */
import { Refused } from "../chat/refusal.ts";
import { fill, number } from "../shared/locale/format.ts";
import type { Shell } from "../../views/components/layout.tsx";

/** `n` is what a text speaks of when it is not the seconds to wait. */
export function wordsFor(refused: Refused, { t, locale }: Pick<Shell, "t" | "locale">, n = 0): string {
  return fill(t.refusals[refused.code], { n: number(locale, refused.retryAfterSeconds ?? n) });
}

/** What came of an act that may be refused. Whatever is no refusal goes on. */
export async function attempt<T>(
  act: Promise<T>,
): Promise<{ done: T; refused: null } | { done: null; refused: Refused }> {
  try {
    return { done: await act, refused: null };
  } catch (refused) {
    if (refused instanceof Refused) return { done: null, refused };
    throw refused;
  }
}
