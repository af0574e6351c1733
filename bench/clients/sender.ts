/** Somebody who sends, and knows what was acknowledged. */
import type { Server } from "../servers.ts";
import { frameAt, pongFrame, PING, TEXT, textFrame } from "./frames.ts";
import type { Protocol } from "./protocols.ts";
import { openSocket } from "./socket.ts";

export interface Sender {
  /** Resolves when the message is acknowledged. */
  send(key: string, text: string): Promise<void>;
  close(): void;
}

export async function openSender(server: Server, protocol: Protocol, cookie: string): Promise<Sender> {
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  let received: Buffer = Buffer.alloc(0);

  function settle(frame: string): void {
    const acknowledged = protocol.acknowledged(frame);
    if (acknowledged === null) return;
    const key = acknowledged || (waiting.keys().next().value ?? "");
    waiting.get(key)?.resolve();
    waiting.delete(key);
  }

  const socket = await openSocket(server, protocol.senderPath, cookie, (chunk, { write }) => {
    received = received.length > 0 ? Buffer.concat([received, chunk]) : chunk;
    let done = 0;
    for (let frame = frameAt(received, 0); frame; frame = frameAt(received, done)) {
      if (frame.opcode === TEXT) settle(received.toString("utf8", frame.start, frame.end));
      if (frame.opcode === PING) write(pongFrame(received.subarray(frame.start, frame.end)));
      done = frame.end;
    }
    received = received.subarray(done);
  });

  return {
    send(key, text) {
      const acknowledgement = Promise.withResolvers<void>();
      waiting.set(key, acknowledgement);
      socket.write(textFrame(protocol.send(key, text)));
      return acknowledgement.promise;
    },
    close: socket.close,
  };
}
