/** A connection that has just ended is seen for a moment longer, and holds what it held. Milliseconds. */
const LINGERING = 2_000;
const PAUSE = 50;

/** Whether it is so, and not for those alone who are just going. */
export async function lasts(isSo: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + LINGERING;
  while (await isSo()) {
    if (performance.now() > end) return true;
    await Bun.sleep(PAUSE);
  }
  return false;
}
