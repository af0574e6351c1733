/** Posting, editing and removing by form: with scripts off, with htmx, or when there is no socket. */
import { Elysia } from "elysia";
import type { Access, Actor, Reader } from "../chat/access.ts";
import type { Members } from "../chat/members.ts";
import type { Draft, Messages } from "../chat/messages.ts";
import type { KeyMaker } from "../chat/ports.ts";
import { Refused } from "../chat/refusal.ts";
import type { StaffActs } from "../chat/staff.ts";
import { clientKey, messageId, type MessageId } from "../shared/ids.ts";
import { catalogs } from "../shared/locale/locale.ts";
import type { AccountForms } from "./account-forms.tsx";
import { readFields } from "./body.ts";
import { submitted, visitorPlugin, type Edge } from "./edge.ts";
import { preferencesOf } from "./preferences.ts";
import { toHttp } from "./refusals.ts";
import { seeOther, type Extras } from "./respond.ts";
import type { createRoomPages } from "./rooms.tsx";
import { attempt, wordsFor } from "./words.ts";

export interface MessageForms {
  edge: Edge;
  forms: AccountForms;
  acts: Pick<StaffActs, "submitRemoval">;
  access: Access;
  members: Members;
  messages: Messages;
  keys: KeyMaker;
  pages: ReturnType<typeof createRoomPages>;
  messageMaxLength: number;
}

export function messageRoutes({
  edge,
  forms,
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

  /** Where its author finds it now: in the room, or among older ones by its own link. */
  async function placeOf(reader: Reader, id: MessageId): Promise<string> {
    const newest = await messages.latest(reader);
    const room = `/rooms/${reader.room.slug}`;
    return newest.messages.some((message) => message.id === id) ? `${room}#m${id}` : `${room}/messages/${id}`;
  }

  /** The page comes back with what was typed, and why it was not taken. */
  function reasonOf(refused: Refused, request: Request): { error: string; extras: Extras } {
    const { status, headers } = toHttp(refused);
    const { locale } = preferencesOf(request);
    const error = wordsFor(refused, { locale, t: catalogs[locale] }, messageMaxLength);
    return { error, extras: { status, headers } };
  }

  const app = new Elysia().use(visitorPlugin(edge)).post(
    "/rooms/:slug/messages/:id/remove",
    async ({ request, server, visitor, params: { id } }) => {
      await submitted(edge, { request, server, visitor });
      const removed = messageId(id);
      if (!removed) throw new Refused("not_found");
      const address = edge.origins.address(request, server);
      const { stored } = await acts.submitRemoval(visitor.actor, address, removed);
      const { room } = await stored;
      return seeOther(`/rooms/${room.slug}`);
    },
    { parse: "none" },
  );
  app.post(
    "/rooms/:slug/messages/:id/edit",
    async ({ request, server, visitor, params: { slug, id: place } }) => {
      const fields = await readFields(request);
      if (!visitor.staleCookie) edge.demandCsrf(request, server, visitor, fields);
      const askToLogIn = () => forms.askToLogIn(request, visitor, `/rooms/${slug}/messages/${place}`, fields);
      if (!visitor.signedIn) return askToLogIn();
      const id = messageId(place);
      if (!id) throw new Refused("not_found");
      const reader = await access.reader(visitor.actor, slug);
      // Only what stands in this room.
      await messages.row(reader, id);
      const text = fields.get("text") ?? "";
      const { refused } = await attempt(messages.edit(visitor.actor, id, withPlainBreaks(text)));
      if (!refused) return seeOther(await placeOf(reader, id));
      if (refused.code === "login_required") return askToLogIn();
      if (refused.code === "not_found" || refused.code === "forbidden") throw refused;
      const { error, extras } = reasonOf(refused, request);
      return pages.permalink(request, visitor, slug, place, { text, error }, extras);
    },
    { parse: "none" },
  );
  return app.post(
    "/rooms/:slug/messages",
    async ({ request, server, visitor, params: { slug } }) => {
      const fields = await readFields(request);
      // The session ended since the page was drawn: its token says nothing any more, but the writer may log in again.
      if (!visitor.staleCookie) edge.demandCsrf(request, server, visitor, fields);
      const askToLogIn = () => forms.askToLogIn(request, visitor, `/rooms/${slug}`, fields);
      if (!visitor.signedIn) return askToLogIn();
      const text = fields.get("text") ?? "";
      const key = clientKey(fields.get("key")) ?? keys.clientKey();
      const draft = { key, text: withPlainBreaks(text) };
      const { refused } = await attempt(send(visitor.actor, slug, draft));
      if (!refused) return seeOther(`/rooms/${slug}`);
      if (refused.code === "login_required") return askToLogIn();
      if (refused.code === "not_found") throw refused;
      const { error, extras } = reasonOf(refused, request);
      const messageKey = refused.code === "key_reused" ? keys.clientKey() : key;
      const reader = await access.reader(visitor.actor, slug);
      return pages.answer(request, visitor, reader, { text, error, messageKey }, extras);
    },
    { parse: "none" },
  );
}

/** As they are typed: forms carry each as two characters. */
function withPlainBreaks(text: string): string {
  return text.replaceAll("\r\n", "\n");
}
