/** `/api/chat/`: rooms and history as existing clients know them, and writing for programs. See docs/api.md. */
import { Elysia } from "elysia";
import type { Access, Actor } from "../../chat/access.ts";
import type { Messages } from "../../chat/messages.ts";
import type { KeyMaker } from "../../chat/ports.ts";
import { Refused } from "../../chat/refusal.ts";
import type { Rooms } from "../../chat/rooms.ts";
import type { StaffActs } from "../../chat/staff.ts";
import { clientKey, messageId, type ClientKey, type MessageId } from "../../shared/ids.ts";
import type { MessageView } from "../../shared/protocol.ts";
import { avatarUrl } from "../../shared/media.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { isoMicroseconds } from "../../shared/time.ts";
import { readFields, type Fields } from "../body.ts";
import { visitorPlugin, type Edge } from "../edge.ts";
import type { Visitor } from "../identify.ts";
import type { Peer } from "../origin.ts";
import { HttpRefusal } from "../refusals.ts";
import { empty, json, VARY_API } from "../respond.ts";
import { pathPart } from "../staff-area.ts";
import { attempt } from "../words.ts";
import { LOGIN_REQUIRED } from "./texts.ts";
import { demandCsrf } from "./unsafe.ts";

export interface ChatApi {
  edge: Edge;
  access: Access;
  acts: Pick<StaffActs, "submitRemoval">;
  keys: KeyMaker;
  messages: Messages;
  rooms: Rooms;
  pageSize: number;
  pageSizeMax: number;
}

/** Asks to write in a room; the body is not yet read, so that the CSRF check comes first. */
interface Writing {
  request: Request;
  server: Peer;
  visitor: Visitor;
  params: { slug: string };
}

const ROOMS = "/api/chat/rooms/";
const MESSAGES = `${ROOMS}:slug/messages/` as const;
const UNREAD_BODY = { parse: "none" } as const;

export function chatApi({ edge, access, acts, keys, messages, rooms, pageSize, pageSizeMax }: ChatApi) {
  /** The slug first, then the login; what is said of the room itself comes after. */
  function demandSlug(slug: string, actor: Actor): void {
    if (!rooms.isSlug(slug)) throw new HttpRefusal(400, "Invalid room slug");
    if (slug !== PUBLIC_ROOM && actor.kind === "guest") throw new HttpRefusal(401, LOGIN_REQUIRED);
  }

  async function details(actor: Actor, slug: string): Promise<Response> {
    const { room, created } =
      slug === PUBLIC_ROOM
        ? { ...(await access.reader(actor, slug)), created: false }
        : await rooms.claim(actor, slug);
    return json({ slug, name: room.name, created, createdBy: await rooms.creator({ room }) });
  }

  async function history(visitor: Visitor, slug: string, query: URLSearchParams): Promise<Response> {
    const limit = Math.min(wholeNumber(query, "limit") ?? pageSize, pageSizeMax);
    const before = wholeNumber(query, "before");
    const page = await pageOf(visitor.actor, slug, { before, limit });
    const hasMore = page.previousAt !== null;
    const nextBefore = hasMore ? (page.messages[0]?.id ?? null) : null;
    return json({
      messages: page.messages.map((message) => messageView(message, visitor.origin)),
      pagination: { limit, hasMore, nextBefore },
    });
  }

  /** Existing clients ask for a room and its messages at once: of one that is only just being made there are none. */
  async function pageOf(actor: Actor, slug: string, options: { before?: number | undefined; limit: number }) {
    const { done: reader } = await attempt(access.reader(actor, slug));
    if (reader) return messages.page(reader, options);
    // It may have been made between the two looks.
    return (await rooms.exists(slug)) ? messages.page(await access.reader(actor, slug), options) : NOTHING;
  }

  /** The token, then the room, then whatever the body says. */
  async function post(call: Writing): Promise<Response> {
    const { request, visitor } = call;
    const form = await demandWriting(call);
    const member = await access.member(visitor.actor, call.params.slug);
    const fields = form ?? (await readFields(request));
    const draft = { key: keyIn(fields) ?? keys.clientKey(), text: fields.get("content") ?? "" };
    const { message, repeat } = await messages.post(member, draft);
    return json(messageView(message, visitor.origin), { status: repeat ? 200 : 201 });
  }

  async function edit(call: Writing & { params: { id: string } }): Promise<Response> {
    const { request, visitor, params } = call;
    const form = await demandWriting(call);
    await access.member(visitor.actor, params.slug);
    const id = await placed(visitor.actor, params);
    const fields = form ?? (await readFields(request));
    const { message } = await messages.edit(visitor.actor, id, fields.get("content") ?? "");
    return json(messageView(message, visitor.origin));
  }

  async function remove(call: Writing & { params: { id: string } }): Promise<Response> {
    const { request, server, visitor, params } = call;
    await demandWriting(call);
    const id = await placed(visitor.actor, params);
    const address = edge.origins.address(request, server);
    const { stored } = await acts.submitRemoval(visitor.actor, address, id);
    await stored;
    return empty(204, { headers: { vary: VARY_API } });
  }

  async function demandWriting({ request, server, visitor, params }: Writing): Promise<Fields | undefined> {
    const form = await demandCsrf(edge, request, server, visitor);
    demandSlug(pathPart(params.slug), visitor.actor);
    if (visitor.actor.kind === "guest") throw new HttpRefusal(401, LOGIN_REQUIRED);
    return form;
  }

  /** Refuses `not_found` for what does not stand in this room. */
  async function placed(actor: Actor, { slug, id }: { slug: string; id: string }): Promise<MessageId> {
    const place = messageId(pathPart(id));
    if (!place) throw new Refused("not_found");
    await messages.row(await access.reader(actor, slug), place);
    return place;
  }

  return new Elysia()
    .use(visitorPlugin(edge))
    .post(MESSAGES, async (call) => post(call), UNREAD_BODY)
    .patch(`${MESSAGES}:id/`, async (call) => edit(call), UNREAD_BODY)
    .delete(`${MESSAGES}:id/`, async (call) => remove(call), UNREAD_BODY)
    .get("/api/chat/public-room/", async ({ visitor }) => {
      const { room } = await access.reader(visitor.actor, PUBLIC_ROOM);
      return json({ slug: room.slug, name: room.name });
    })
    .get(`${ROOMS}*`, async ({ request, visitor }) => {
      const url = new URL(request.url);
      const path = url.pathname.slice(ROOMS.length);
      if (path === "") throw new HttpRefusal(404, "Not found");
      const { slug, wantsMessages } = parseRoomPath(path);
      demandSlug(slug, visitor.actor);
      return wantsMessages ? history(visitor, slug, url.searchParams) : details(visitor.actor, slug);
    });
}

const NOTHING = { messages: [], previousAt: null };

/** `<slug>/` or `<slug>/messages/`; whatever else there is makes a slug that no rule allows. */
function parseRoomPath(path: string): { slug: string; wantsMessages: boolean } {
  const match = /^(.+)\/messages\/?$/s.exec(path);
  const encoded = match?.[1] ?? path.replace(/\/$/, "");
  try {
    return { slug: decodeURIComponent(encoded), wantsMessages: match !== null };
  } catch {
    return { slug: "", wantsMessages: false }; // a stray percent sign
  }
}

/** A positive whole number in the notations that Python's `int()` reads, of which clients may use any. */
function wholeNumber(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.getAll(name).at(-1);
  if (text === undefined) return undefined;
  if (!/^\s*[+-]?\d+(_\d+)*\s*$/.test(text))
    throw new HttpRefusal(400, `Invalid '${name}': must be an integer`);
  const value = Number(text.replaceAll("_", ""));
  if (value < 1) throw new HttpRefusal(400, `Invalid '${name}': must be >= 1`);
  // No id is that large; the store's integers have 64 bits.
  if (name === "before" && value > Number.MAX_SAFE_INTEGER)
    throw new HttpRefusal(400, `Invalid '${name}': too large`);
  return value;
}

/** Null when there is none. A wrong one is refused: whoever sends a key counts on it. */
function keyIn(fields: Fields): ClientKey | null {
  const text = fields.get("key");
  if (text === undefined) return null;
  const key = clientKey(text);
  if (!key) throw new HttpRefusal(400, "Invalid 'key': must be 8 to 64 characters of A-Z a-z 0-9 _ -");
  return key;
}

/** `editedAt` is there for whoever looks for it: messages that were never edited look as they always did. */
function messageView(message: MessageView, origin: string) {
  const { id, seq, author, avatar, text, createdAt, editedAt } = message;
  return {
    id,
    username: author,
    content: text,
    profilePic: avatarUrl(avatar, origin),
    createdAt: isoMicroseconds(createdAt),
    seq,
    ...(editedAt && { editedAt: isoMicroseconds(editedAt) }),
  };
}
