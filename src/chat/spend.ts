import type { RateLimit } from "./ports.ts";
import { Refused } from "./refusal.ts";

/** Counts one attempt of a subject. Refuses `rate_limited` when there were too many. */
export async function spend(rate: RateLimit, subject: number): Promise<void> {
  const allowance = await rate.take(String(subject));
  if (!allowance.allowed) throw new Refused("rate_limited", allowance.retryAfterSeconds);
}
