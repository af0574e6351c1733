/**
 * Readers who do not keep up. Bun closes whoever is too far behind, and says no more than that the connection is over, as
 * for one that broke off: so whoever was behind when it ended is taken for slow.
 */
import type { WebSocketHandler } from "bun";
import type { Hub, Publisher } from "../ws/hub.ts";
import type { Socket, SocketData } from "../ws/socket.ts";
import type { Registry } from "./registry.ts";

/** A quarter of what closes a reader, and beyond what the system's own buffers hold. Bytes. */
const BEHIND = 256 * 1024;

/** Looking after this much has been published, nobody goes from less than `BEHIND` to the bound unseen. Characters. */
const BETWEEN_LOOKS = 256 * 1024;

/** Of a connection that ended without a word. */
const BROKEN_OFF = 1006;

export function watchBacklogs(registry: Registry) {
  let behind = new Set<Socket>();
  let published = 0;
  let look = () => {};
  const slow = registry.counter({
    name: "echochat_slow_readers_closed_total",
    help: "Sockets that ended while more than 256 KiB was waiting to be sent to them.",
  });
  registry.reading(
    "gauge",
    {
      name: "echochat_sockets_behind",
      help: "Open sockets that more than 256 KiB is waiting to be sent to.",
    },
    () => {
      look();
      return behind.size;
    },
  );

  return {
    publisher(to: Publisher, hub: Pick<Hub, "sockets">): Publisher {
      look = () => {
        published = 0;
        behind = new Set(hub.sockets().filter((socket) => socket.getBufferedAmount() > BEHIND));
      };
      return {
        subscriberCount: (topic) => to.subscriberCount(topic),
        publish(topic, frame, compress) {
          to.publish(topic, frame, compress);
          published += frame.length;
          if (published > BETWEEN_LOOKS) look();
        },
      };
    },

    handlers: (handlers: WebSocketHandler<SocketData>): WebSocketHandler<SocketData> => ({
      ...handlers,
      close(socket, code, reason) {
        if (behind.delete(socket) && code === BROKEN_OFF && reason === "") slow.add();
        return handlers.close?.(socket, code, reason);
      },
    }),
  };
}
