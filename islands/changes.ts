/**
 * Edits and removals of a room's messages on their way. Both may be done twice, so each new socket is asked anew, once it
 * listens to their writer.
 */
import type { ClientFrame, Refusal } from "../src/shared/protocol.ts";
import { joinPageSocket } from "./page-socket.ts";
import { newKey } from "./sending.ts";
import { isWelcome, type Writer } from "./writer.ts";

export type Change = { type: "edit"; id: number; text: string } | { type: "remove"; id: number };

export interface Changes {
  /** Resolves when it is done, with null, or with why it was refused. Replaces what was on its way before. */
  submit(change: Change): Promise<Refusal | null>;
  /** What is on its way is not waited for any more. */
  forget(): void;
  close(): void;
}

export function openChanges(room: string, writer: Writer): Changes {
  let waiting: { frame: ClientFrame & { key: string }; answer(refusal: Refusal | null): void } | null = null;
  /** Whether the server listens to this writer; null until it has said to whom. */
  let isHeard: boolean | null = null;

  const socket = joinPageSocket({
    opened: () => void socket.send({ type: "hello", rooms: [] }),
    received(frame) {
      if (frame.type === "welcome" && isHeard === null) {
        isHeard = isWelcome(frame, writer);
        go();
      }
      if ((frame.type === "ack" || frame.type === "refusal") && frame.key === waiting?.frame.key)
        settle(frame.type === "ack" ? null : frame);
    },
    lost: () => void (isHeard = null),
  });

  /** Nothing is changed in the name of somebody else who has signed in on this browser since. */
  function go(): void {
    if (!waiting || isHeard === null) return;
    const { frame } = waiting;
    if (isHeard) socket.send(frame);
    else settle({ type: "refusal", key: frame.key, code: "login_required", retryable: false });
  }

  function settle(refusal: Refusal | null): void {
    waiting?.answer(refusal);
    waiting = null;
  }

  return {
    submit(change) {
      const frame = { ...change, room, key: newKey() };
      return new Promise((answer) => {
        waiting = { frame, answer };
        go();
      });
    },
    forget: () => void (waiting = null),
    close: socket.close,
  };
}
