/** The three kinds of socket over one hub, and the timers that go with them. */
import type { Bus } from "../chat/ports.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import { createEchoChat } from "../ws/echochat.ts";
import { watchExpiry } from "../ws/expiry.ts";
import { createGateway } from "../ws/gateway.ts";
import { socketHandlers } from "../ws/handlers.ts";
import { createHub } from "../ws/hub.ts";
import { createPagePresence } from "../ws/page-presence.ts";
import { createPresenceSockets } from "../ws/presence.ts";
import { recheckSessions } from "../ws/recheck.ts";
import { createUnread } from "../ws/unread.ts";
import { clock, type Domain } from "./domain.ts";

export type Sockets = ReturnType<typeof createSockets>;

export function createSockets(config: Config, domain: Domain, bus: Bus, log: Log) {
  const { presence, sessions } = domain;
  const { messageMaxLength, socketIdleTimeout: idleTimeout } = config;
  const hub = createHub(bus);
  recheckSessions({ bus, hub, sessions, onError: (error) => log.error("recheck failed", { error }) });
  const stopExpiry = watchExpiry(presence, clock);
  const pagePresence = createPagePresence({ hub, presence, sessions });
  const presenceSockets = createPresenceSockets({ clock, hub, presence, sessions, ...config.presence });
  const echochat = createEchoChat({ ...domain, clock, hub, messageMaxLength, idleTimeout });

  return {
    hub,
    echochat,
    gateway: createGateway({
      ...domain,
      hub,
      presence: pagePresence,
      unread: createUnread({ hub, rooms: domain.rooms }),
    }),
    presence: presenceSockets,
    /** Whose pages are open now. */
    pagesOpenFor: pagePresence.members,
    handlers: socketHandlers(hub, clock.now, (error) => log.error("socket failed", { error })),
    /** Only when all sockets are closed: they have left then, and whoever leaves is told of. */
    stop() {
      echochat.stop();
      presenceSockets.stop();
      pagePresence.stop();
      stopExpiry();
    },
  };
}
