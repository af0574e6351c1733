import { RateLimiterMemory, RateLimiterRes, type RateLimiterAbstract } from "rate-limiter-flexible";
import type { RateLimit } from "../chat/ports.ts";

/** At most `points` attempts a subject in a fixed window that starts with its first attempt. */
export function createMemoryLimit(points: number, windowSeconds: number): RateLimit {
  return countedBy(new RateLimiterMemory({ points, duration: windowSeconds }));
}

export function countedBy(limiter: RateLimiterAbstract): RateLimit {
  return {
    async take(subject) {
      try {
        await limiter.consume(subject);
        return { allowed: true };
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        const retryAfterSeconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
        return { allowed: false, retryAfterSeconds, first: refused.consumedPoints === limiter.points + 1 };
      }
    },
  };
}
