/** By what the log, the answer and a proxy in front name one request. */
import type { Origins, Peer } from "./origin.ts";

export const REQUEST_ID = "x-request-id";

/** Nothing that a log or a header would have to escape. */
const PLAIN = /^[\w.:-]{1,64}$/;

/** The name that a trusted proxy has given it, else a new one. */
export function requestId(request: Request, peer: Peer, origins: Pick<Origins, "isForwarded">): string {
  const given = request.headers.get(REQUEST_ID);
  return given !== null && PLAIN.test(given) && origins.isForwarded(request, peer)
    ? given
    : crypto.randomUUID();
}
