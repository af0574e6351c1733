/** Posting by form: with scripts off, with htmx, or when there is no socket. */
import { Elysia } from "elysia";
import type { Access } from "../chat/access.ts";
import type { Messages } from "../chat/messages.ts";
import type { KeyMaker } from "../chat/ports.ts";
import { Refused } from "../chat/refusal.ts";
import { clientKey } from "../shared/ids.ts";
import { fill, number } from "../shared/locale/format.ts";
import { catalogs } from "../shared/locale/locale.ts";
import { withNext } from "../../views/components/links.ts";
import { readFields } from "./body.ts";
import { visitorPlugin, type Edge } from "./edge.ts";
import { preferencesOf } from "./preferences.ts";
import { toHttp } from "./refusals.ts";
import { leadTo, seeOther } from "./respond.ts";
import type { createRoomPages } from "./rooms.tsx";

export interface MessageForms {
  edge: Edge;
  access: Access;
  messages: Messages;
  keys: KeyMaker;
  pages: ReturnType<typeof createRoomPages>;
  messageMaxLength: number;
}

export function messageRoutes({ edge, access, messages, keys, pages, messageMaxLength }: MessageForms) {
  return new Elysia().use(visitorPlugin(edge)).post(
    "/rooms/:slug/messages",
    async ({ request, server, visitor, params: { slug } }) => {
      const fields = await readFields(request);
      // The session ended since the page was drawn: its token says nothing any more, but the writer may log in again.
      if (!visitor.staleCookie) edge.demandCsrf(request, server, visitor, fields);
      if (!visitor.signedIn) return leadTo(withNext("/login", `/rooms/${slug}`), request);
      const text = fields.get("text") ?? "";
      const key = clientKey(fields.get("key")) ?? keys.clientKey();
      const member = await access.member(visitor.actor, slug);
      try {
        await messages.post(member, { key, text: text.replaceAll("\r\n", "\n") });
        return seeOther(`/rooms/${slug}`);
      } catch (refused) {
        if (!(refused instanceof Refused)) throw refused;
        // The page comes back with what was typed, and why it was not sent.
        const { status, headers } = toHttp(refused);
        const { locale } = preferencesOf(request);
        const n = number(locale, refused.retryAfterSeconds ?? messageMaxLength);
        const error = fill(catalogs[locale].refusals[refused.code], { n });
        const messageKey = refused.code === "key_reused" ? keys.clientKey() : key;
        const reader = await access.reader(visitor.actor, slug);
        return pages.answer(request, visitor, reader, { text, error, messageKey }, { status, headers });
      }
    },
    { parse: "none" },
  );
}
