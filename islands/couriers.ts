/** What waits in outboxes of this tab whose rooms have no pane on this page goes out from here, and shows nothing. */
import { next } from "../src/shared/outbox.ts";
import { roomsInWaiting } from "./outbox.ts";
import { joinPageSocket } from "./page-socket.ts";
import { createSending } from "./sending.ts";
import { isWelcome, type Writer } from "./writer.ts";

/** `hasPane`: the room sends what waits for it itself. */
export function sendWhatWaits(writer: Writer, hasPane: (room: string) => boolean): void {
  for (const room of roomsInWaiting(writer.id)) if (!hasPane(room)) startCourier(room, writer, hasPane);
}

/** Until nothing waits there: what is refused does so for a pane that shows it. */
function startCourier(room: string, writer: Writer, hasPane: (room: string) => boolean): void {
  const socket = joinPageSocket({
    opened: () => void socket.send({ type: "hello", rooms: [] }),
    received(frame) {
      // It was opened since, and sends itself.
      if (hasPane(room)) return socket.close();
      if (frame.type === "welcome") {
        if (isWelcome(frame, writer)) sending.start();
        else sending.giveUp("login_required");
      }
      // Nobody waits here for the message itself.
      if (frame.type === "ack") sending.acknowledged(frame, Infinity);
      if (frame.type === "refusal") sending.refused(frame);
      if (next(sending.outbox.value)) return;
      sending.stop();
      socket.close();
    },
    lost: () => sending.pause(),
  });
  const sending = createSending(room, writer.id, socket);
}
