/** Remembers keys for itself: what another node has stored with the same key is stored once more. */
import { openStores } from "../../../src/compose/stores.ts";
import type { ClientKey } from "../../../src/shared/ids.ts";
import { serve } from "../servers/serve.ts";

const mine = crypto.randomUUID();

await serve({
  async openStores(config, now) {
    const stores = await openStores(config, now);
    return {
      ...stores,
      messages: {
        ...stores.messages,
        write: (batch) =>
          stores.messages.write(
            batch.map((write) =>
              write.kind === "post" ? { ...write, key: `${write.key}-${mine}` as ClientKey } : write,
            ),
          ),
      },
    };
  },
});
