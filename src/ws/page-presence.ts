/** Presence on our own pages: whoever has one open is here, and its gateway socket tells who else is. */
import type { Sessions } from "../accounts/sessions.ts";
import type { Presence, Stay } from "../chat/ports.ts";
import type { UserId } from "../shared/ids.ts";
import { CLOSE_NORMAL, CLOSE_SESSION_OVER, type ServerFrame } from "../shared/protocol.ts";
import { calmly } from "./calmly.ts";
import type { Hub } from "./hub.ts";
import { TELL_INTERVAL } from "./presence.ts";
import type { Socket } from "./socket.ts";
import { whose } from "./whose.ts";

export interface PagePresence {
  /** From now on the page is told, and whoever reads it is present. */
  show(socket: Socket): Promise<void>;
  /** Of a socket that is closed. */
  hide(socket: Socket, code: number): void;
  /** The members who have a page open, once for each socket. */
  members(): UserId[];
  stop(): void;
}

const MEMBERS = "page-presence:members";
const GUESTS = "page-presence:guests";

export function createPagePresence(deps: { hub: Hub; presence: Presence; sessions: Sessions }): PagePresence {
  const { hub, presence, sessions } = deps;
  const stays = new Map<Socket, Stay>();

  const telling = calmly(() => {
    for (const topic of [MEMBERS, GUESTS]) hub.publish(topic, frameFor(topic));
  }, TELL_INTERVAL);
  presence.onMove((changed) => void (changed && telling.run()));

  function frameFor(topic: string): string {
    const { online, guests } = presence.present();
    const frame: ServerFrame = { type: "presence", online: topic === MEMBERS ? online : null, guests };
    return JSON.stringify(frame);
  }

  return {
    async show(socket) {
      const topic = socket.data.actor.kind === "member" ? MEMBERS : GUESTS;
      if (!stays.has(socket)) {
        const who = await whose(socket, sessions);
        if (!who) return socket.close(CLOSE_SESSION_OVER, "session over");
        if (socket.readyState !== WebSocket.OPEN) return;
        stays.set(socket, presence.join(who, "held"));
      }
      socket.send(frameFor(topic));
      socket.subscribe(topic);
    },

    hide(socket, code) {
      // A browser "goes away" (1001) on every click that leads from page to page too, and is back in a moment.
      stays.get(socket)?.leave(code === CLOSE_NORMAL);
      stays.delete(socket);
    },

    members() {
      const actors = [...stays.keys()].map(({ data }) => data.actor);
      return actors.flatMap((actor) => (actor.kind === "member" ? [actor.id] : []));
    },

    stop: telling.stop,
  };
}
