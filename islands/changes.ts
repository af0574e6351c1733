/** Edits and removals of a room's messages on their way. Both may be done twice, so each new socket is asked anew. */
import type { ClientFrame, Refusal } from "../src/shared/protocol.ts";
import { joinPageSocket } from "./page-socket.ts";
import { newKey } from "./sending.ts";

export type Change = { type: "edit"; id: number; text: string } | { type: "remove"; id: number };

export interface Changes {
  /** Resolves when it is done, with null, or with why it was refused. Replaces what was on its way before. */
  submit(change: Change): Promise<Refusal | null>;
  /** What is on its way is not waited for any more. */
  forget(): void;
  close(): void;
}

export function openChanges(room: string): Changes {
  let waiting: { frame: ClientFrame & { key: string }; settle(refusal: Refusal | null): void } | null = null;

  const socket = joinPageSocket({
    opened: () => void (waiting && socket.send(waiting.frame)),
    received(frame) {
      if ((frame.type !== "ack" && frame.type !== "refusal") || frame.key !== waiting?.frame.key) return;
      const { settle } = waiting;
      waiting = null;
      settle(frame.type === "ack" ? null : frame);
    },
    lost() {},
  });

  return {
    submit(change) {
      const frame = { ...change, room, key: newKey() };
      return new Promise((settle) => {
        waiting = { frame, settle };
        socket.send(frame);
      });
    },
    forget: () => void (waiting = null),
    close: socket.close,
  };
}
