/** The only clock of a run. Nothing waits: time jumps to whatever comes next, and everything happens in one order. */
import { drainMicrotasks } from "bun:jsc";

export interface Scheduler {
  /** Whole milliseconds since the run began. Never goes back. */
  now(): number;
  after(delay: number, task: () => void): void;
  /** Until nothing is due before `time`, or it is over. */
  run(time: number, isOver?: () => boolean): void;
}

interface Due {
  at: number;
  /** What is due at the same time is done in the order of asking. */
  order: number;
  task: () => void;
}

export function createScheduler(): Scheduler {
  /** A binary heap: each entry is due before the two at twice its place. */
  const heap: Due[] = [];
  let now = 0;
  let asked = 0;

  function push(due: Due): void {
    let at = heap.push(due) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Due;
      if (isBefore(parent, due)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = due;
  }

  function pop(): Due | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const [left, right] = [heap[below], heap[below + 1]];
      if (!left) break;
      if (right && isBefore(right, left)) below++;
      const child = heap[below] as Due;
      if (isBefore(last, child)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }

  return {
    now: () => now,
    after: (delay, task) => push({ at: now + Math.max(0, Math.ceil(delay)), order: asked++, task }),
    run(time, isOver = () => false) {
      for (let first = heap[0]; first && first.at <= time && !isOver(); first = heap[0]) {
        now = first.at;
        pop()?.task();
        // The promises of a turn are settled within it, as in any event loop.
        drainMicrotasks();
      }
      now = Math.max(now, heap[0] && heap[0].at <= time ? now : time);
    },
  };
}

function isBefore(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
