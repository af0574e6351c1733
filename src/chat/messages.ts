/** Posting and reading messages. */
import type { ClientKey, MessageId, UserId } from "../shared/ids.ts";
import { PAGE_SIZE } from "../shared/limits.ts";
import type { MessageView } from "../shared/protocol.ts";
import { checkText } from "../shared/text.ts";
import { signedIn, type Access, type Actor, type Member, type Reader } from "./access.ts";
import type { Clock, MessageStore, Page, RateLimit } from "./ports.ts";
import { Refused } from "./refusal.ts";
import { spend } from "./spend.ts";
import type { Stored, Writer } from "./writer.ts";

export interface Draft {
  key: ClientKey;
  text: string;
}

/** A change that has its place in the order of its sender's; `stored` is settled after the commit. */
export interface Submitted {
  stored: Promise<Stored>;
}

export interface Messages {
  /**
   * Refuses bad text and an exhausted rate at once, and when it comes to the commit: a key used for another text, and
   * whoever may not write any more.
   */
  submit(member: Member, draft: Draft): Promise<Submitted>;
  /** The same, to the end: resolves after the commit. */
  post(member: Member, draft: Draft): Promise<Stored>;
  /** Another text for one's own message. Refuses as `submit` does, `not_found`, and `forbidden` to all but the author. */
  submitEdit(actor: Actor, id: MessageId, text: string): Promise<Submitted>;
  edit(actor: Actor, id: MessageId, text: string): Promise<Stored>;
  latest(reader: Reader): Promise<Page>;
  /** The `limit` messages before an id, or the newest ones without it; the places of removed ones only if asked for. */
  page(
    reader: Reader,
    options: { before?: number | undefined; limit?: number; removed?: boolean },
  ): Promise<Page>;
  /** A message among its neighbours. Refuses `not_found`. */
  around(reader: Reader, id: MessageId): Promise<Page>;
  /** The message, or the place of a removed one, after the one before it if there is one. Refuses `not_found`. */
  row(reader: Reader, id: MessageId): Promise<readonly MessageView[]>;
  /** What this actor may do with a message now. */
  rights(actor: Actor, id: MessageId): Promise<MessageRights>;
  /** By its author, a moderator of its room, or staff. Refuses `not_found` and `forbidden`. */
  submitRemoval(actor: Actor, id: MessageId): Promise<Submitted>;
}

export interface MessageRights {
  mayEdit: boolean;
  mayRemove: boolean;
}

export function createMessages(deps: {
  store: MessageStore;
  writer: Pick<Writer, "write">;
  access: Access;
  clock: Clock;
  rate: RateLimit;
  maxLength: number;
}): Messages {
  const { store, writer, access, clock, rate, maxLength } = deps;

  async function mayRemove(actor: Actor, slug: string, author: UserId): Promise<boolean> {
    if (actor.kind === "guest") return false;
    if (actor.rank !== "user") return true;
    const { role } = await access.reader(actor, slug);
    return author === actor.id || role === "owner" || role === "moderator";
  }

  async function mayWrite(actor: Actor, slug: string): Promise<boolean> {
    try {
      await access.member(actor, slug);
      return true;
    } catch (refused) {
      if (refused instanceof Refused) return false;
      throw refused;
    }
  }

  async function submit({ room, author, session }: Member, { key, text: typed }: Draft): Promise<Submitted> {
    const text = wellFormed(typed);
    await spend(rate, author);
    const message = { room: room.id, author, key, text, createdAt: clock.now() };
    return { stored: writer.write({ kind: "post", session, ...message }) };
  }

  async function submitEdit(actor: Actor, id: MessageId, typed: string): Promise<Submitted> {
    const { id: author, session } = signedIn(actor);
    const text = wellFormed(typed);
    await spend(rate, author);
    return { stored: writer.write({ kind: "edit", session, id, author, text, at: clock.now() }) };
  }

  async function submitRemoval(actor: Actor, id: MessageId): Promise<Submitted> {
    // Before anything is looked up: a guest does not learn which messages exist.
    const { id: by, session } = signedIn(actor);
    const place = await store.find(id);
    if (!place) throw new Refused("not_found");
    if (!(await mayRemove(actor, place.slug, place.author))) throw new Refused("forbidden");
    return { stored: writer.write({ kind: "remove", session, id, by, at: clock.now() }) };
  }

  function wellFormed(text: string): string {
    const checked = checkText(text, maxLength);
    if ("fault" in checked) throw new Refused(checked.fault);
    return checked.text;
  }

  return {
    submit,
    post: async (member, draft) => (await submit(member, draft)).stored,
    submitEdit,
    edit: async (actor, id, text) => (await submitEdit(actor, id, text)).stored,
    submitRemoval,

    latest: ({ room }) => store.page(room.id, { limit: PAGE_SIZE, removed: true }),
    page: ({ room }, { before, limit = PAGE_SIZE, removed = false }) =>
      store.page(room.id, { before, limit, removed }),

    async around({ room }, id) {
      const page = await store.around(room.id, id, PAGE_SIZE);
      // What was removed is as if it had never been there.
      if (!page || page.messages.find((message) => message.id === id)?.deletedAt)
        throw new Refused("not_found");
      return page;
    },

    async row({ room }, id) {
      const page = await store.around(room.id, id, 2);
      if (!page) throw new Refused("not_found");
      return page.messages;
    },

    async rights(actor, id) {
      const place = await store.find(id);
      if (!place) return { mayEdit: false, mayRemove: false };
      const isAuthor = actor.kind === "member" && actor.id === place.author;
      const mayEdit = isAuthor && (await mayWrite(actor, place.slug));
      return { mayEdit, mayRemove: await mayRemove(actor, place.slug, place.author) };
    },
  };
}
