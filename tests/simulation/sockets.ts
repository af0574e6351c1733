/** The server's ends of connections, as Bun gives them to our handlers: with topics, buffers and their bounds. */
import type { WebSocketHandler } from "bun";
import type { Publisher } from "../../src/ws/hub.ts";
import type { Socket, SocketData } from "../../src/ws/socket.ts";
import type { Pipe } from "./pipe.ts";

export interface Ends extends Publisher {
  open(data: SocketData, down: Pipe): End;
  count(): number;
}

/** What the network tells a socket. */
export interface End {
  socket: Socket;
  received(text: string): void;
  drained(): void;
  /** The other end is gone. */
  lost(code: number): void;
}

export interface EndsDeps {
  handlers: () => WebSocketHandler<SocketData>;
  /** Told of each frame that is sent. */
  watch: (socket: Socket, text: string) => void;
  /** Whether a published frame is dropped on its way to one reader. */
  loses: () => boolean;
  /** How many bytes each byte counts for, so that small runs reach the bounds of large ones. */
  weight: number;
  isAlive: () => boolean;
}

export function createEnds({ handlers, watch, loses, weight, isAlive }: EndsDeps): Ends {
  const topics = new Map<string, Set<Socket>>();
  const open = new Set<Socket>();

  function leave(socket: Socket): void {
    open.delete(socket);
    for (const sockets of topics.values()) sockets.delete(socket);
  }

  function publish(topic: string, text: string, except?: Socket): void {
    for (const socket of topics.get(topic) ?? []) {
      if (socket !== except && !loses()) socket.send(text);
    }
  }

  return {
    publish: (topic, text) => publish(topic, text),
    subscriberCount: (topic) => topics.get(topic)?.size ?? 0,
    count: () => open.size,

    open(data, down) {
      const state = { readyState: WebSocket.OPEN as number };

      function end(code: number): void {
        if (state.readyState !== WebSocket.OPEN) return;
        state.readyState = WebSocket.CLOSED;
        leave(socket);
        void handlers().close?.(socket, code, "");
      }

      function send(text: string): number {
        if (state.readyState !== WebSocket.OPEN || !isAlive()) return 0;
        const { backpressureLimit = Infinity, closeOnBackpressureLimit = false } = handlers();
        if (down.buffered() * weight > backpressureLimit) {
          if (closeOnBackpressureLimit) {
            down.push({ kind: "close", code: 1006 });
            end(1006);
          }
          return 0;
        }
        watch(socket, text);
        down.push({ kind: "frame", text });
        return text.length;
      }

      const socket = {
        data,
        get readyState() {
          return state.readyState;
        },
        send,
        cork: (task: () => void) => task(),
        getBufferedAmount: () => down.buffered() * weight,
        subscribe: (topic: string) => void topics.set(topic, (topics.get(topic) ?? new Set()).add(socket)),
        unsubscribe: (topic: string) => void topics.get(topic)?.delete(socket),
        get subscriptions() {
          return [...topics].flatMap(([topic, sockets]) => (sockets.has(socket) ? [topic] : []));
        },
        isSubscribed: (topic: string) => topics.get(topic)?.has(socket) ?? false,
        publish: (topic: string, text: string) => publish(topic, text, socket),
        close(code = 1000) {
          if (state.readyState !== WebSocket.OPEN) return;
          down.push({ kind: "close", code });
          end(code);
        },
      } as unknown as Socket;

      open.add(socket);
      void handlers().open?.(socket);
      const whenOpen = (task: () => void) => isAlive() && state.readyState === WebSocket.OPEN && task();
      return {
        socket,
        received: (text) => void whenOpen(() => void handlers().message?.(socket, text)),
        drained: () => void whenOpen(() => void handlers().drain?.(socket)),
        lost: (code) => void whenOpen(() => end(code)),
      };
    },
  };
}
