/** No bug: what `fetch-before-subscribe` is compared with. */
import { serve } from "../servers/serve.ts";
import { createSlowFeed } from "./slow-feed.ts";

await serve({ createFeed: createSlowFeed });
