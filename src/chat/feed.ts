/** Catching up: what a page missed while its socket was away. */
import { RESUME_FRAME_CHANGES, RESUME_FRAME_TEXT, RESUME_MAX_CHANGES } from "../shared/limits.ts";
import type { Changes, Held, MessageView, ResetReason } from "../shared/protocol.ts";
import type { RoomId } from "../shared/ids.ts";
import type { Reader } from "./access.ts";
import type { MessageStore } from "./ports.ts";
import type { Recent } from "./recent.ts";

/** `isWhole`: nothing followed these changes when they were read. */
export type CatchUp = { reset: ResetReason } | { changes: Omit<Changes, "room">; isWhole: boolean };

export interface Feed {
  epoch(): string;
  /** What follows the number held, as much of it as fits a frame; or why the page must be loaded anew. */
  catchUp(reader: Reader, held: Omit<Held, "room">): Promise<CatchUp>;
  /** The numbers of the rooms' last changes, as they are on stable storage. */
  heads(rooms: readonly RoomId[]): Promise<Map<RoomId, number>>;
}

export function createFeed({
  store,
  recent,
}: {
  store: Pick<MessageStore, "changesSince" | "heads" | "epoch">;
  recent: Recent;
}): Feed {
  return {
    epoch: () => store.epoch(),
    heads: (rooms) => store.heads(rooms),

    async catchUp({ room }, { epoch, rev }) {
      if (epoch !== store.epoch()) return { reset: "epoch" };
      const kept = await recent.since(room, rev);
      if (kept) return fitting(rev, kept.to, kept);
      const { head, to, changes } = await store.changesSince(room.id, rev, RESUME_FRAME_CHANGES);
      if (rev > head) return { reset: "ahead" };
      if (head - rev > RESUME_MAX_CHANGES) return { reset: "gap" };
      return fitting(rev, head, { to, changes });
    },
  };
}

/** As much as a frame takes, and at least one change. */
function fitting(
  from: number,
  head: number,
  { to: end, changes: all }: Omit<Changes, "room" | "from">,
): CatchUp {
  const changes = all.slice(0, frameSize(all));
  const to = changes.length === all.length ? end : (changes.at(-1)?.rev ?? from);
  return { changes: { from, to, changes }, isWhole: to === head };
}

/** How many of the changes one frame takes: at least one, if there is one. */
export function frameSize(changes: readonly MessageView[]): number {
  let text = 0;
  const fits = (message: MessageView, i: number) => {
    text += message.text.length;
    return i === 0 || (i < RESUME_FRAME_CHANGES && text <= RESUME_FRAME_TEXT);
  };
  const beyond = changes.findIndex((message, i) => !fits(message, i));
  return beyond < 0 ? changes.length : beyond;
}
