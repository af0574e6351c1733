/** Fan-out: each change is serialised once for each kind of reader and published natively, never sent in a loop. */
import type { Bus } from "../chat/ports.ts";
import type { RoomId, SessionId } from "../shared/ids.ts";
import { CLOSE_SESSION_OVER, type Changes, type ServerFrame } from "../shared/protocol.ts";
import type { Socket } from "./socket.ts";

export interface Publisher {
  publish(topic: string, frame: string, compress: boolean): void;
}

export interface Hub {
  /** Must be called before the first change. */
  attach(publisher: Publisher): void;
  add(socket: Socket): void;
  remove(socket: Socket): void;
  /**
   * Changes that are published from now on reach this socket, if it holds all that were published before: false when
   * it does not, and has to read again.
   */
  follow(socket: Socket, room: RoomId, rev: number): boolean;
  /** Further kinds of reader, told of every change. */
  onChanges(listener: (room: RoomId, changes: Changes) => void): void;
  publish(topic: string, frame: string): void;
  closeAll(code: number, reason: string): void;
}

export function createHub(bus: Bus): Hub {
  const sockets = new Set<Socket>();
  const bySession = new Map<SessionId, Set<Socket>>();
  /** The last number published in each room since this process started. */
  const published = new Map<RoomId, number>();
  const listeners: ((room: RoomId, changes: Changes) => void)[] = [];
  let publisher: Publisher | null = null;

  const publish = (topic: string, frame: string) => publisher?.publish(topic, frame, false);

  bus.subscribe((event) => {
    if (event.type === "sessions.ended") {
      for (const id of event.sessions) closeSession(id as SessionId);
      return;
    }
    const { roomId, room, from, to, changes } = event;
    const frame: ServerFrame = { type: "changes", room, from, to, changes };
    published.set(roomId, to);
    publish(topicOf(roomId), JSON.stringify(frame));
    for (const listener of listeners) listener(roomId, frame);
  });

  function closeSession(id: SessionId): void {
    for (const socket of bySession.get(id) ?? []) socket.close(CLOSE_SESSION_OVER, "session over");
  }

  return {
    publish,
    attach: (to) => void (publisher = to),
    onChanges: (listener) => void listeners.push(listener),

    add(socket) {
      sockets.add(socket);
      const { actor } = socket.data;
      if (actor.kind === "guest") return;
      const siblings = bySession.get(actor.session) ?? new Set();
      bySession.set(actor.session, siblings.add(socket));
    },

    remove(socket) {
      sockets.delete(socket);
      const { actor } = socket.data;
      if (actor.kind === "guest") return;
      const siblings = bySession.get(actor.session);
      siblings?.delete(socket);
      if (siblings?.size === 0) bySession.delete(actor.session);
    },

    follow(socket, room, rev) {
      if ((published.get(room) ?? 0) > rev) return false;
      socket.subscribe(topicOf(room));
      return true;
    },

    closeAll(code, reason) {
      for (const socket of sockets) socket.close(code, reason);
    },
  };
}

function topicOf(room: RoomId): string {
  return `room:${room}`;
}
