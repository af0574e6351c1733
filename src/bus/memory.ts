import type { Bus, BusEvent } from "../chat/ports.ts";

/** The bus of a single process: listeners run within `publish`, before it returns. */
export function createMemoryBus(): Bus {
  const listeners: ((event: BusEvent) => void)[] = [];
  return {
    publish(event) {
      for (const listener of listeners) listener(event);
    },
    subscribe(listener) {
      listeners.push(listener);
    },
    serve: (_, rev) => rev,
  };
}
