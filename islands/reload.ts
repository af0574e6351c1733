/** Loads the page anew by itself, when going on from what it holds is not possible. */

/** Not all at once: many pages may learn of it in the same moment. Milliseconds. */
const SHORTEST_DELAY = 1_500;
const SPREAD = 4_000;

/** What one reload has not mended, the next would not either. Milliseconds. */
const ONCE_IN = 60_000;

const LAST = "reloaded";

/** False when it has been tried just now: then somebody has to look. */
export function mayReload(): boolean {
  return Date.now() - Number(sessionStorage.getItem(LAST) ?? 0) > ONCE_IN;
}

/** Answers with what calls it off. */
export function reloadSoon(): () => void {
  const reloadIn = (delay: number) => setTimeout(() => void reload(), delay);
  let timer = reloadIn(SHORTEST_DELAY + Math.random() * SPREAD);

  /** A page that cannot be loaded now would be lost for one of the browser's own. */
  async function reload(): Promise<void> {
    const answer = await fetch(location.href).catch(() => null);
    if (!answer || answer.status >= 500) return void (timer = reloadIn(SPREAD));
    sessionStorage.setItem(LAST, String(Date.now()));
    location.reload();
  }

  return () => clearTimeout(timer);
}
