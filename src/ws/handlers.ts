/** The handlers that Bun calls for every socket, and the bounds that all of them keep. */
import type { WebSocketHandler } from "bun";
import type { Hub } from "./hub.ts";
import type { Socket, SocketData } from "./socket.ts";

/** The longest frame taken in: a message is far below, a longer frame closes its socket. Bytes. */
const FRAME_MAX = 1024 * 1024;

/** A reader who falls further behind is closed, having had everything up to there, and resumes. Bytes. */
const BACKLOG_MAX = 1024 * 1024;

/** Bun pings shortly before; no answer within this time closes the socket. Seconds. */
const IDLE_TIMEOUT = 32;

export function socketHandlers(
  hub: Hub,
  now: () => number,
  onError: (error: unknown) => void,
): WebSocketHandler<SocketData> {
  const enqueue = (socket: Socket, task: () => void | Promise<void>) => {
    socket.data.work = socket.data.work.then(task).catch(onError);
  };
  return {
    perMessageDeflate: false,
    idleTimeout: IDLE_TIMEOUT,
    maxPayloadLength: FRAME_MAX,
    backpressureLimit: BACKLOG_MAX,
    closeOnBackpressureLimit: true,

    open(socket) {
      hub.add(socket);
      enqueue(socket, () => socket.data.protocol.opened(socket));
    },
    message(socket, frame) {
      if (typeof frame !== "string") return;
      socket.data.heardAt = now();
      enqueue(socket, () => socket.data.protocol.received(socket, frame));
    },
    close(socket, code) {
      hub.remove(socket);
      socket.data.protocol.closed?.(socket, code);
    },
  };
}
