/**
 * Whoever is gone without a word is found out: each socket from which nothing has come for a while is asked whether it is
 * still there, and given up when it does not answer. Bun asks only where nothing goes out either, and something always
 * does to whoever follows a room.
 */
import type { Hub } from "./hub.ts";
import type { Socket } from "./socket.ts";

/** How often each socket is looked at. Milliseconds. */
const EVERY = 10_000;

/** At which look since anything has come from it a socket is asked, and at which it is given up. */
const ASKED = 3;
const GIVEN_UP = 6;

/** The sockets are looked at in so many parts, so that their answers do not come all at once. */
const PARTS = 20;

/** Answers with what ends it. */
export function startPings(hub: Pick<Hub, "sockets">, every = EVERY): () => void {
  let round: readonly Socket[] = [];
  let part = 0;

  function lookOn(): void {
    if (part === 0) round = hub.sockets();
    const size = Math.ceil(round.length / PARTS);
    round.slice(part * size, (part + 1) * size).forEach(look);
    part = (part + 1) % PARTS;
  }

  const timer = setInterval(lookOn, every / PARTS);
  return () => clearInterval(timer);
}

function look(socket: Socket): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  const looks = ++socket.data.looksUnheard;
  if (looks === ASKED) socket.ping();
  if (looks >= GIVEN_UP) socket.terminate();
}
