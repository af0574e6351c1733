/** The page's one socket, shared by everything on the page that listens to it. */
import { connect, type Connection, type ConnectionEvents } from "./connection.ts";

const listeners = new Set<ConnectionEvents>();
let connection: Connection | null = null;
let isOpen = false;

/** The first to join opens the socket, the last to close its share closes it. */
export function joinPageSocket(events: ConnectionEvents): Connection {
  listeners.add(events);
  connection ??= connect({
    opened() {
      isOpen = true;
      for (const listener of listeners) listener.opened();
    },
    received(frame) {
      for (const listener of listeners) listener.received(frame);
    },
    lost(code) {
      isOpen = false;
      for (const listener of listeners) listener.lost(code);
    },
  });
  // Whoever comes late hears of it as the others did: after it has what this function answers with.
  if (isOpen) queueMicrotask(() => listeners.has(events) && events.opened());

  return {
    send: (frame) => connection?.send(frame) ?? false,
    giveUp: () => connection?.giveUp(),
    close() {
      listeners.delete(events);
      if (listeners.size > 0) return;
      connection?.close();
      connection = null;
      isOpen = false;
    },
  };
}
