/** Leaves out what a slow reader has no room for, and goes on with what comes after it. */
import { socketHandlers } from "../../../src/ws/handlers.ts";
import { serve } from "../servers/serve.ts";

await serve({
  socketHandlers: (...deps) => ({ ...socketHandlers(...deps), closeOnBackpressureLimit: false }),
});
