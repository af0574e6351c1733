/** Fan-out: each change is serialised once for each kind of reader and published natively, never sent in a loop. */
import { network } from "../http/origin.ts";
import type { Bus, BusEvent, RoomPlace } from "../chat/ports.ts";
import type { RoomId, SessionId, UserId } from "../shared/ids.ts";
import {
  CLOSE_REMOVED,
  CLOSE_SESSION_OVER,
  type MessageView,
  type RemovedReason,
  type ServerFrame,
} from "../shared/protocol.ts";
import { createLatecomers, type Way } from "./latecomers.ts";
import type { Socket, SocketData } from "./socket.ts";
import { createTally } from "./tally.ts";

export interface Publisher {
  publish(topic: string, frame: string, compress: boolean): void;
  subscriberCount(topic: string): number;
}

export interface Hub {
  /** Must be called before the first change. */
  attach(publisher: Publisher): void;
  add(socket: Socket): void;
  remove(socket: Socket): void;
  /** How many sockets are open: all, or those of a person or address. */
  count(whose?: string): number;
  /** Rises whenever somebody loses a room: whoever was let in before it rose has to be let in again. */
  removals(): number;
  /**
   * Changes that are published from now on reach this socket, if it holds all that were published before, and nobody
   * lost a room since it was let in: false when it has to ask and read again.
   */
  follow(socket: Socket, room: RoomPlace, rev: number, removals: number): boolean;
  /** Nothing of the room reaches this socket any more: whoever it belongs to was not let in again. */
  drop(socket: Socket, room: string): void;
  /** To every member who follows the room but this socket; false, and nothing, when it does not follow it itself. */
  tellOthers(socket: Socket, room: RoomId, frame: ServerFrame): boolean;
  /** The rooms that somebody follows. */
  followed(): RoomPlace[];
  /**
   * What is written in the room from now on reaches this socket, through whichever node it comes, by another way than
   * following. `rev`: its head when they were let in.
   */
  attend(socket: Socket, room: RoomPlace, rev: number, way: Way): void;
  /** The rooms of which anybody hears anything. */
  served(): RoomPlace[];
  /** The members whose sockets hear anything of each of these rooms. */
  hearers(rooms: readonly RoomPlace[]): Map<RoomPlace, Set<UserId>>;
  /** To everyone who follows the room. */
  tell(room: RoomId, frame: ServerFrame): void;
  /**
   * New messages after `head` are announced to this socket from now on, without what they say. False when some were announced
   * before: then what was counted up to there is not the whole.
   */
  hearNews(socket: Socket, room: RoomPlace, head: number): boolean;
  /** Further kinds of reader, told of every change. `fresh`: the messages that were not there before, in their order. */
  onChanges(listener: (room: RoomPlace, fresh: readonly MessageView[]) => void): void;
  publish(topic: string, frame: string): void;
  /** Those whose sockets are open, each once. */
  sessions(): SessionId[];
  /** Every socket that is open now. */
  sockets(): readonly Socket[];
}

export function createHub(bus: Bus): Hub {
  const sockets = new Set<Socket>();
  const bySession = new Map<SessionId, Set<Socket>>();
  /** The last number published in each room since this process started. */
  const published = new Map<RoomId, number>();
  const served = new Map<RoomId, RoomPlace>();
  const latecomers = createLatecomers();
  /** The sockets of each person, and those from each address. */
  const owners = createTally();
  const listeners: ((room: RoomPlace, fresh: readonly MessageView[]) => void)[] = [];
  let removals = 0;
  let publisher: Publisher | null = null;

  const publish = (topic: string, frame: string) => publisher?.publish(topic, frame, false);

  bus.subscribe((event) => {
    switch (event.type) {
      case "messages.changed":
        return spread(event);
      case "typing":
        return tellTyping(event);
      case "sessions.ended":
        return event.sessions.forEach(closeSession);
      case "membership.ended":
        return shut(byUser(event.userId), event, "membership");
      case "room.removed":
        return shut(sockets, event, "room");
      case "account.changed":
      case "accounts.reread":
      case "rights.unheard":
      case "rights.known":
      case "room.changed":
      case "room.unserved":
    }
  });

  function spread(event: Extract<BusEvent, { type: "messages.changed" }>): void {
    const { roomId: id, room, from, to, changes, fresh = changes.filter(isNew) } = event;
    const frame: ServerFrame = { type: "changes", room, from, to, changes };
    published.set(id, to);
    publish(topicOf(id), JSON.stringify(frame));
    if (publisher?.subscriberCount(newsOf(id)) && fresh.length > 0)
      publish(newsOf(id), newsFrame(room, fresh));
    for (const listener of listeners) listener({ id, slug: room }, fresh);
    latecomers.told(id, to, fresh);
  }

  function tellTyping({ roomId, room, name }: Extract<BusEvent, { type: "typing" }>): void {
    const frame: ServerFrame = { type: "typing", room, name };
    publish(membersOf(roomId), JSON.stringify(frame));
  }

  /** Answers with the number up to which the room has been told here: what follows it is still to come. */
  function serve(room: RoomPlace, rev: number): number {
    served.set(room.id, { id: room.id, slug: room.slug });
    return bus.serve(room, Math.max(rev, published.get(room.id) ?? 0));
  }

  function attend(socket: Socket, room: RoomPlace, rev: number, way: Way): number {
    socket.subscribe(attendedOf(room.id));
    const told = serve(room, rev);
    if (told < rev) {
      socket.unsubscribe(way.topic);
      latecomers.wait(socket, room.id, rev, way);
    } else {
      socket.subscribe(way.topic);
      latecomers.forget(socket, room.id);
    }
    return told;
  }

  function stillServed(): RoomPlace[] {
    for (const id of served.keys()) if (!waysOf(id).some(isHeard)) served.delete(id);
    return [...served.values()];
  }

  const isHeard = (topic: string) => (publisher?.subscriberCount(topic) ?? 0) > 0;

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
      if (silence(socket, roomId)) socket.send(JSON.stringify(frame));
    }
  }

  /** Answers whether the socket followed the room until now. */
  function silence(socket: Socket, room: RoomId): boolean {
    const follows = socket.isSubscribed(topicOf(room));
    for (const topic of [...waysOf(room), membersOf(room)]) socket.unsubscribe(topic);
    latecomers.forget(socket, room);
    return follows;
  }

  function byUser(id: UserId): Socket[] {
    return [...sockets].filter(({ data: { actor } }) => actor.kind === "member" && actor.id === id);
  }

  function closeSession(id: SessionId): void {
    for (const socket of bySession.get(id) ?? []) socket.close(CLOSE_SESSION_OVER, "session over");
  }

  function count(data: SocketData, change: 1 | -1): void {
    owners.add(addressOf(data), change);
    const person = personOf(data);
    if (person !== null) owners.add(person, change);
  }

  return {
    publish,
    tell: (room, frame) => publish(topicOf(room), JSON.stringify(frame)),
    count: (whose) => (whose === undefined ? sockets.size : owners.of(whose)),
    sockets: () => [...sockets],

    tellOthers(socket, room, frame) {
      const topic = membersOf(room);
      if (!socket.isSubscribed(topic)) return false;
      socket.publish(topic, JSON.stringify(frame), false);
      return true;
    },

    followed: () => stillServed().filter(({ id }) => isHeard(topicOf(id))),
    served: stillServed,

    hearers(rooms) {
      const byTopic = new Map(rooms.flatMap((room) => waysOf(room.id).map((topic) => [topic, room])));
      const found = new Map<RoomPlace, Set<UserId>>();
      for (const { subscriptions, data } of sockets) {
        if (data.actor.kind === "guest") continue;
        for (const topic of subscriptions) {
          const room = byTopic.get(topic);
          if (room) found.set(room, (found.get(room) ?? new Set()).add(data.actor.id));
        }
      }
      return found;
    },

    attend: (...given) => void attend(...given),

    attach: (to) => void (publisher = to),
    onChanges: (listener) => void listeners.push(listener),

    add(socket) {
      sockets.add(socket);
      count(socket.data, 1);
      const { actor } = socket.data;
      if (actor.kind === "guest") return;
      const siblings = bySession.get(actor.session) ?? new Set();
      bySession.set(actor.session, siblings.add(socket));
    },

    remove(socket) {
      sockets.delete(socket);
      latecomers.forget(socket);
      count(socket.data, -1);
      const { actor } = socket.data;
      if (actor.kind === "guest") return;
      const siblings = bySession.get(actor.session);
      siblings?.delete(socket);
      if (siblings?.size === 0) bySession.delete(actor.session);
    },

    removals: () => removals,

    hearNews(socket, room, head) {
      const tell = (fresh: readonly MessageView[]) => void socket.send(newsFrame(room.slug, fresh));
      return attend(socket, room, head, { topic: newsOf(room.id), tell }) <= head;
    },

    follow(socket, room, rev, asOf) {
      if (asOf !== removals || serve(room, rev) > rev) return false;
      socket.subscribe(topicOf(room.id));
      // Guests are told neither who is here nor who is writing.
      if (socket.data.actor.kind === "member") socket.subscribe(membersOf(room.id));
      return true;
    },

    drop(socket, room) {
      const ids = socket.subscriptions.map((topic) => Number(topic.split(":")[1]) as RoomId);
      const id = ids.find((each) => served.get(each)?.slug === room);
      if (id !== undefined) silence(socket, id);
    },

    sessions: () => [...bySession.keys()],
  };
}

/** A message that was not there before, as against a change of one that was. */
function isNew({ seq, rev }: MessageView): boolean {
  return seq === rev;
}

function newsFrame(room: string, fresh: readonly MessageView[]): string {
  const news: ServerFrame = { type: "news", room, authors: fresh.map(({ author }) => author) };
  return JSON.stringify(news);
}

/** What the sockets of a person, and those from an address, are counted under. */
export function personOf({ actor }: Pick<SocketData, "actor">): string | null {
  return actor.kind === "member" ? `user:${actor.id}` : null;
}

export function addressOf({ address }: Pick<SocketData, "address">): string {
  return `address:${network(address)}`;
}

function topicOf(room: RoomId): string {
  return `room:${room}`;
}

function membersOf(room: RoomId): string {
  return `members:${room}`;
}

/** Nothing is published to it: it only tells who is there. */
function attendedOf(room: RoomId): string {
  return `attended:${room}`;
}

function newsOf(room: RoomId): string {
  return `news:${room}`;
}

/** On which a socket hears of a room. */
function waysOf(room: RoomId): string[] {
  return [topicOf(room), newsOf(room), attendedOf(room)];
}
