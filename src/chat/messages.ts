/** Posting and reading messages. */
import type { ClientKey, MessageId } from "../shared/ids.ts";
import { PAGE_SIZE } from "../shared/limits.ts";
import type { MessageView } from "../shared/protocol.ts";
import { checkText } from "../shared/text.ts";
import type { Member, Reader } from "./access.ts";
import type { Bus, Clock, MessageStore, Page, RateLimit } from "./ports.ts";
import { Refused } from "./refusal.ts";

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
  /** The `limit` messages before an id, or the newest ones without it. */
  page(reader: Reader, options: { before?: number | undefined; limit?: number }): Promise<Page>;
  /** A message among its neighbours. Refuses `not_found`. */
  around(reader: Reader, id: MessageId): Promise<Page>;
}

export function createMessages(deps: {
  store: MessageStore;
  bus: Bus;
  clock: Clock;
  rate: RateLimit;
  maxLength: number;
}): Messages {
  const { store, bus, clock, rate, maxLength } = deps;

  return {
    async post(member, draft) {
      const checked = checkText(draft.text, maxLength);
      if ("fault" in checked) throw new Refused(checked.fault);
      const allowance = await rate.take(String(member.author));
      if (!allowance.allowed) throw new Refused("rate_limited", allowance.retryAfterSeconds);

      const { room, author } = member;
      const message = { room: room.id, author, key: draft.key, text: checked.text, createdAt: clock.now() };
      const [appended] = await store.append([message]);
      if (!appended || appended.outcome === "key_reused") throw new Refused("key_reused");

      const posted = appended.message;
      if (appended.outcome === "appended") {
        const numbers = { from: posted.rev - 1, to: posted.rev };
        bus.publish({
          type: "messages.changed",
          roomId: room.id,
          room: room.slug,
          ...numbers,
          changes: [posted],
        });
      }
      return { message: posted, repeat: appended.outcome === "repeated" };
    },

    latest: ({ room }) => store.page(room.id, { limit: PAGE_SIZE }),
    page: ({ room }, { before, limit = PAGE_SIZE }) => store.page(room.id, { before, limit }),

    async around({ room }, id) {
      const page = await store.around(room.id, id, PAGE_SIZE);
      if (!page) throw new Refused("not_found");
      return page;
    },
  };
}
