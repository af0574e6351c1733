/** One socket for the page, opened again for as long as somebody needs it. */
import { CLOSE_NORMAL, type ClientFrame, type ServerFrame } from "../src/shared/protocol.ts";

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

const CLOSE_ABNORMAL = 1006;

export function connect(events: ConnectionEvents): Connection {
  let socket: WebSocket;
  /** Ends the listening to the present socket. */
  let present = new AbortController();
  let attempts = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open(): void {
    clearTimeout(timer);
    present = new AbortController();
    const { signal } = present;
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
    present.abort();
    events.lost(code);
    // Full jitter: after a restart the server meets its readers one by one, not all at once.
    timer = setTimeout(open, Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts++));
  }

  /** The browser knows at once that the network is gone; the socket would say so after minutes. */
  function offline(): void {
    if (present.signal.aborted) return;
    socket.close();
    closed(CLOSE_ABNORMAL);
  }

  function online(): void {
    if (present.signal.aborted) open();
  }

  addEventListener("offline", offline);
  addEventListener("online", online);
  open();

  return {
    send(frame) {
      if (present.signal.aborted || socket.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(frame));
      return true;
    },
    close() {
      removeEventListener("offline", offline);
      removeEventListener("online", online);
      present.abort();
      clearTimeout(timer);
      socket.close(CLOSE_NORMAL);
    },
  };
}
