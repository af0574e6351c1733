/** `/ws/chat/<slug>/` as existing clients know it: no numbers, no acknowledgement, over the same hub. */
import type { Sessions } from "../accounts/sessions.ts";
import type { Access } from "../chat/access.ts";
import type { Messages } from "../chat/messages.ts";
import type { Clock, KeyMaker } from "../chat/ports.ts";
import { Refused } from "../chat/refusal.ts";
import type { RoomId } from "../shared/ids.ts";
import { avatarUrl } from "../shared/media.ts";
import {
  CLOSE_REMOVED,
  CLOSE_SESSION_OVER,
  parseObject,
  type MessageView,
  type RefusalCode,
} from "../shared/protocol.ts";
import { codePoints, strip } from "../shared/text.ts";
import { isoMicroseconds } from "../shared/time.ts";
import type { Hub } from "./hub.ts";
import type { Entry, Protocol, Socket } from "./socket.ts";
import { createTally, type Tally } from "./tally.ts";

/** The close code for a socket on which nothing was said or heard for too long. */
const CLOSE_IDLE = 4001;

export interface EchoChatDeps {
  access: Access;
  clock: Clock;
  hub: Hub;
  keys: KeyMaker;
  messages: Messages;
  sessions: Sessions;
  messageMaxLength: number;
  /** Seconds; 0 means never. */
  idleTimeout: number;
  onRefused: (code: RefusalCode) => void;
  onError: (error: unknown, socket: Socket) => void;
}

export interface EchoChat extends Protocol {
  /** Ends the watch for idle sockets. */
  stop(): void;
}

export function createEchoChat(deps: EchoChatDeps): EchoChat {
  const { access, clock, hub, keys, messages, sessions, messageMaxLength, idleTimeout } = deps;
  const { onRefused, onError } = deps;
  const open = new Map<Socket, RoomId>();
  /** How many sockets see us under each origin in each room: avatar URLs, and so frames, differ by origin. */
  const audiences = new Map<RoomId, Tally>();
  const broadcastAt = new Map<RoomId, number>();

  // These clients know neither edits nor deletions.
  hub.onChanges(({ id, slug }, fresh) => {
    for (const origin of audiences.get(id)?.kinds() ?? []) {
      for (const message of fresh) hub.publish(topicOf(id, origin), frameOf(message, slug, origin));
    }
    broadcastAt.set(id, clock.now());
  });

  function count(room: RoomId, origin: string, change: 1 | -1): void {
    const audience = audiences.get(room) ?? createTally();
    audience.add(origin, change);
    audiences.set(room, audience);
  }

  function closeIdle(): void {
    for (const [socket, room] of open) {
      const lastAt = Math.max(socket.data.heardAt, broadcastAt.get(room) ?? 0);
      if (clock.now() - lastAt >= idleTimeout * 1000) socket.close(CLOSE_IDLE, "idle");
    }
  }
  const everySeconds = Math.min(Math.max(idleTimeout, 10), 60);
  const watch = idleTimeout > 0 ? setInterval(closeIdle, everySeconds * 1000) : null;

  async function post(socket: Socket, text: string): Promise<void> {
    const { actor, slug } = socket.data;
    if (actor.kind === "guest") return;
    if (!(await sessions.current(actor.session))) return socket.close(CLOSE_SESSION_OVER, "session over");
    try {
      const member = await access.member(actor, slug);
      const { stored } = await messages.submit(member, { key: keys.clientKey(), text });
      stored.catch((error: unknown) => refuse(socket, error));
    } catch (error) {
      refuse(socket, error);
    }
  }

  function refuse(socket: Socket, error: unknown): void {
    const known = error instanceof Refused ? error : new Refused("unavailable");
    const { code, retryAfterSeconds } = known;
    const wait = retryAfterSeconds !== null && { retry_after: retryAfterSeconds };
    socket.send(JSON.stringify({ error: code, ...wait }));
    onRefused(code);
    if (known !== error) onError(error, socket);
  }

  function listen(socket: Socket, room: Entry["room"]): void {
    const { origin } = socket.data;
    open.set(socket, room.id);
    count(room.id, origin, 1);
    hub.attend(socket, room, room.head, {
      topic: topicOf(room.id, origin),
      tell: (fresh) => fresh.forEach((message) => socket.send(frameOf(message, room.slug, origin))),
    });
  }

  /** Without a wait for whoever was let in at the handshake, unless somebody has lost a room since: it may have been them. */
  async function enter(socket: Socket): Promise<void> {
    const { actor, slug, entry } = socket.data;
    socket.data.entry = null;
    if (entry?.removals === hub.removals()) return listen(socket, entry.room);
    const removals = hub.removals();
    try {
      const { room } = await access.reader(actor, slug);
      if (socket.readyState !== WebSocket.OPEN) return;
      if (hub.removals() !== removals) return await enter(socket);
      listen(socket, room);
    } catch (refused) {
      // Left, or put out, since the handshake.
      if (!(refused instanceof Refused)) throw refused;
      socket.close(CLOSE_REMOVED, "removed");
    }
  }

  return {
    opened: enter,

    async received(socket, text) {
      const message = parseObject(text)?.["message"];
      if (typeof message !== "string" || strip(message) === "") return;
      if (codePoints(strip(message)) <= messageMaxLength) return post(socket, message);
      socket.send(JSON.stringify({ error: "message_too_long" }));
      onRefused("too_long");
    },

    closed(socket) {
      const room = open.get(socket);
      if (room === undefined) return;
      open.delete(socket);
      count(room, socket.data.origin, -1);
    },

    stop: () => void (watch && clearInterval(watch)),
  };
}

function frameOf(message: MessageView, slug: string, origin: string): string {
  const { id, seq, author, avatar, text, createdAt } = message;
  const known = { message: text, username: author, profile_pic: avatarUrl(avatar, origin), room: slug };
  return JSON.stringify({ ...known, id, seq, createdAt: isoMicroseconds(createdAt) });
}

function topicOf(room: RoomId, origin: string): string {
  return `echochat:${room}:${origin}`;
}
