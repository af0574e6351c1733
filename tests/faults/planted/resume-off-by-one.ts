/** Leaves out the first of what somebody has missed. */
import { createFeed } from "../../../src/chat/feed.ts";
import { serve } from "../servers/serve.ts";

await serve({
  createFeed(deps) {
    const feed = createFeed(deps);
    return {
      ...feed,
      async catchUp(reader, held) {
        const caughtUp = await feed.catchUp(reader, held);
        if ("reset" in caughtUp) return caughtUp;
        const { changes } = caughtUp;
        const after = changes.changes.filter(({ rev }) => rev > held.rev + 1);
        return { ...caughtUp, changes: { ...changes, changes: after } };
      },
    };
  },
});
