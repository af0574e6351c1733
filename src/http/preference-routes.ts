/** Changing language or theme: a cookie of the reader's own, so a request from our own page is proof enough. */
import { Elysia } from "elysia";
import { isLocale } from "../shared/locale/locale.ts";
import { readFields } from "./body.ts";
import { preferenceCookie } from "./cookies.ts";
import type { Edge } from "./edge.ts";
import { localPath } from "./local-path.ts";
import { isTheme } from "./preferences.ts";
import { seeOther } from "./respond.ts";

export function preferenceRoutes(edge: Edge) {
  return new Elysia().post(
    "/preferences",
    async ({ request, server }) => {
      edge.demandOwnPage(request, server);
      const fields = await readFields(request);
      const secure = edge.origins.own(request, server).startsWith("https:");
      const locale = fields.get("locale");
      const theme = fields.get("theme");
      const cookies: string[] = [];
      if (isLocale(locale)) cookies.push(preferenceCookie("locale", locale, secure));
      if (isTheme(theme)) cookies.push(preferenceCookie("theme", theme, secure));
      return seeOther(localPath(fields.get("next")), { cookies });
    },
    { parse: "none" },
  );
}
