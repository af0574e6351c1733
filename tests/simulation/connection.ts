/** The socket of a page, opened again for as long as the page is open. */
import type { PageSocket, SocketEvents } from "./network.ts";
import type { Random } from "./random.ts";

export interface Connection {
  open(): void;
  send(text: string): void;
  isOpen(): boolean;
  /** The next time that the socket is closed, it is opened again after so long. */
  comeBackAfter(delay: number): void;
  wake(): void;
  /** For good. */
  close(): void;
}

export interface ConnectionDeps {
  now: () => number;
  /** Does nothing any more when the page is another. */
  after: (delay: number, task: () => void) => void;
  random: Random;
  connect: (events: SocketEvents) => PageSocket;
  /** Whether the server has any reason to say something. */
  listens: () => boolean;
}

/** Milliseconds. Whoever hears nothing for longer than two beacons takes the socket for lost. */
const SILENCE = 25_000;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;

const CLOSE_GOING_AWAY = 1001;
const CLOSE_ABNORMAL = 1006;

export function createConnection(
  { now, after, random, connect, listens }: ConnectionDeps,
  events: SocketEvents,
): Connection {
  let socket: PageSocket | null = null;
  let isOpen = false;
  let heardAt = 0;
  let attempts = 0;
  let delay: number | null = null;

  function open(): void {
    heardAt = now();
    const mine: PageSocket = connect({
      opened: () => void (socket === mine && opened()),
      received: (text) => void (socket === mine && received(text)),
      closed: (code) => void (socket === mine && closed(code)),
    });
    socket = mine;
    watch(mine);
  }

  function watch(watched: PageSocket): void {
    after(heardAt + SILENCE - now(), () => {
      if (socket !== watched) return;
      // Nothing comes of itself to a page that follows no room; but one that is still opening is waited for no longer.
      if (isOpen && !listens()) heardAt = now();
      if (now() - heardAt < SILENCE) return watch(watched);
      watched.close(CLOSE_GOING_AWAY);
      closed(CLOSE_ABNORMAL);
    });
  }

  function opened(): void {
    isOpen = true;
    attempts = 0;
    delay = null;
    heardAt = now();
    events.opened();
  }

  function received(text: string): void {
    heardAt = now();
    events.received(text);
  }

  function closed(code: number): void {
    isOpen = false;
    socket = null;
    events.closed(code);
    after(delay ?? random.between(0, Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts++)), open);
    delay = null;
  }

  return {
    open,
    send: (text) => socket?.send(text),
    isOpen: () => isOpen,
    comeBackAfter: (named) => void (delay = named),
    wake: () => socket?.wake(),
    close() {
      socket?.close(CLOSE_GOING_AWAY);
      socket = null;
      isOpen = false;
    },
  };
}
