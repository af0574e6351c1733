export interface Calm {
  run(): void;
  /** Whatever still waits is not done any more. */
  stop(): void;
}

/** Does something at once, then at most once in an interval: many wishes within it are one, and the last is never lost. */
export function calmly(task: () => void, milliseconds: number): Calm {
  let timer: Timer | null = null;
  let isWanted = false;

  function run(): void {
    if (timer) return void (isWanted = true);
    isWanted = false;
    timer = setTimeout(rested, milliseconds);
    task();
  }

  function rested(): void {
    timer = null;
    if (isWanted) run();
  }

  return { run, stop: () => clearTimeout(timer ?? undefined) };
}
