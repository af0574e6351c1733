/** `/ws/presence/` as existing clients know it: who is here, told on every coming and going. */
import type { Sessions } from "../accounts/sessions.ts";
import type { Clock, Presence, Present, Stay } from "../chat/ports.ts";
import { avatarUrl } from "../shared/media.ts";
import { CLOSE_GOING_AWAY, CLOSE_NORMAL, CLOSE_SESSION_OVER, parseObject } from "../shared/protocol.ts";
import { calmly } from "./calmly.ts";
import type { Hub } from "./hub.ts";
import type { Protocol, Socket } from "./socket.ts";
import { createTally } from "./tally.ts";
import { whose } from "./whose.ts";

/** The close code for a client that has said nothing for too long. */
const CLOSE_IDLE = 4000;

/** However many come and go at once, the others are told ten times a second. Milliseconds. */
export const TELL_INTERVAL = 100;

/** Neither pings nor the search for silent clients happen more often. Seconds. */
const WATCH_MIN = 5;

const PING = JSON.stringify({ type: "ping" });

/** Guests are told only how many they are, so all of them hear the same. */
const GUESTS = "presence:guests";

export interface PresenceSocketsDeps {
  clock: Clock;
  hub: Hub;
  presence: Presence;
  sessions: Sessions;
  /** Seconds. */
  heartbeat: number;
  /** Seconds; 0 means never. */
  idleTimeout: number;
}

export interface PresenceSockets extends Protocol {
  /** Ends the pings and the watch for silent clients. */
  stop(): void;
}

export function createPresenceSockets(deps: PresenceSocketsDeps): PresenceSockets {
  const { clock, hub, presence, sessions, heartbeat, idleTimeout } = deps;
  const stays = new Map<Socket, Stay>();
  /** How many sockets of members see us under each origin: avatar URLs, and so frames, differ by origin. */
  const audiences = createTally();

  const telling = calmly(() => {
    const present = presence.present();
    hub.publish(GUESTS, guestFrame(present));
    for (const origin of audiences.kinds()) hub.publish(topicOf(origin), memberFrame(present, origin));
  }, TELL_INTERVAL);
  presence.onMove(telling.run);

  /** The others are told before the newcomer listens with them: it gets its own first frame. */
  function enter(socket: Socket, stay: Stay): void {
    const { actor, origin } = socket.data;
    stays.set(socket, stay);
    if (actor.kind === "guest") {
      socket.send(guestFrame(presence.present()));
      socket.subscribe(GUESTS);
    } else {
      socket.send(memberFrame(presence.present(), origin));
      socket.subscribe(topicOf(origin));
      audiences.add(origin, 1);
    }
  }

  function pingAll(): void {
    for (const topic of [GUESTS, ...audiences.kinds().map(topicOf)]) hub.publish(topic, PING);
  }

  function closeSilent(): void {
    for (const socket of stays.keys()) {
      if (clock.now() - socket.data.heardAt >= idleTimeout * 1000) socket.close(CLOSE_IDLE, "idle");
    }
  }

  const pings = setInterval(pingAll, Math.max(WATCH_MIN, heartbeat) * 1000);
  const watchSeconds = Math.max(WATCH_MIN, Math.min(heartbeat, idleTimeout));
  const watch = idleTimeout > 0 ? setInterval(closeSilent, watchSeconds * 1000) : null;

  return {
    async opened(socket) {
      const who = await whose(socket, sessions);
      if (!who) return socket.close(CLOSE_SESSION_OVER, "session over");
      if (socket.readyState === WebSocket.OPEN) enter(socket, presence.join(who, "pinging"));
    },

    async received(socket, text) {
      if (parseObject(text)?.["type"] === "ping") stays.get(socket)?.touch();
    },

    closed(socket, code) {
      const stay = stays.get(socket);
      if (!stay) return;
      stays.delete(socket);
      if (socket.data.actor.kind === "member") audiences.add(socket.data.origin, -1);
      stay.leave(code === CLOSE_NORMAL || code === CLOSE_GOING_AWAY);
    },

    stop() {
      clearInterval(pings);
      if (watch) clearInterval(watch);
      telling.stop();
    },
  };
}

function guestFrame({ guests }: Present): string {
  return JSON.stringify({ guests });
}

function memberFrame({ online, guests }: Present, origin: string): string {
  const users = online.map(({ name, avatar }) => ({
    username: name,
    profileImage: avatarUrl(avatar, origin),
  }));
  return JSON.stringify({ online: users, guests });
}

function topicOf(origin: string): string {
  return `presence:members:${origin}`;
}
