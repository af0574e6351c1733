/** One socket, whichever protocol it speaks. */
import type { ServerWebSocket } from "bun";
import type { Actor } from "../chat/access.ts";

export type Socket = ServerWebSocket<SocketData>;

export interface SocketData {
  protocol: Protocol;
  actor: Actor;
  /** Scheme and host under which this client sees us. */
  origin: string;
  /** Guests are counted by it. */
  address: string;
  /** The room of the path, for the protocol that has one room a socket. */
  slug: string;
  /** What this socket asked for is done one after the other, so that one sender's messages keep their order. */
  work: Promise<void>;
  /** When a text frame last came in. Milliseconds since 1970. */
  heardAt: number;
}

export interface Protocol {
  opened(socket: Socket): void | Promise<void>;
  received(socket: Socket, text: string): Promise<void>;
  closed?(socket: Socket, code: number): void;
}
