/** Answers to what clients have sent: those of one turn leave as one write a socket. */
import type { ServerFrame } from "../shared/protocol.ts";
import type { Socket } from "./socket.ts";

export interface Answers {
  add(socket: Socket, frame: ServerFrame): void;
}

export function createAnswers(): Answers {
  const waiting = new Map<Socket, string[]>();

  function flush(): void {
    for (const [socket, frames] of waiting) {
      socket.cork(() => {
        for (const frame of frames) socket.send(frame);
      });
    }
    waiting.clear();
  }

  return {
    add(socket, frame) {
      // What one commit has settled is answered in a row of microtasks; this one comes after them.
      if (waiting.size === 0) queueMicrotask(flush);
      const frames = waiting.get(socket);
      if (frames) frames.push(JSON.stringify(frame));
      else waiting.set(socket, [JSON.stringify(frame)]);
    },
  };
}
