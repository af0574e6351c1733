/** A reader who joins and then takes nothing, until the end: then whatever the server still has for it. */
import type { Server } from "../servers.ts";
import { frameAt, TEXT, textFrame } from "./frames.ts";
import type { Delivered, Protocol } from "./protocols.ts";
import { openSocket } from "./socket.ts";

export interface SlowReader {
  /** Reads until the server has closed the socket, or these have come. Answers with what came. */
  catchUp(count: number): Promise<{ delivered: readonly Delivered[]; wasClosed: boolean }>;
}

export async function openSlowReader(
  server: Server,
  protocol: Protocol,
  cookie: string,
): Promise<SlowReader> {
  const joined = Promise.withResolvers<void>();
  const complete = Promise.withResolvers<void>();
  const delivered: Delivered[] = [];
  let wanted = Infinity;
  let received: Buffer = Buffer.alloc(0);

  function take(text: string): void {
    const messages = protocol.delivered(text);
    if (messages === "greeting") joined.resolve();
    else if (messages !== "other") delivered.push(...messages);
    if (delivered.length >= wanted) complete.resolve();
  }

  const socket = await openSocket(server, protocol.readerPath, cookie, (chunk) => {
    received = Buffer.concat([received, chunk]);
    let done = 0;
    for (let frame = frameAt(received, 0); frame; frame = frameAt(received, done)) {
      if (frame.opcode === TEXT) take(received.toString("utf8", frame.start, frame.end));
      done = frame.end;
    }
    received = received.subarray(done);
  });
  for (const frame of await protocol.join(server)) socket.write(textFrame(frame));
  await joined.promise;
  socket.pause();

  return {
    async catchUp(count) {
      wanted = count;
      const closed = socket.resume().then(() => true);
      const wasClosed = await Promise.race([closed, complete.promise.then(() => false)]);
      socket.close();
      return { delivered, wasClosed };
    },
  };
}
