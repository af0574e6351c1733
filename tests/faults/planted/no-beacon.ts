/** Never tells anybody the head. */
import { createLosingHub } from "../servers/losing.ts";
import { serve } from "../servers/serve.ts";

await serve({ createHub: createLosingHub, startBeacon: () => () => {} });
