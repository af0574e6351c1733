/**
 * Handshakes. Everything is checked before the upgrade, so that a refusal is an HTTP answer. The upgrade goes straight
 * to Bun and its handlers; see docs/decisions/sockets-without-the-framework.md.
 */
import { Elysia } from "elysia";
import type { Server } from "bun";
import type { Sessions } from "../accounts/sessions.ts";
import type { Access } from "../chat/access.ts";
import type { Clock, RateLimit, Room } from "../chat/ports.ts";
import { Refused } from "../chat/refusal.ts";
import type { Rooms } from "../chat/rooms.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import type { Identify } from "../http/identify.ts";
import { network, type Origins } from "../http/origin.ts";
import { empty } from "../http/respond.ts";
import { addressOf, personOf, type Hub } from "./hub.ts";
import type { Protocol, SocketData } from "./socket.ts";

export interface SocketRoutes {
  access: Pick<Access, "reader">;
  clock: Clock;
  echochat: Protocol;
  gateway: Protocol;
  identify: Identify;
  origins: Origins;
  presence: Protocol;
  rooms: Rooms;
  sessions: Pick<Sessions, "changes" | "current">;
  hub: Pick<Hub, "count" | "removals">;
  /** Counts the handshakes from one network. */
  rate: RateLimit;
  caps: SocketCaps;
  /** The program is about to stop. */
  isStopping: () => boolean;
}

/** Sockets that may be open at a time: all, those of one person, and those from one address. */
export interface SocketCaps {
  all: number;
  person: number;
  address: number;
}

type Upgrader = Pick<Server<SocketData>, "upgrade" | "requestIP"> | null;

const CHAT = "/ws/chat/";

/** Nobody knows when a place is free. */
const FULL_RETRY_SECONDS = 30;

export function socketRoutes(deps: SocketRoutes) {
  const {
    access,
    clock,
    echochat,
    gateway,
    identify,
    origins,
    presence,
    rooms,
    sessions,
    rate,
    hub,
    caps,
    isStopping,
  } = deps;

  async function upgrade(request: Request, server: Upgrader, protocol: Protocol, slug: string) {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return empty(426);
    if (!origins.maySocket(request, server)) return empty(403);
    if (isStopping()) return empty(503, { headers: { "retry-after": "1" } });
    const address = origins.address(request, server);
    const allowance = await rate.take(network(address));
    if (!allowance.allowed) return tooMany(allowance.retryAfterSeconds);
    return admit(request, server, { protocol, slug, address });
  }

  async function admit(
    request: Request,
    server: Upgrader,
    asked: Pick<SocketData, "protocol" | "slug" | "address">,
  ): Promise<Response | undefined> {
    let changes = sessions.changes();
    const { actor, origin, signedIn } = await identify(request, server);
    const removals = hub.removals();
    const room = asked.slug === "" ? null : await enter(asked.slug, actor);
    if (room instanceof Response) return room;
    // A session that ends while its socket is not open yet has none that would be closed. From here to the upgrade nobody waits.
    while (actor.kind === "member" && changes !== sessions.changes()) {
      changes = sessions.changes();
      if (!(await sessions.current(actor.session))) return admit(request, server, asked);
    }
    const entry = room && { room, removals };
    const sessionEndsAt = signedIn?.session.expiresAt ?? Infinity;
    const fresh = {
      work: Promise.resolve(),
      queued: 0,
      looksUnheard: 0,
      drained: null,
      heardAt: clock.now(),
    };
    const data: SocketData = { ...asked, actor, origin, entry, sessionEndsAt, ...fresh };
    if (isFull(data)) return tooMany(FULL_RETRY_SECONDS);
    // Bun would choose the first subprotocol that is offered; here there is none to choose.
    request.headers.delete("sec-websocket-protocol");
    return server?.upgrade(request, { data }) ? undefined : empty(400);
  }

  function isFull(data: SocketData): boolean {
    const person = personOf(data);
    if (person !== null && hub.count(person) >= caps.person) return true;
    return hub.count() >= caps.all || hub.count(addressOf(data)) >= caps.address;
  }

  async function enter(slug: string, actor: SocketData["actor"]): Promise<Room | Response> {
    if (slug === PUBLIC_ROOM) return (await access.reader(actor, slug)).room;
    if (actor.kind === "guest" || !rooms.isSlug(slug)) return empty(403);
    try {
      // Existing clients open the socket of a room that they are only just making.
      return (await rooms.claim(actor, slug)).room;
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      const { retryAfterSeconds } = refused;
      return retryAfterSeconds === null ? empty(403) : tooMany(retryAfterSeconds);
    }
  }

  return new Elysia()
    .get("/ws/", async ({ request, server }) => upgrade(request, server, gateway, ""))
    .get("/ws/presence/", async ({ request, server }) => upgrade(request, server, presence, ""))
    .get(`${CHAT}*`, async ({ request, server }) => {
      const slug = new URL(request.url).pathname.slice(CHAT.length).replace(/\/$/, "");
      return upgrade(request, server, echochat, slug || "/");
    });
}

function tooMany(seconds: number): Response {
  return empty(429, { headers: { "retry-after": String(seconds) } });
}
