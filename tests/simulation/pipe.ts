/** One direction of a connection: its frames keep their order, as TCP does, and take their time. */
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

export type Item = { kind: "open" } | { kind: "frame"; text: string } | { kind: "close"; code: number };

export interface Pipe {
  push(item: Item): void;
  /** Not yet taken by the other end. */
  buffered(): number;
  /** The other end takes again what it left waiting. */
  wake(): void;
  /** Nothing more arrives. */
  cut(): void;
}

export interface Receiver {
  receive(item: Item): void;
  /** Everything sent so far has been taken. */
  drained?(): void;
  isAsleep?(): boolean;
}

export interface Weather {
  /** Chance that a frame waits, and how long at most. Milliseconds. */
  stalls: number;
  stallMax: number;
  /** Everything takes at least this long. Milliseconds. */
  distance: number;
}

export function createPipe(
  { scheduler, random, weather }: { scheduler: Scheduler; random: Random; weather: Weather },
  receiver: Receiver,
): Pipe {
  const waiting: { item: Item; at: number }[] = [];
  let bytes = 0;
  let lastAt = 0;
  let isCut = false;
  let isPumping = false;

  function pump(): void {
    isPumping = false;
    for (;;) {
      if (isCut || receiver.isAsleep?.()) return;
      const first = waiting[0];
      if (!first) return receiver.drained?.();
      if (first.at > scheduler.now()) return plan(first.at);
      waiting.shift();
      bytes -= sizeOf(first.item);
      receiver.receive(first.item);
    }
  }

  function plan(at: number): void {
    if (isPumping) return;
    isPumping = true;
    scheduler.after(at - scheduler.now(), pump);
  }

  return {
    push(item) {
      if (isCut) return;
      const stall = random.chance(weather.stalls) ? random.between(0, weather.stallMax) : 0;
      const takes = Math.round(weather.distance * random.between(1, 2) + stall);
      lastAt = Math.max(lastAt, scheduler.now() + takes);
      waiting.push({ item, at: lastAt });
      bytes += sizeOf(item);
      plan(lastAt);
    },
    buffered: () => bytes,
    wake: () => plan(scheduler.now()),
    cut() {
      isCut = true;
      waiting.length = 0;
      bytes = 0;
    },
  };
}

function sizeOf(item: Item): number {
  return item.kind === "frame" ? item.text.length : 1;
}
