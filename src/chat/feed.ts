/** Catching up: what a page missed while its socket was away. */
import { RESUME_MAX_CHANGES } from "../shared/limits.ts";
import type { Changes, Held, ResetReason } from "../shared/protocol.ts";
import type { Reader } from "./access.ts";
import type { MessageStore } from "./ports.ts";

export type CatchUp = { reset: ResetReason } | { changes: Omit<Changes, "room"> };

export interface Feed {
  epoch(): string;
  /** Everything after the number held, or the reason why the page must be loaded anew. */
  catchUp(reader: Reader, held: Omit<Held, "room">): Promise<CatchUp>;
}

export function createFeed(store: MessageStore): Feed {
  return {
    epoch: () => store.epoch(),

    async catchUp({ room }, { epoch, rev }) {
      if (epoch !== store.epoch()) return { reset: "epoch" };
      const since = await store.changesSince(room.id, rev, RESUME_MAX_CHANGES);
      if (!since) return { reset: "gap" };
      if (rev > since.head) return { reset: "ahead" };
      return { changes: { from: rev, to: since.head, changes: since.changes } };
    },
  };
}
