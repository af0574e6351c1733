/** One socket for the page, opened again for as long as somebody needs it. */
import type { ClientFrame, ServerFrame } from "../src/shared/protocol.ts";

export interface Connection {
  /** False when there is no open socket; nothing is queued here. */
  send(frame: ClientFrame): boolean;
  close(): void;
}

export interface ConnectionEvents {
  opened(): void;
  received(frame: ServerFrame): void;
  lost(code: number): void;
}

/** Milliseconds. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;

export function connect(events: ConnectionEvents): Connection {
  const leaving = new AbortController();
  const { signal } = leaving;
  let socket: WebSocket;
  let attempts = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open(): void {
    clearTimeout(timer);
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/`);
    socket.addEventListener("open", opened, { signal });
    socket.addEventListener("message", ({ data }) => events.received(JSON.parse(data) as ServerFrame), {
      signal,
    });
    socket.addEventListener("close", ({ code }) => closed(code), { signal });
  }

  function opened(): void {
    attempts = 0;
    events.opened();
  }

  function closed(code: number): void {
    events.lost(code);
    // Full jitter: after a restart the server meets its readers one by one, not all at once.
    timer = setTimeout(open, Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts++));
  }

  function reopen(): void {
    if (socket.readyState === WebSocket.CLOSED) open();
  }

  addEventListener("online", reopen, { signal });
  open();

  return {
    send(frame) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(frame));
      return true;
    },
    close() {
      leaving.abort();
      clearTimeout(timer);
      socket.close(1000);
    },
  };
}
