/** What browsers ask before a page of another origin may use the API. Whether a request may act is the CSRF check's. */
import { empty, VARY_API } from "./respond.ts";

export interface Cors {
  /** For every answer below /api/, whatever its status; none for a request that names no origin. */
  headers(request: Request): Record<string, string>;
  preflight(request: Request): Response;
}

export interface CorsOptions {
  /** Origins whose pages may read answers. */
  origins: ReadonlySet<string>;
  /** Whether those pages act with the cookies of their reader. */
  credentials: boolean;
}

const PERMISSIONS = {
  "access-control-allow-headers":
    "accept, accept-encoding, authorization, content-type, dnt, origin, user-agent, x-csrftoken, x-requested-with",
  "access-control-allow-methods": "DELETE, GET, OPTIONS, PATCH, POST, PUT",
  "access-control-max-age": "86400",
};

export function isPreflight(request: Request): boolean {
  return request.method === "OPTIONS" && request.headers.has("access-control-request-method");
}

export function createCors({ origins, credentials }: CorsOptions): Cors {
  const allowed = (request: Request) => {
    const origin = request.headers.get("origin");
    return origin !== null && origins.has(origin) ? origin : null;
  };

  return {
    headers(request) {
      if (!request.headers.has("origin")) return {};
      const origin = allowed(request);
      return {
        ...(credentials && { "access-control-allow-credentials": "true" }),
        ...(origin !== null && { "access-control-allow-origin": origin }),
      };
    },

    preflight: (request) =>
      empty(200, { headers: { vary: VARY_API, ...(allowed(request) !== null && PERMISSIONS) } }),
  };
}
