/** Fan-out: each change is serialised once for each kind of reader and published natively, never sent in a loop. */
import type { Bus, BusEvent } from "../chat/ports.ts";
import type { RoomId, SessionId, UserId } from "../shared/ids.ts";
import {
  CLOSE_REMOVED,
  CLOSE_SESSION_OVER,
  type Changes,
  type RemovedReason,
  type ServerFrame,
} from "../shared/protocol.ts";
import type { Socket } from "./socket.ts";

export interface Publisher {
  publish(topic: string, frame: string, compress: boolean): void;
  subscriberCount(topic: string): number;
}

export interface Hub {
  /** Must be called before the first change. */
  attach(publisher: Publisher): void;
  add(socket: Socket): void;
  remove(socket: Socket): void;
  /** Rises whenever somebody loses a room: whoever was let in before it rose has to be let in again. */
  removals(): number;
  /**
   * Changes that are published from now on reach this socket, if it holds all that were published before, and nobody
   * lost a room since it was let in: false when it has to ask and read again.
   */
  follow(socket: Socket, room: RoomId, rev: number, removals: number): boolean;
  /** New messages of a room are announced to this socket, without what they say. */
  hearNews(socket: Socket, room: RoomId): void;
  /** Further kinds of reader, told of every change. */
  onChanges(listener: (room: RoomId, changes: Changes) => void): void;
  publish(topic: string, frame: string): void;
  /** Those whose sockets are open, each once. */
  sessions(): SessionId[];
  closeAll(code: number, reason: string): void;
}

export function createHub(bus: Bus): Hub {
  const sockets = new Set<Socket>();
  const bySession = new Map<SessionId, Set<Socket>>();
  /** The last number published in each room since this process started. */
  const published = new Map<RoomId, number>();
  const listeners: ((room: RoomId, changes: Changes) => void)[] = [];
  let removals = 0;
  let publisher: Publisher | null = null;

  const publish = (topic: string, frame: string) => publisher?.publish(topic, frame, false);

  bus.subscribe((event) => {
    switch (event.type) {
      case "messages.changed":
        return spread(event);
      case "sessions.ended":
        return event.sessions.forEach(closeSession);
      case "membership.ended":
        return shut(byUser(event.userId), event, "membership");
      case "room.removed":
        return shut(sockets, event, "room");
      case "account.changed":
      case "accounts.reread":
    }
  });

  function spread({
    roomId,
    room,
    from,
    to,
    changes,
  }: Extract<BusEvent, { type: "messages.changed" }>): void {
    const frame: ServerFrame = { type: "changes", room, from, to, changes };
    published.set(roomId, to);
    publish(topicOf(roomId), JSON.stringify(frame));
    if (publisher?.subscriberCount(newsOf(roomId))) announce(roomId, frame);
    for (const listener of listeners) listener(roomId, frame);
  }

  function announce(roomId: RoomId, { room, from, changes }: Changes): void {
    for (const { seq, author, deletedAt } of changes) {
      const news: ServerFrame = { type: "news", room, author };
      if (seq > from && !deletedAt) publish(newsOf(roomId), JSON.stringify(news));
    }
  }

  /** From here on nothing of the room reaches these sockets, neither live nor by what they are just reading. */
  function shut(
    from: Iterable<Socket>,
    { roomId, room }: { roomId: RoomId; room: string },
    reason: RemovedReason,
  ): void {
    removals++;
    const frame: ServerFrame = { type: "removed", room, reason };
    for (const socket of from) {
      if (socket.data.slug === room) socket.close(CLOSE_REMOVED, "removed");
      socket.unsubscribe(newsOf(roomId));
      if (!socket.isSubscribed(topicOf(roomId))) continue;
      socket.unsubscribe(topicOf(roomId));
      socket.send(JSON.stringify(frame));
    }
  }

  function byUser(id: UserId): Socket[] {
    return [...sockets].filter(({ data: { actor } }) => actor.kind === "member" && actor.id === id);
  }

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

    removals: () => removals,
    hearNews: (socket, room) => void socket.subscribe(newsOf(room)),

    follow(socket, room, rev, asOf) {
      if ((published.get(room) ?? 0) > rev || asOf !== removals) return false;
      socket.subscribe(topicOf(room));
      return true;
    },

    sessions: () => [...bySession.keys()],

    closeAll(code, reason) {
      for (const socket of sockets) socket.close(code, reason);
    },
  };
}

function topicOf(room: RoomId): string {
  return `room:${room}`;
}

function newsOf(room: RoomId): string {
  return `news:${room}`;
}
