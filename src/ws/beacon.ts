/**
 * Tells every room that is followed, again and again, the number of its last change: a gap shows by the number after it,
 * but what was lost at the very end shows by this alone.
 */
import type { Feed } from "../chat/feed.ts";
import type { Hub } from "./hub.ts";

/** Milliseconds. */
const EVERY = 10_000;

export interface BeaconDeps {
  hub: Pick<Hub, "followed" | "tell">;
  feed: Pick<Feed, "heads">;
  onError: (error: unknown) => void;
  every?: number;
}

/** Answers with what ends it. */
export function startBeacon({ hub, feed, onError, every = EVERY }: BeaconDeps): () => void {
  const timer = setInterval(() => void tellHeads({ hub, feed }).catch(onError), every);
  return () => clearInterval(timer);
}

export async function tellHeads({ hub, feed }: Pick<BeaconDeps, "hub" | "feed">): Promise<void> {
  const rooms = hub.followed();
  const heads = await feed.heads(rooms.map(({ id }) => id));
  for (const { id, slug } of rooms) {
    const head = heads.get(id);
    if (head !== undefined) hub.tell(id, { type: "head", room: slug, head });
  }
}
