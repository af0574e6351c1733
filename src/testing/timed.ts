/** How long something takes. The time in which this process stands still, as on a busy machine, does not count. */

/** From one look at the clock to the next, and what counts of a longer time. Milliseconds. */
const STEP = 5;
const STEP_MAX = 20;

/** What came of it, and how long it took. Milliseconds. */
export async function timed<T>(task: () => Promise<T>): Promise<{ result: T; took: number }> {
  let [took, seenAt] = [0, performance.now()];
  const look = () => {
    const now = performance.now();
    took += Math.min(now - seenAt, STEP_MAX);
    seenAt = now;
  };
  const looking = setInterval(look, STEP);
  try {
    const result = await task();
    look();
    return { result, took };
  } finally {
    clearInterval(looking);
  }
}
