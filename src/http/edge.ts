/** What the pages and the API share: identifying a request, refusing a forged one, signing in. */
import { Elysia } from "elysia";
import type { LastSeen } from "../accounts/last-seen.ts";
import type { SignedIn, Sessions } from "../accounts/sessions.ts";
import type { Account, Audit } from "../accounts/ports.ts";
import { csrfCookie, readCookie, sessionCookie } from "./cookies.ts";
import { CSRF_FIELD, CSRF_HEADER, isSecret, matches, secretText } from "./csrf.ts";
import { readFields, type Fields } from "./body.ts";
import type { Identify, Visitor } from "./identify.ts";
import type { Origins, Peer } from "./origin.ts";
import { HttpRefusal } from "./refusals.ts";
import type { Tokens } from "./tokens.ts";

export interface Edge {
  identify: Identify;
  /** Refuses 403 what another site's page sent, and what does not repeat the secret in its header or field. */
  demandCsrf(request: Request, peer: Peer, visitor: Visitor, fields?: Fields): void;
  /** Refuses 403 unless the browser says that a page of ours sent the request: enough where nothing is stored. */
  demandOwnPage(request: Request, peer: Peer): void;
  /** The secret of the visitor's session or, for guests, of their cookie; a new one when they have none. */
  csrfSecret(request: Request, visitor: Visitor): string;
  /** Opens a session; answers with the cookies that carry it. */
  signIn(
    account: Account,
    request: Request,
    peer: Peer,
    visitor: Visitor,
  ): Promise<{ signedIn: SignedIn; cookies: string[] }>;
  signOut(request: Request, peer: Peer, visitor: Visitor): Promise<void>;
  origins: Origins;
}

const FOREIGN = "CSRF check failed: the request does not come from a page of this site";

export function createEdge(deps: {
  identify: Identify;
  lastSeen: LastSeen;
  origins: Origins;
  sessions: Sessions;
  tokens: Tokens;
  audit: Audit;
}): Edge {
  const { identify, lastSeen, origins, sessions, tokens, audit } = deps;

  function knownSecret(request: Request, visitor: Visitor): string | null {
    if (visitor.signedIn) return visitor.signedIn.session.csrf;
    const cookie = readCookie(request, "csrftoken");
    return isSecret(cookie) ? cookie : null;
  }

  return {
    identify,
    origins,

    demandOwnPage(request, peer) {
      if (origins.sender(request, peer) !== "ours") throw new HttpRefusal(403, FOREIGN);
    },

    demandCsrf(request, peer, visitor, fields) {
      if (origins.sender(request, peer) === "foreign") throw new HttpRefusal(403, FOREIGN);
      const secret = knownSecret(request, visitor);
      const token = request.headers.get(CSRF_HEADER) ?? fields?.get(CSRF_FIELD);
      if (!secret || !matches(token, secret))
        throw new HttpRefusal(403, "CSRF check failed: token missing or wrong");
    },

    csrfSecret: (request, visitor) => knownSecret(request, visitor) ?? secretText(32),

    async signIn(account, request, peer, visitor) {
      const address = origins.address(request, peer);
      const agent = request.headers.get("user-agent") ?? "";
      const signedIn = await sessions.open(account, visitor.signedIn, { address, agent });
      const { id, csrf } = signedIn.session;
      const token = await tokens.sign(id);
      await audit.record("session.opened", { id: account.id, name: account.name, address });
      return { signedIn, cookies: [sessionCookie(token, visitor.secure), csrfCookie(csrf, visitor.secure)] };
    },

    async signOut(request, peer, { signedIn }) {
      if (!signedIn) return;
      const { account, session } = signedIn;
      await sessions.end(session.id);
      lastSeen.loggedOut(account.id);
      const address = origins.address(request, peer);
      await audit.record("session.closed", { id: account.id, name: account.name, address });
    },
  };
}

/** Gives handlers the `visitor` behind their request. */
export function visitorPlugin(edge: Edge) {
  return new Elysia({ name: "visitor" }).derive({ as: "scoped" }, async ({ request, server }) => ({
    visitor: await edge.identify(request, server),
  }));
}

/** The fields of a form of ours, once it has shown that it is one. */
export async function submitted(
  edge: Edge,
  sent: { request: Request; server: Peer; visitor: Visitor },
): Promise<Fields> {
  const fields = await readFields(sent.request);
  edge.demandCsrf(sent.request, sent.server, sent.visitor, fields);
  return fields;
}
