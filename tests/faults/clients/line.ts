/** A socket that comes back by itself, as clients of docs/protocol.md do. */
import type { Client } from "../../../src/testing/client.ts";
import type { Log } from "../log.ts";

export interface LineEvents {
  opened(line: number): void;
  received(line: number, text: string): void;
  lost(line: number, code: number): void;
}

export interface Line {
  /** The number of the present socket, or null when there is none that is open. */
  current(): number | null;
  send(frame: object): void;
  /** Gives this socket up and opens another. */
  renew(): void;
  /** The next socket is opened so much later. Milliseconds. */
  waitBefore(delay: number): void;
  /** Closes the socket, and opens no other before `open`. */
  close(): void;
  open(): void;
}

/** Full jitter, as in the protocol, but no longer than this, so that runs are short. Milliseconds. */
const FIRST_DELAY = 500;
export const LONGEST_DELAY = 2_000;

/** A server that is silent for longer is given up: it tells the head every ten seconds. Milliseconds. */
const SILENCE = 13_000;

/** Neither does a handshake take longer. Milliseconds. */
const HANDSHAKE = 4_000;

/** Bun's has options, which the browser's type does not know. */
const BunSocket = WebSocket as unknown as new (
  url: string,
  options: Bun.WebSocketOptions,
) => TerminableSocket;

interface TerminableSocket extends WebSocket {
  /** Without the handshake that ends a socket politely. */
  terminate(): void;
}

export function openLine(deps: {
  client: Client;
  path: string;
  log: Log;
  random: () => number;
  /** Whether the server of this protocol says something again and again. */
  hasBeacon: boolean;
  events: LineEvents;
}): Line {
  const { client, path, log, random, hasBeacon, events } = deps;
  let socket: TerminableSocket | null = null;
  let line = 0;
  let attempts = 0;
  let isClosed = true;
  let delayed: number | null = null;
  let retrying: Timer | undefined;
  let watching: Timer | undefined;

  function connect(): void {
    const url = client.place.url.replace("http", "ws") + path;
    const opening = new BunSocket(url, { headers: { cookie: client.cookieHeader(), origin: client.origin } });
    const number = log.nextLine();
    [socket, line] = [opening, number];
    watch(HANDSHAKE);
    const isPresent = () => socket === opening;
    opening.addEventListener("open", () => {
      if (!isPresent()) return opening.close();
      heard();
      events.opened(number);
    });
    opening.addEventListener("message", ({ data }) => {
      if (!isPresent()) return;
      attempts = 0;
      heard();
      events.received(number, String(data));
    });
    opening.addEventListener("close", ({ code }) => isPresent() && gone(code));
  }

  function watch(patience: number): void {
    clearTimeout(watching);
    watching = setTimeout(renew, patience);
  }

  function heard(): void {
    clearTimeout(watching);
    if (hasBeacon) watch(SILENCE);
  }

  function gone(code: number): void {
    clearTimeout(watching);
    socket = null;
    events.lost(line, code);
    if (isClosed) return;
    const jitter = random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts++);
    retrying = setTimeout(connect, delayed ?? jitter);
    delayed = null;
  }

  function renew(): void {
    const left = socket;
    if (!left) return;
    gone(1006);
    left.terminate();
  }

  return {
    current: () => (socket?.readyState === WebSocket.OPEN ? line : null),
    send: (frame) => socket?.send(JSON.stringify(frame)),
    renew,
    waitBefore: (delay) => void (delayed = Math.min(delay, LONGEST_DELAY)),
    close() {
      isClosed = true;
      clearTimeout(retrying);
      renew();
    },
    open() {
      isClosed = false;
      connect();
    },
  };
}
