/** Tells what hints bring, as they come: nothing else is asked for. */
import { serve } from "../servers/serve.ts";

await serve({
  async createRelay({ local, nodes }) {
    nodes?.listen((word) => {
      if (word.type === "messages.changed" && word.changes) local.publish({ ...word, changes: word.changes });
    });
    return {
      ...local,
      publish(event) {
        local.publish(event);
        if (event.type === "messages.changed") nodes?.tell(event);
      },
      poll: () => Promise.resolve(),
    };
  },
});
