/** How long something took, without the time for which the machine let this process stand still. For upper bounds: a clock tells more. */

/** Between two looks at the clock. Milliseconds. */
const TICK = 20;

/** Starts; what it answers with stops, and tells the milliseconds. */
export function startWatch(): () => number {
  let took = 0;
  let [at, worked] = [performance.now(), work()];
  function look(): void {
    const [now, workedNow] = [performance.now(), work()];
    // A look that is late for more than another tick is so because of our own work, or because we stood still.
    took += Math.min(now - at, Math.max(2 * TICK, workedNow - worked));
    [at, worked] = [now, workedNow];
  }
  const timer = setInterval(look, TICK);
  return () => {
    clearInterval(timer);
    look();
    return took;
  };
}

/** What came of it, and how long it took. Milliseconds. */
export async function timed<T>(task: () => Promise<T>): Promise<{ result: T; took: number }> {
  const stop = startWatch();
  try {
    return { result: await task(), took: stop() };
  } finally {
    stop();
  }
}

/** What this process has had of the processors. Milliseconds. */
function work(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
