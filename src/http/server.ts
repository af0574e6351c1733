/** What stands before and around all routes: common headers, the shape of API paths, files, errors. */
import { staticPlugin } from "@elysiajs/static";
import { Elysia } from "elysia";
import type { Assets } from "./assets.ts";
import { isPreflight, type Cors } from "./cors.ts";
import { methodsFor, type OnError } from "./errors.ts";
import type { Visitor } from "./identify.ts";
import type { Origins } from "./origin.ts";
import type { PageCache } from "./page-cache.ts";
import { HttpRefusal } from "./refusals.ts";
import { empty, encoded, SECURITY_HEADERS, STRICT_TRANSPORT_SECURITY, VARY_API } from "./respond.ts";

const IMMUTABLE = "public, max-age=31536000, immutable";

/** Nothing that is sent here is larger: a picture of 20 MiB, and the form around it. Bytes. */
const BODY_MAX = 21 * 1024 * 1024;

/** Path names longer than this are refused before anything reads them. */
const PATH_MAX = 2048;

export interface ServerDeps {
  assets: Assets;
  origins: Origins;
  onError: OnError;
  cors: Cors;
  publicFiles: string;
  cache: Pick<PageCache, "answer">;
}

/** Async, because the files are read before the first request. */
export async function createServer({ assets, origins, onError, cors, publicFiles, cache }: ServerDeps) {
  // Host names may be short, such as that of a box in the hall: without this its paths are misread.
  const app = new Elysia({ handler: { standardHostname: false } })
    .onError(async ({ request, server, error, code, ...found }) => {
      // Only in what failed after somebody was identified.
      const visitor = "visitor" in found ? (found.visitor as Visitor) : null;
      return onError({ request, server, error, code, route: found.route, visitor });
    })
    .onRequest(({ request, server, set }) => {
      const secure = origins.own(request, server).startsWith("https:");
      const known = cache.answer(request, secure);
      if (known) return known;
      if (!origins.isServed(request)) return empty(400);
      if (secure) {
        set.headers["strict-transport-security"] = STRICT_TRANSPORT_SECURITY;
      }
      const { pathname, search } = new URL(request.url);
      if (pathname.startsWith("/api/")) {
        Object.assign(set.headers, cors.headers(request));
        if (isPreflight(request)) return cors.preflight(request);
      }
      if (Number(request.headers.get("content-length")) > BODY_MAX)
        throw new HttpRefusal(413, "Request body too large");
      if (pathname.length > PATH_MAX) throw new HttpRefusal(414, "Path too long");
      if (pathname.startsWith("/api/")) return apiShape(request, pathname, search);
    })
    .get("/assets/*", ({ request }) => {
      const asset = assets.at(new URL(request.url).pathname);
      if (!asset) throw new HttpRefusal(404, "Not found");
      const headers = { "content-type": asset.type, "cache-control": IMMUTABLE, vary: "Accept-Encoding" };
      return encoded(request, asset.body, headers)();
    })
    .use(
      await staticPlugin({
        assets: publicFiles,
        prefix: "/",
        alwaysStatic: true,
        indexHTML: false,
        ignorePatterns: [/styles/, /\/\./],
        // Its own validators are not valid ones; a day in the browser's cache is enough for files this small.
        etag: false,
        headers: { ...SECURITY_HEADERS, "cache-control": "public, max-age=86400" },
      }),
    );

  /** API paths end in a slash, and have no HEAD. */
  function apiShape(request: Request, pathname: string, search: string): Response | undefined {
    if (request.method !== "HEAD" && (request.method !== "GET" || pathname.endsWith("/"))) return undefined;
    const methods = methodsFor(app.routes, pathname);
    if (methods.length === 0) return undefined;
    if (request.method === "HEAD") throw new HttpRefusal(405, "", { allow: methods.join(", ") });
    if (!methods.includes("GET")) return undefined;
    const location = `${pathname}/${search}`;
    return empty(301, { headers: { location, vary: VARY_API } });
  }

  return app;
}
