/** Who is behind a request: established once, at the edge, from the session cookie alone. */
import type { LastSeen } from "../accounts/last-seen.ts";
import type { SignedIn, Sessions } from "../accounts/sessions.ts";
import { rankOf } from "../accounts/standing.ts";
import type { Actor, SignedInActor } from "../chat/access.ts";
import { readCookie, sessionCookieName } from "./cookies.ts";
import type { Origins, Peer } from "./origin.ts";
import type { Tokens } from "./tokens.ts";

export interface Visitor {
  actor: Actor;
  signedIn: SignedIn | null;
  /** A session cookie came along that opens nothing; it should be cleared. */
  staleCookie: boolean;
  /** Scheme and host under which the client sees us: what absolute addresses in answers begin with. */
  origin: string;
  /** The client uses TLS. */
  secure: boolean;
}

export type Identify = (request: Request, peer: Peer) => Promise<Visitor>;

const GUEST: Actor = { kind: "guest" };

export function createIdentify(deps: {
  lastSeen: LastSeen;
  sessions: Sessions;
  tokens: Tokens;
  origins: Origins;
}): Identify {
  const { lastSeen, sessions, tokens, origins } = deps;
  return async (request, peer) => {
    const own = origins.own(request, peer);
    const secure = own.startsWith("https:");
    const token = readCookie(request, sessionCookieName(secure));
    const id = token ? await tokens.read(token) : null;
    const signedIn = id ? await sessions.current(id) : null;
    if (signedIn) lastSeen.seen(signedIn.account.id);
    const actor = signedIn ? actorOf(signedIn) : GUEST;
    const origin = origins.base(request, own);
    return { actor, signedIn, staleCookie: token !== null && !signedIn, origin, secure };
  };
}

/** The same browser once its session is over. */
export function asGuest(visitor: Visitor): Visitor {
  return { ...visitor, actor: GUEST, signedIn: null, staleCookie: true };
}

export function actorOf({ account, session }: SignedIn): SignedInActor {
  return { kind: "member", id: account.id, name: account.name, session: session.id, rank: rankOf(account) };
}
