/** A server that loses what it publishes, when told to. */
import { createLosingHub } from "./losing.ts";
import { serve } from "./serve.ts";

await serve({ createHub: createLosingHub });
