/** Posting by form: with scripts off, with htmx, or when there is no socket. */
import { Elysia } from "elysia";
import type { Access, Actor } from "../chat/access.ts";
import type { Members } from "../chat/members.ts";
import type { Draft, Messages } from "../chat/messages.ts";
import type { KeyMaker } from "../chat/ports.ts";
import { Refused } from "../chat/refusal.ts";
import type { StaffActs } from "../chat/staff.ts";
import { clientKey, messageId, type MessageId } from "../shared/ids.ts";
import { catalogs } from "../shared/locale/locale.ts";
import { withNext } from "../../views/components/links.ts";
import { readFields } from "./body.ts";
import { submitted, visitorPlugin, type Edge } from "./edge.ts";
import type { Visitor } from "./identify.ts";
import type { Peer } from "./origin.ts";
import { preferencesOf } from "./preferences.ts";
import { toHttp } from "./refusals.ts";
import { leadTo, seeOther } from "./respond.ts";
import type { createRoomPages } from "./rooms.tsx";
import type { StaffArea } from "./staff-area.ts";
import { attempt, wordsFor } from "./words.ts";

export interface MessageForms {
  edge: Edge;
  staffArea: StaffArea;
  acts: Pick<StaffActs, "removeMessage">;
  access: Access;
  members: Members;
  messages: Messages;
  keys: KeyMaker;
  pages: ReturnType<typeof createRoomPages>;
  messageMaxLength: number;
}

export function messageRoutes({
  edge,
  staffArea,
  acts,
  access,
  members,
  messages,
  keys,
  pages,
  messageMaxLength,
}: MessageForms) {
  async function send(actor: Actor, slug: string, draft: Draft): Promise<void> {
    const member = await access.member(actor, slug);
    const { message } = await messages.post(member, draft);
    // Whoever writes has the page before them.
    await members.markRead(member, member.author, message.seq);
  }

  /** What staff remove is in the log; what people remove in rooms of their own is not. */
  async function removeAs(request: Request, peer: Peer, visitor: Visitor, id: MessageId): Promise<string> {
    if (visitor.actor.kind === "guest" || visitor.actor.rank === "user")
      return (await messages.remove(visitor.actor, id)).room.slug;
    return staffArea(request, peer, visitor, (staff) => acts.removeMessage(staff, id));
  }

  const app = new Elysia().use(visitorPlugin(edge)).post(
    "/rooms/:slug/messages/:id/remove",
    async ({ request, server, visitor, params: { id } }) => {
      await submitted(edge, { request, server, visitor });
      const removed = messageId(id);
      if (!removed) throw new Refused("not_found");
      const slug = await removeAs(request, server, visitor, removed);
      return seeOther(`/rooms/${slug}`);
    },
    { parse: "none" },
  );
  return app.post(
    "/rooms/:slug/messages",
    async ({ request, server, visitor, params: { slug } }) => {
      const fields = await readFields(request);
      // The session ended since the page was drawn: its token says nothing any more, but the writer may log in again.
      if (!visitor.staleCookie) edge.demandCsrf(request, server, visitor, fields);
      if (!visitor.signedIn) return leadTo(withNext("/login", `/rooms/${slug}`), request);
      const text = fields.get("text") ?? "";
      const key = clientKey(fields.get("key")) ?? keys.clientKey();
      const draft = { key, text: text.replaceAll("\r\n", "\n") };
      const { refused } = await attempt(send(visitor.actor, slug, draft));
      if (!refused) return seeOther(`/rooms/${slug}`);
      if (refused.code === "not_found") throw refused;
      // The page comes back with what was typed, and why it was not sent.
      const { status, headers } = toHttp(refused);
      const { locale } = preferencesOf(request);
      const error = wordsFor(refused, { locale, t: catalogs[locale] }, messageMaxLength);
      const messageKey = refused.code === "key_reused" ? keys.clientKey() : key;
      const reader = await access.reader(visitor.actor, slug);
      return pages.answer(request, visitor, reader, { text, error, messageKey }, { status, headers });
    },
    { parse: "none" },
  );
}
