/** The three kinds of socket over one hub, and the timers that go with them. */
import type { Bus, MemberStore, Nodes } from "../chat/ports.ts";
import type { Config } from "../config.ts";
import type { Doors } from "../metrics/doors.ts";
import type { startBeacon } from "../ws/beacon.ts";
import { createEchoChat } from "../ws/echochat.ts";
import { watchExpiry } from "../ws/expiry.ts";
import { createGateway } from "../ws/gateway.ts";
import type { socketHandlers } from "../ws/handlers.ts";
import type { Hub } from "../ws/hub.ts";
import { createPagePresence } from "../ws/page-presence.ts";
import { startPings } from "../ws/pings.ts";
import { createPresenceSockets } from "../ws/presence.ts";
import { recheck } from "../ws/recheck.ts";
import type { Socket } from "../ws/socket.ts";
import { createTyping } from "../ws/typing.ts";
import { createUnread } from "../ws/unread.ts";
import { clock, type Domain } from "./domain.ts";

export type Sockets = ReturnType<typeof createSockets>;

export interface SocketsDeps {
  config: Config;
  domain: Domain;
  members: Pick<MemberStore, "ofRoom">;
  bus: Bus;
  nodes: Nodes | null;
  hub: Hub;
  doors: Doors;
  onFault: (what: string, error: unknown, about?: Record<string, unknown>) => void;
  socketHandlers: typeof socketHandlers;
  startBeacon: typeof startBeacon;
}

export function createSockets({
  config,
  domain,
  members,
  bus,
  nodes,
  hub,
  doors,
  onFault,
  socketHandlers: handlersOf,
  startBeacon: beaconOf,
}: SocketsDeps) {
  const { access, feed, presence, sessions } = domain;
  const { messageMaxLength, socketIdleTimeout: idleTimeout } = config;
  const onError = (error: unknown, socket?: Socket) => onFault("socket failed", error, aboutOf(socket));
  const rechecked = { bus, clock, hub, sessions, members };
  const stopRecheck = recheck({ ...rechecked, onError: (error) => onFault("recheck failed", error) });
  const stopBeacon = beaconOf({ hub, feed, onError });
  const stopPings = startPings(hub);
  const stopExpiry = watchExpiry(presence, clock);
  const pagePresence = createPagePresence({ hub, presence, sessions });
  const presenceSockets = createPresenceSockets({ clock, hub, presence, sessions, ...config.presence });
  const echochat = createEchoChat({
    ...domain,
    messages: doors.acknowledging("original", domain.messages),
    clock,
    hub,
    messageMaxLength,
    idleTimeout,
    onRefused: (code) => doors.refused("original", code),
    onError,
  });

  return {
    hub,
    echochat,
    gateway: createGateway({
      ...domain,
      messages: doors.acknowledging("socket", domain.messages),
      acts: doors.acknowledging("socket", domain.acts),
      hub,
      presence: pagePresence,
      unread: createUnread({ hub, rooms: domain.rooms }),
      typing: createTyping({ access, clock, hub, nodes }),
      onRefused: (code) => doors.refused("socket", code),
      onError,
    }),
    presence: presenceSockets,
    /** Whose pages are open now. */
    pagesOpenFor: pagePresence.members,
    handlers: handlersOf(hub, clock.now, onError),
    /** Only when all sockets are closed: they have left then, and whoever leaves is told of. */
    stop() {
      echochat.stop();
      presenceSockets.stop();
      pagePresence.stop();
      stopExpiry();
      stopPings();
      stopRecheck();
      stopBeacon();
    },
  };
}

/** Whose socket it is, for the log. */
function aboutOf(socket: Socket | undefined): Record<string, unknown> {
  const actor = socket?.data.actor;
  return actor?.kind === "member" ? { userId: actor.id } : {};
}
