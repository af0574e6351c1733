/** Follows live without looking whether something has been published since it has read. */
import { createHub } from "../../../src/ws/hub.ts";
import { serve } from "../servers/serve.ts";
import { createSlowFeed } from "./slow-feed.ts";

await serve({
  createFeed: createSlowFeed,
  createHub(bus) {
    const hub = createHub(bus);
    return { ...hub, follow: (socket, room, _rev, removals) => hub.follow(socket, room, Infinity, removals) };
  },
});
