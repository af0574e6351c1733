/** Reading a room: its page, older pages, and permalinks. */
import { Elysia } from "elysia";
import type { Access, Reader } from "../chat/access.ts";
import type { Feed } from "../chat/feed.ts";
import type { Messages } from "../chat/messages.ts";
import type { KeyMaker, Page, Presence } from "../chat/ports.ts";
import { Refused } from "../chat/refusal.ts";
import type { Rooms } from "../chat/rooms.ts";
import { clientKey, messageId } from "../shared/ids.ts";
import { PAGE_SIZE_MAX } from "../shared/limits.ts";
import type { MessageView, PersonView, PresenceView } from "../shared/protocol.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { firstUnread } from "../shared/rows.ts";
import { OlderMessages, Redrawn } from "../../views/components/history.tsx";
import type { Shell } from "../../views/components/layout.tsx";
import type { KeptText } from "../../views/pages/account.tsx";
import { readingOf, RoomPage, type RoomPageProps } from "../../views/pages/room.tsx";
import { visitorPlugin, type Edge } from "./edge.ts";
import type { Visitor } from "./identify.ts";
import type { PageCache } from "./page-cache.ts";
import { fragment, page, pageText, type ShellOf } from "./render.tsx";
import type { Extras } from "./respond.ts";
import { attempt, wordsFor } from "./words.ts";

export interface RoomPages {
  access: Access;
  messages: Messages;
  rooms: Rooms;
  feed: Feed;
  keys: KeyMaker;
  presence: Presence;
  shellOf: ShellOf;
  cache: PageCache;
  messageMaxLength: number;
}

/** What was typed and why it was refused, when the page answers a form. */
export type Rejected = Pick<NonNullable<RoomPageProps["draft"]>, "text" | "error" | "messageKey">;

export type RejectedEdit = Omit<Rejected, "messageKey">;

export function createRoomPages(deps: RoomPages) {
  const { access, messages, rooms, feed, keys, presence, shellOf, cache, messageMaxLength } = deps;

  function propsOf(shell: Shell, { room, readSeq }: Reader, { head, ...stretch }: Page) {
    const mark = readSeq === null ? null : { after: readSeq, reader: shell.user?.name ?? null };
    return {
      shell,
      room: room.kind === "public" ? { ...room, name: publicName(room.name, shell) } : room,
      rooms: null,
      held: { epoch: feed.epoch(), rev: head },
      messages: stretch.messages,
      previousAt: stretch.previousAt,
      mark: mark && firstUnread(stretch.messages, mark) && mark,
      history: null,
      welcome: false,
      silence: null,
      presence: shell.user && presentTo(shell.user),
      draft: null,
    } satisfies RoomPageProps;
  }

  /** Whoever reads the page is here, although the socket that says so is only opened by it. */
  function presentTo({ name, avatar }: PersonView): PresenceView {
    const { online, guests } = presence.present();
    const isListed = online.some((person) => person.name === name);
    return { online: isListed ? online : [...online, { name, avatar }], guests };
  }

  /** The newest messages. Guests share the finished page: nothing in it but what the key names. */
  async function live(request: Request, visitor: Visitor, slug: string): Promise<Response> {
    const asOf = cache.generation();
    const reader = await access.reader(visitor.actor, slug);
    if (visitor.signedIn) return answer(request, visitor, reader);
    // Without a query: it changes nothing here, and would only fill the cache.
    const path = new URL(request.url).pathname;
    const shell = { ...shellOf(request, null), path };
    const { locale, theme, zone } = shell;
    const { name, head } = reader.room;
    const key = [asOf, feed.epoch(), slug, name, head, locale, theme, zone, path].join("\n");
    const shared = cache.get(key) ?? cache.set(key, await draw(shell, reader));
    return cache.share(request, visitor.secure, shared, asOf);
  }

  async function draw(shell: Shell, reader: Reader): Promise<string> {
    const newest = await messages.latest(reader);
    return pageText(<RoomPage {...propsOf(shell, reader, newest)} welcome={shell.path === "/"} />);
  }

  async function answer(
    request: Request,
    visitor: Visitor,
    reader: Reader,
    rejected?: Rejected,
    extras?: Extras,
  ) {
    const shell = shellOf(request, visitor);
    const fresh = { messageKey: keys.clientKey(), text: "", error: null };
    const { actor } = visitor;
    // Whoever may not write sees why in the composer's place; but not before their text has come back to them.
    const { refused } = rejected ? { refused: null } : await attempt(access.member(actor, reader.room.slug));
    const props = {
      ...propsOf(shell, reader, await messages.latest(reader)),
      rooms: await rooms.mine(actor),
      silence: refused && wordsFor(refused, shell),
      draft: refused ? null : { ...(rejected ?? fresh), maxLength: messageMaxLength },
    };
    return page(request, <RoomPage {...props} />, extras);
  }

  async function older(
    request: Request,
    visitor: Visitor,
    slug: string,
    wanted: URLSearchParams,
  ): Promise<Response> {
    const id = messageId(wanted.get("before") ?? "");
    if (!id) throw new Refused("not_found");
    const reader = await access.reader(visitor.actor, slug);
    const stretch = await messages.page(reader, { before: id, removed: true });
    const shell = shellOf(request, visitor);
    const props = { ...propsOf(shell, reader, stretch), history: {} };
    // The page that leads here knows where its unread line stands; the reader has read on since.
    const after = wanted.get("unread");
    if (after && /^\d{1,15}$/.test(after))
      props.mark = { after: Number(after), reader: shell.user?.name ?? null };
    if (request.headers.get("hx-request-type") === "partial") {
      const reading = readingOf(shell, slug);
      const list = { ...stretch, mark: props.mark, reading };
      return fragment(request, <OlderMessages {...list} t={shell.t.room} />);
    }
    return page(request, <RoomPage {...props} />);
  }

  /** Messages that have changed, for a page that shows them among older ones. */
  async function rows(request: Request, visitor: Visitor, slug: string): Promise<Response> {
    const reader = await access.reader(visitor.actor, slug);
    const drawn: (readonly MessageView[])[] = [];
    for (const text of new URL(request.url).searchParams.getAll("id").slice(0, PAGE_SIZE_MAX)) {
      const id = messageId(text);
      const { done } = id ? await attempt(messages.row(reader, id)) : { done: null };
      if (done) drawn.push(done);
    }
    return fragment(request, <Redrawn rows={drawn} reading={readingOf(shellOf(request, visitor), slug)} />);
  }

  async function permalink(
    request: Request,
    visitor: Visitor,
    slug: string,
    id: string,
    rejected?: RejectedEdit,
    extras?: Extras,
  ): Promise<Response> {
    const message = messageId(id);
    if (!message) throw new Refused("not_found");
    const reader = await access.reader(visitor.actor, slug);
    const stretch = await messages.around(reader, message);
    const { mayEdit, mayRemove } = await messages.rights(visitor.actor, message);
    const text = stretch.messages.find((shown) => shown.id === message)?.text ?? "";
    // Whoever may not edit any more has their text back all the same.
    const edit = rejected ?? (mayEdit ? { text, error: null } : null);
    const target = { id: message, mayRemove, edit: edit && { ...edit, maxLength: messageMaxLength } };
    const props = propsOf(shellOf(request, visitor), reader, stretch);
    return page(request, <RoomPage {...props} history={{ target }} />, extras);
  }

  /** The page at a path of ours with a text in its form that has not been sent; null where there is no such form. */
  async function withText(
    request: Request,
    visitor: Visitor,
    path: string,
    { text, key }: KeptText,
    extras: Extras,
  ): Promise<Response | null> {
    const [, slug, id] = /^\/rooms\/([^/]+)(?:\/messages\/(\d+))?$/.exec(path) ?? [];
    if (slug === undefined) return null;
    const typed = { text, error: shellOf(request, visitor).t.account.notSentYet };
    const message = { ...typed, messageKey: clientKey(key) ?? keys.clientKey() };
    const drawn =
      id === undefined
        ? access
            .reader(visitor.actor, slug)
            .then((reader) => answer(request, visitor, reader, message, extras))
        : permalink(request, visitor, slug, id, typed, extras);
    // Somebody else may have logged in, who finds nothing there.
    return (await attempt(drawn)).done;
  }

  return { live, answer, older, rows, permalink, withText };
}

/** A public room that nobody has renamed is called by its name in the reader's language. */
function publicName(name: string, { t }: Shell): string {
  return name === "Public Chat" ? t.room.names.public : name;
}

export function roomRoutes(edge: Edge, pages: ReturnType<typeof createRoomPages>) {
  // "async" tells Elysia to catch what these reject with; it does not look at what they return.
  return new Elysia()
    .use(visitorPlugin(edge))
    .get("/", async ({ request, visitor }) => pages.live(request, visitor, PUBLIC_ROOM))
    .get("/rooms/:slug", async ({ request, visitor, params: { slug } }) => {
      const { searchParams } = new URL(request.url);
      return searchParams.has("before")
        ? pages.older(request, visitor, slug, searchParams)
        : pages.live(request, visitor, slug);
    })
    .get("/rooms/:slug/rows", async ({ request, visitor, params: { slug } }) =>
      pages.rows(request, visitor, slug),
    )
    .get("/rooms/:slug/messages/:id", async ({ request, visitor, params: { slug, id } }) =>
      pages.permalink(request, visitor, slug, id),
    );
}
