/** From a page's JSX to an answer. */
import type { VNode } from "preact";
import { renderToString } from "preact-render-to-string";
import type { SignedIn } from "../accounts/sessions.ts";
import { catalogs } from "../shared/locale/locale.ts";
import type { RefusalCode } from "../shared/protocol.ts";
import type { Shell } from "../../views/components/layout.tsx";
import { NoticePage, type NoticeStatus } from "../../views/pages/notice.tsx";
import type { Assets } from "./assets.ts";
import { mask } from "./csrf.ts";
import type { Visitor } from "./identify.ts";
import { preferencesOf } from "./preferences.ts";
import { html, type Extras } from "./respond.ts";

export type ShellOf = (request: Request, visitor: Visitor | null) => Shell;

export function createShell(assets: Pick<Assets, "js" | "css" | "moreCss">): ShellOf {
  return (request, visitor) => {
    const { locale, theme, zone } = preferencesOf(request);
    const { pathname, search } = new URL(request.url);
    const signedIn = visitor?.signedIn;
    return {
      locale,
      theme,
      zone,
      assets,
      t: catalogs[locale],
      path: request.method === "GET" ? pathname + search : "/",
      user: signedIn ? userOf(signedIn) : null,
    };
  };
}

function userOf({ account, session }: SignedIn): NonNullable<Shell["user"]> {
  const { id, name, avatar, isStaff, isSuperuser } = account;
  return { id, name, avatar, isStaff: isStaff || isSuperuser, csrf: mask(session.csrf) };
}

export function page(request: Request, content: VNode, extras?: Extras): Response {
  return html(request, pageText(content), extras);
}

export function pageText(content: VNode): string {
  return `<!doctype html>${renderToString(content)}`;
}

export function fragment(request: Request, content: VNode): Response {
  return html(request, renderToString(content));
}

/** htmx, which asked for a part of a page, shows the notice in the place of all content. */
const WHOLE_CONTENT = { "hx-retarget": "#content", "hx-reselect": "#content", "hx-reswap": "outerHTML" };

/** The page for a status, or for the nearest one that has words of its own. */
export function noticePage(
  request: Request,
  shell: Shell,
  status: number,
  extras?: Extras,
  code?: RefusalCode | null,
): Response {
  const worded = status in shell.t.errors ? (status as NoticeStatus) : status < 500 ? 422 : 500;
  const headers = { ...extras?.headers, ...(request.headers.has("hx-request") && WHOLE_CONTENT) };
  return page(request, <NoticePage shell={shell} status={worded} reason={code ?? null} />, {
    ...extras,
    status,
    headers,
  });
}
