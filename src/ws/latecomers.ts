/**
 * Whoever was let into a room at a number that has not been told here yet, as when another node has written it. Where no
 * numbers are known it would come twice, so they hear nothing up to theirs, and what lies above it by themselves.
 */
import type { RoomId } from "../shared/ids.ts";
import type { MessageView } from "../shared/protocol.ts";
import type { Socket } from "./socket.ts";

/** How messages reach a socket that knows no numbers: with everybody's of its kind by a topic, or by itself. */
export interface Way {
  topic: string;
  tell(fresh: readonly MessageView[]): void;
}

export interface Latecomers {
  /** Takes the place of an earlier wait of this socket in this room. `rev`: the number at which it was let in. */
  wait(socket: Socket, room: RoomId, rev: number, way: Way): void;
  /** What has just been told in the room, up to and including `to`; whoever has waited for that number waits no more. */
  told(room: RoomId, to: number, fresh: readonly MessageView[]): void;
  /** The socket is gone, or has lost this room. */
  forget(socket: Socket, room?: RoomId): void;
}

export function createLatecomers(): Latecomers {
  const waiting = new Map<RoomId, Map<Socket, Way & { rev: number }>>();

  function forget(socket: Socket, room: RoomId): void {
    const here = waiting.get(room);
    here?.delete(socket);
    if (here?.size === 0) waiting.delete(room);
  }

  return {
    wait(socket, room, rev, way) {
      const here = waiting.get(room) ?? new Map<Socket, Way & { rev: number }>();
      waiting.set(room, here.set(socket, { ...way, rev }));
    },

    told(room, to, fresh) {
      for (const [socket, { rev, topic, tell }] of waiting.get(room) ?? []) {
        const unheard = fresh.filter(({ seq }) => seq > rev);
        if (unheard.length > 0) tell(unheard);
        if (to < rev) continue;
        socket.subscribe(topic);
        forget(socket, room);
      }
    },

    forget(socket, room) {
      if (room !== undefined) return forget(socket, room);
      for (const each of waiting.keys()) forget(socket, each);
    },
  };
}
