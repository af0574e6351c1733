/** Posting and reading messages. */
import type { ClientKey, MessageId, RoomId, UserId } from "../shared/ids.ts";
import { PAGE_SIZE } from "../shared/limits.ts";
import type { MessageView } from "../shared/protocol.ts";
import { checkText } from "../shared/text.ts";
import { signedIn, type Access, type Actor, type Member, type Reader } from "./access.ts";
import type { Bus, Clock, MessageStore, Page, RateLimit } from "./ports.ts";
import { Refused } from "./refusal.ts";
import { spend } from "./spend.ts";

export interface Draft {
  key: ClientKey;
  text: string;
}

/** `repeat`: the message was stored by an earlier attempt with the same key. */
export interface Posted {
  message: MessageView;
  repeat: boolean;
}

export interface Messages {
  /** Stores and publishes; resolves after the commit. Refuses bad text, an exhausted rate, and a key used for another text. */
  post(member: Member, draft: Draft): Promise<Posted>;
  latest(reader: Reader): Promise<Page>;
  /** The `limit` messages before an id, or the newest ones without it; the places of removed ones only if asked for. */
  page(
    reader: Reader,
    options: { before?: number | undefined; limit?: number; removed?: boolean },
  ): Promise<Page>;
  /** A message among its neighbours. Refuses `not_found`. */
  around(reader: Reader, id: MessageId): Promise<Page>;
  /** Whether `remove` would do it. */
  mayRemove(actor: Actor, id: MessageId): Promise<boolean>;
  /** By its author, a moderator of its room, or staff. Answers with the room's slug; refuses `not_found` and `forbidden`. */
  remove(actor: Actor, id: MessageId): Promise<string>;
}

export function createMessages(deps: {
  store: MessageStore;
  access: Access;
  bus: Bus;
  clock: Clock;
  rate: RateLimit;
  maxLength: number;
}): Messages {
  const { store, access, bus, clock, rate, maxLength } = deps;

  function tell(roomId: RoomId, room: string, message: MessageView): void {
    const numbers = { from: message.rev - 1, to: message.rev };
    bus.publish({ type: "messages.changed", roomId, room, ...numbers, changes: [message] });
  }

  async function mayRemove(actor: Actor, slug: string, author: UserId): Promise<boolean> {
    if (actor.kind === "guest") return false;
    if (actor.rank !== "user") return true;
    const { role } = await access.reader(actor, slug);
    return author === actor.id || role === "owner" || role === "moderator";
  }

  return {
    async post(member, draft) {
      const checked = checkText(draft.text, maxLength);
      if ("fault" in checked) throw new Refused(checked.fault);
      await spend(rate, member.author);

      const { room, author } = member;
      const message = { room: room.id, author, key: draft.key, text: checked.text, createdAt: clock.now() };
      const [appended] = await store.append([message]);
      if (!appended || appended.outcome === "key_reused") throw new Refused("key_reused");

      const posted = appended.message;
      if (appended.outcome === "appended") tell(room.id, room.slug, posted);
      return { message: posted, repeat: appended.outcome === "repeated" };
    },

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

    async mayRemove(actor, id) {
      const place = await store.find(id);
      return place !== null && mayRemove(actor, place.slug, place.author);
    },

    async remove(actor, id) {
      // Before anything is looked up: a guest does not learn which messages exist.
      signedIn(actor);
      const place = await store.find(id);
      if (!place) throw new Refused("not_found");
      if (!(await mayRemove(actor, place.slug, place.author))) throw new Refused("forbidden");
      const removed = await store.remove(id, clock.now());
      if (removed) tell(removed.room, removed.slug, removed.message);
      return place.slug;
    },
  };
}
