import type { Clock, Presence } from "../chat/ports.ts";

/** Lets everybody go in the moment their time runs out: one timer, set for whoever is next. Answers with its end. */
export function watchExpiry(presence: Presence, clock: Clock): () => void {
  let timer: Timer | undefined;
  let setFor = Infinity;

  function arm(): void {
    const next = presence.nextExpiry() ?? Infinity;
    // One that is set too early only looks again.
    if (next >= setFor) return;
    clearTimeout(timer);
    setFor = next;
    timer = setTimeout(ring, next - clock.now());
  }

  function ring(): void {
    setFor = Infinity;
    presence.expire();
    arm();
  }

  presence.onMove(arm);
  return () => clearTimeout(timer);
}
