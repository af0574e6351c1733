/** Hears of no right that has ended elsewhere, and leaves whoever is not let in again where they are. */
import { openStores } from "../../../src/compose/stores.ts";
import { createHub } from "../../../src/ws/hub.ts";
import { serve } from "../servers/serve.ts";

await serve({
  createHub: (bus) => ({ ...createHub(bus), drop() {} }),
  openStores: async (config, now) => ({ ...(await openStores(config, now)), watch: () => () => {} }),
});
