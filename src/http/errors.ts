/** Whatever was thrown becomes an answer: JSON below /api/, a page elsewhere, and never the insides of an error. */
import type { AnyElysia } from "elysia";
import { Refused } from "../chat/refusal.ts";
import type { Edge } from "./edge.ts";
import type { Visitor } from "./identify.ts";
import { HttpRefusal, toHttp } from "./refusals.ts";
import { noticePage, type ShellOf } from "./render.tsx";
import { REQUEST_ID, requestId } from "./request-id.ts";
import { empty, json, VARY_API } from "./respond.ts";
import type { Peer } from "./origin.ts";

export type OnError = (context: {
  request: Request;
  server: Peer;
  error: unknown;
  code: unknown;
  /** The pattern that the path fits; undefined where none does. */
  route: string | undefined;
  /** Null where it is not known who asks. */
  visitor: Visitor | null;
}) => Promise<Response>;

const UNAVAILABLE = toHttp(new Refused("unavailable"));
const MISTAKE = { status: 500, message: "Internal server error", headers: {} };

const UNSAFE = new Set(["POST", "PUT", "PATCH", "DELETE"]);

export function createErrorHandler(deps: {
  edge: Edge;
  shellOf: ShellOf;
  onFault: (what: string, error: unknown, about: Record<string, unknown>) => void;
  /** Whether this is the database's word that it cannot do it just now. */
  isUnavailable: (error: unknown) => boolean;
  routes: () => AnyElysia["routes"];
}): OnError {
  const { edge, shellOf, onFault, isUnavailable, routes } = deps;

  return async (failed) => {
    const id = requestId(failed.request, failed.server, edge.origins);
    const answer = await answerTo(failed, id);
    answer.headers.set(REQUEST_ID, id);
    return answer;
  };

  async function answerTo(failed: Parameters<OnError>[0], id: string): Promise<Response> {
    const { request, server, error, code } = failed;
    const { pathname } = new URL(request.url);
    const isApi = pathname.startsWith("/api/");
    const refusal = code === "NOT_FOUND" ? await noRoute(request, server, pathname) : known(error);
    if (!refusal) onFault("request failed", error, aboutOf(failed, id));

    const { status, message, headers } = refusal ?? (isUnavailable(error) ? UNAVAILABLE : MISTAKE);
    if (isApi && status === 405) {
      const shape = { "content-type": "text/html; charset=utf-8", vary: VARY_API };
      return empty(status, { headers: { ...headers, ...shape } });
    }
    if (isApi) return json({ error: message }, { status, headers });
    // A page for whoever is signed in; if that very look-up failed, for a guest.
    const visitor = refusal ? await edge.identify(request, server) : null;
    return noticePage(request, shellOf(request, visitor), status, { headers }, refusal?.code);
  }

  /** No route for this method: 405 if there is one for another, after the CSRF check that every unsafe request meets. */
  async function noRoute(request: Request, server: Peer, pathname: string): Promise<HttpRefusal> {
    const methods = methodsFor(routes(), pathname);
    const notFound = new HttpRefusal(404, "Not found");
    if (methods.length === 0) return notFound;
    try {
      if (UNSAFE.has(request.method)) edge.demandCsrf(request, server, await edge.identify(request, server));
    } catch (refused) {
      return known(refused) ?? notFound;
    }
    return new HttpRefusal(405, "Method not allowed", { allow: methods.join(", ") });
  }
}

/** Never the path itself: there are links that only those may know who were given them. */
function aboutOf({ request: { method }, route, visitor }: Parameters<OnError>[0], id: string) {
  const actor = visitor?.actor;
  return { requestId: id, method, route, ...(actor?.kind === "member" && { userId: actor.id }) };
}

function known(error: unknown): HttpRefusal | null {
  if (error instanceof HttpRefusal) return error;
  return error instanceof Refused ? toHttp(error) : null;
}

/** The methods declared for a path, in alphabetical order. */
export function methodsFor(routes: AnyElysia["routes"], pathname: string): string[] {
  const path = withSlash(pathname);
  const methods = routes.filter((route) => patternOf(route.path).test(path)).map((route) => route.method);
  return [...new Set(methods)].toSorted();
}

const patterns = new Map<string, RegExp>();

function patternOf(route: string): RegExp {
  const kept = patterns.get(route);
  if (kept) return kept;
  const parts = withSlash(route.replace(/\*$/, "")).split("/");
  const source = parts.map((part) => (part.startsWith(":") ? "[^/]+" : RegExp.escape(part))).join("/");
  const pattern = new RegExp(`^${source}${route.endsWith("*") ? ".+" : ""}$`);
  patterns.set(route, pattern);
  return pattern;
}

function withSlash(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}
