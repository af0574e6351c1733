/** Time on a page that passes as a test says, whatever else its machine has to do. The clock was installed before. */
import type { Person } from "../../src/testing/browser.ts";

/** A little ahead of the time it is: no clock goes back. Milliseconds. */
const AHEAD = 10_000;

/** On the person's pages no time passes from now on. */
export function stopsClock({ page }: Person): Promise<void> {
  return page.clock.pauseAt(Date.now() + AHEAD);
}

/** So many milliseconds pass. */
export function passes({ page }: Person, milliseconds: number): Promise<void> {
  return page.clock.runFor(milliseconds);
}
