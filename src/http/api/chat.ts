/** `/api/chat/`: rooms and history as existing clients know them. */
import { Elysia } from "elysia";
import type { Access, Actor } from "../../chat/access.ts";
import type { Messages } from "../../chat/messages.ts";
import type { Rooms } from "../../chat/rooms.ts";
import type { MessageView } from "../../shared/protocol.ts";
import { avatarUrl } from "../../shared/media.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { isoMicroseconds } from "../../shared/time.ts";
import { visitorPlugin, type Edge } from "../edge.ts";
import type { Visitor } from "../identify.ts";
import { HttpRefusal } from "../refusals.ts";
import { json } from "../respond.ts";
import { attempt } from "../words.ts";
import { LOGIN_REQUIRED } from "./texts.ts";

export interface ChatApi {
  edge: Edge;
  access: Access;
  messages: Messages;
  rooms: Rooms;
  pageSize: number;
  pageSizeMax: number;
}

const ROOMS = "/api/chat/rooms/";

export function chatApi({ edge, access, messages, rooms, pageSize, pageSizeMax }: ChatApi) {
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
    const { done: reader, refused } = await attempt(access.reader(actor, slug));
    if (reader) return messages.page(reader, options);
    if (refused && (await rooms.exists(slug))) throw refused;
    return NOTHING;
  }

  return new Elysia()
    .use(visitorPlugin(edge))
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

function messageView({ id, seq, author, avatar, text, createdAt }: MessageView, origin: string) {
  return {
    id,
    username: author,
    content: text,
    profilePic: avatarUrl(avatar, origin),
    createdAt: isoMicroseconds(createdAt),
    seq,
  };
}
