/** Selects what somebody has missed by the time of the last message they hold, not by its number. */
import { createFeed } from "../../../src/chat/feed.ts";
import { serve } from "../servers/serve.ts";

const ALL = Number.MAX_SAFE_INTEGER;

await serve({
  createFeed(deps) {
    const feed = createFeed(deps);
    return {
      ...feed,
      async catchUp(reader, held) {
        const caughtUp = await feed.catchUp(reader, held);
        if ("reset" in caughtUp) return caughtUp;
        const { changes: all } = await deps.store.changesSince(reader.room.id, 0, ALL);
        const last = Math.max(
          0,
          ...all.filter(({ seq }) => seq <= held.rev).map(({ createdAt }) => createdAt),
        );
        const { changes } = caughtUp;
        const newer = changes.changes.filter(({ createdAt }) => createdAt > last);
        return { ...caughtUp, changes: { ...changes, changes: newer } };
      },
    };
  },
});
