import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { RateLimit } from "../chat/ports.ts";

/** At most `points` attempts a subject in a fixed window that starts with its first attempt. */
export function createMemoryLimit(points: number, windowSeconds: number): RateLimit {
  const limiter = new RateLimiterMemory({ points, duration: windowSeconds });
  return {
    async take(subject) {
      try {
        await limiter.consume(subject);
        return { allowed: true };
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        const retryAfterSeconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
        return { allowed: false, retryAfterSeconds, first: refused.consumedPoints === points + 1 };
      }
    },
  };
}
