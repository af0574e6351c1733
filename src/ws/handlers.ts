/** The handlers that Bun calls for every socket, and the bounds that all of them keep. */
import type { WebSocketHandler } from "bun";
import type { Hub } from "./hub.ts";
import { hasRoom, type Socket, type SocketData } from "./socket.ts";

/** The longest frame taken in: a message is far below, a longer frame closes its socket. Bytes. */
const FRAME_MAX = 1024 * 1024;

/** A reader who falls further behind is closed, having had everything up to there, and resumes. Bytes. */
const BACKLOG_MAX = 1024 * 1024;

/** A client that sends so far ahead of its answers is closed: its frames wait in our memory. Characters. */
const QUEUE_MAX = 1024 * 1024;

/** A frame that waits takes some memory, however short it is: each counts for so many at least. Characters. */
const FRAME_LEAST = 64;

const CLOSE_TOO_MUCH = 1008;
const CLOSE_NOT_TEXT = 1003;

/** Nothing in either direction for so long closes the socket; Bun pings before. Seconds. */
const IDLE_TIMEOUT = 32;

export function socketHandlers(
  hub: Hub,
  now: () => number,
  onError: (error: unknown, socket: Socket) => void,
): WebSocketHandler<SocketData> {
  const enqueue = (socket: Socket, task: () => void | Promise<void>) => {
    socket.data.work = socket.data.work.then(task).catch((error: unknown) => onError(error, socket));
  };
  const release = ({ data }: Socket) => {
    data.drained?.();
    data.drained = null;
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
      const { data } = socket;
      // Existing clients are used to being ignored.
      if (typeof frame !== "string")
        return void (data.protocol.numbered && socket.close(CLOSE_NOT_TEXT, "text only"));
      data.looksUnheard = 0;
      data.heardAt = now();
      const cost = Math.max(frame.length, FRAME_LEAST);
      data.queued += cost;
      if (data.queued > QUEUE_MAX) return socket.close(CLOSE_TOO_MUCH, "too much at once");
      enqueue(socket, () => {
        data.queued -= cost;
        if (socket.readyState === WebSocket.OPEN) return data.protocol.received(socket, frame);
      });
    },
    pong: (socket) => void (socket.data.looksUnheard = 0),
    drain: (socket) => void (hasRoom(socket) && release(socket)),
    close(socket, code) {
      hub.remove(socket);
      release(socket);
      socket.data.protocol.closed?.(socket, code);
    },
  };
}
