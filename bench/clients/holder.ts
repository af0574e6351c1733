/**
 * A program of its own, because a process may only have so many files open: opens sockets, says so, and keeps them open
 * until it is ended. One that the server closes ends it at once.
 */
import type { Address } from "../servers.ts";
import { frameAt, pongFrame, PING, TEXT, textFrame } from "./frames.ts";
import { openSocket, type RawSocket } from "./socket.ts";

/** One of the sockets that each client has. */
export interface HeldSocket {
  path: string;
  /** Said at once. */
  hello?: readonly string[];
  /** What stands in the frame after which it is open. */
  greeting?: string;
  /** Said again and again. */
  beat?: { frame: string; every: number };
}

export interface Holding {
  server: Address;
  sockets: readonly HeldSocket[];
  /** One for each client. */
  cookies: readonly string[];
}

/** Clients that come at a time. */
const BATCH = 50;

async function hold({ server, sockets, cookies }: Holding): Promise<void> {
  for (let first = 0; first < cookies.length; first += BATCH) {
    const batch = cookies.slice(first, first + BATCH);
    await Promise.all(batch.flatMap((cookie) => sockets.map((held) => open(server, held, cookie))));
  }
}

async function open(server: Address, held: HeldSocket, cookie: string): Promise<void> {
  const greeted = Promise.withResolvers<void>();
  let received: Buffer = Buffer.alloc(0);
  const socket = await openSocket(server, held.path, cookie, (chunk, { write }) => {
    received = received.length > 0 ? Buffer.concat([received, chunk]) : chunk;
    let done = 0;
    for (let frame = frameAt(received, 0); frame; frame = frameAt(received, done)) {
      const payload = received.subarray(frame.start, frame.end);
      if (frame.opcode === PING) write(pongFrame(payload));
      if (frame.opcode === TEXT && held.greeting && payload.includes(held.greeting)) greeted.resolve();
      done = frame.end;
    }
    // A copy: what it is part of may be large.
    received = done < received.length ? Buffer.from(received.subarray(done)) : EMPTY;
  });
  for (const frame of held.hello ?? []) socket.write(textFrame(frame));
  if (held.greeting) await greeted.promise;
  if (held.beat) beat(socket, held.beat);
}

const EMPTY = Buffer.alloc(0);

/** Each at a moment of its own. */
function beat(socket: RawSocket, { frame, every }: { frame: string; every: number }): void {
  const bytes = textFrame(frame);
  setTimeout(() => setInterval(() => socket.write(bytes), every), Math.random() * every);
}

await hold((await Bun.stdin.json()) as Holding);
console.log("open");
