/** Takes every attempt for another message: the sender's key is only echoed. */
import { openStores } from "../../../src/compose/stores.ts";
import type { ClientKey } from "../../../src/shared/ids.ts";
import { serve } from "../servers/serve.ts";

await serve({
  async openStores(config, now) {
    const stores = await openStores(config, now);
    const newKey = () => crypto.randomUUID() as ClientKey;
    return {
      ...stores,
      messages: {
        ...stores.messages,
        write: (batch) =>
          stores.messages.write(
            batch.map((write) => (write.kind === "post" ? { ...write, key: newKey() } : write)),
          ),
      },
    };
  },
});
