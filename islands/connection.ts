/** One socket for the page, opened again for as long as somebody needs it. */
import { CLOSE_NORMAL, type ClientFrame, type ServerFrame } from "../src/shared/protocol.ts";

export interface Connection {
  /** False when there is no open socket; nothing is queued here. */
  send(frame: ClientFrame): boolean;
  /** Nobody answers: the socket is left for another one. */
  giveUp(): void;
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

/** A socket is dead that has no first word for us in this time, or later nothing for so long. Milliseconds. */
const OPENING_PATIENCE = 15_000;
const SILENCE_PATIENCE = 25_000;

/** How often a page that is in view listens for that silence. Milliseconds. */
const LISTEN_INTERVAL = 5_000;

const CLOSE_ABNORMAL = 1006;

/** What a page hears when a laptop wakes, its window comes back into view, or the network is there again. */
const AWAKENINGS = ["visibilitychange", "resume", "pageshow", "online"] as const;

export function connect(events: ConnectionEvents): Connection {
  let socket: WebSocket;
  /** Ends the listening to the present socket. */
  let present = new AbortController();
  const whole = new AbortController();
  let attempts = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** When the server is there again, if it has said so. Milliseconds. */
  let backIn: number | null = null;
  let openedAt = 0;
  let heardAt: number | null = null;
  /** A room is followed: its number is told every ten seconds. */
  let isBeating = false;

  function open(): void {
    clearTimeout(timer);
    present = new AbortController();
    const { signal } = present;
    [backIn, openedAt, heardAt, isBeating] = [null, Date.now(), null, false];
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/`);
    socket.addEventListener("open", events.opened, { signal });
    socket.addEventListener("message", ({ data }) => received(JSON.parse(data) as ServerFrame), { signal });
    socket.addEventListener("close", ({ code }) => closed(code), { signal });
  }

  function received(frame: ServerFrame): void {
    attempts = 0;
    heardAt = Date.now();
    if (frame.type === "removed" || frame.type === "reset") isBeating = false;
    if (frame.type === "bye") backIn = frame.after;
    events.received(frame);
  }

  function closed(code: number): void {
    present.abort();
    events.lost(code);
    // Full jitter: after a restart the server meets its readers one by one, not all at once.
    const delay = Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts++);
    timer = setTimeout(open, backIn ?? delay);
  }

  /** The browser closes it when it can: the other end may not be there to answer. */
  function abandon(): void {
    if (present.signal.aborted) return;
    socket.close();
    closed(CLOSE_ABNORMAL);
  }

  /** A connection whose other end is gone looks like one on which nobody speaks. */
  function listen(): void {
    if (document.hidden) return;
    const now = Date.now();
    const isDead =
      heardAt === null ? now - openedAt > OPENING_PATIENCE : isBeating && now - heardAt > SILENCE_PATIENCE;
    if (isDead) abandon();
  }

  /** Timers stand still while a laptop sleeps; and whoever comes back does not wait out a delay. */
  function wake(): void {
    if (document.hidden) return;
    listen();
    if (present.signal.aborted && backIn === null) open();
  }

  const { signal } = whole;
  // The browser knows at once that the network is gone; the socket would say so after minutes.
  addEventListener("offline", abandon, { signal });
  for (const type of AWAKENINGS) addEventListener(type, wake, { signal, capture: true });
  const listening = setInterval(listen, LISTEN_INTERVAL);
  open();

  return {
    send(frame) {
      if (present.signal.aborted || socket.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(frame));
      if (frame.type === "hello" && frame.rooms.length > 0) isBeating = true;
      return true;
    },
    giveUp: abandon,
    close() {
      whole.abort();
      present.abort();
      clearTimeout(timer);
      clearInterval(listening);
      socket.close(CLOSE_NORMAL);
    },
  };
}
