/** One socket, whichever protocol it speaks. */
import type { ServerWebSocket } from "bun";
import type { Actor } from "../chat/access.ts";
import type { Room } from "../chat/ports.ts";

export type Socket = ServerWebSocket<SocketData>;

export interface Entry {
  room: Pick<Room, "id" | "slug" | "head">;
  /** The count of removals before it was let in. */
  removals: number;
}

export interface SocketData {
  protocol: Protocol;
  actor: Actor;
  /** Scheme and host under which this client sees us. */
  origin: string;
  /** Guests are counted by it. */
  address: string;
  /** The room of the path, for the protocol that has one room a socket. */
  slug: string;
  /** What it was let into at the handshake: it hears all that is written from the moment it is open. */
  entry: Entry | null;
  /** When its session ends by itself, as it was known at the handshake; for guests never. Milliseconds since 1970. */
  sessionEndsAt: number;
  /** What this socket asked for is done one after the other, so that one sender's messages keep their order. */
  work: Promise<void>;
  /** What the frames that wait for their turn take. Characters. */
  queued: number;
  /** Lets somebody go on who has waited for this socket to take what was sent to it. */
  drained: (() => void) | null;
  /** When a text frame last came in. Milliseconds since 1970. */
  heardAt: number;
  /** How often it has been looked at since anything has come from it. */
  looksUnheard: number;
}

export interface Protocol {
  /** Speaks of numbers, acknowledgements and farewells: the native protocol. */
  numbered?: boolean;
  opened(socket: Socket): void | Promise<void>;
  received(socket: Socket, text: string): Promise<void>;
  closed?(socket: Socket, code: number): void;
}

/** Resolves when the client has taken most of what was sent to it, or is gone: what is sent next does not pile up here. */
export function roomFor(socket: Socket): Promise<void> | undefined {
  if (hasRoom(socket)) return undefined;
  return new Promise((resolve) => (socket.data.drained = resolve));
}

export function hasRoom(socket: Socket): boolean {
  return socket.getBufferedAmount() < SENT_AHEAD;
}

/** Far below the bound at which a slow reader is closed. Bytes. */
const SENT_AHEAD = 128 * 1024;
