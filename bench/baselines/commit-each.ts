/** EchoChat, but that each message has a commit of its own. */
import { createApp } from "../../src/app.ts";
import type { Write, Written } from "../../src/chat/ports.ts";
import { openStores } from "../../src/compose/stores.ts";
import { readConfig } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";

const openEach: typeof openStores = async (config, now) => {
  const stores = await openStores(config, now);
  const { messages } = stores;
  async function write(batch: readonly Write[]): Promise<Written[]> {
    const written: Written[] = [];
    for (const one of batch) written.push(...(await messages.write([one])));
    return written;
  }
  return { ...stores, messages: { ...messages, write } };
};

const app = await createApp(readConfig(), createLog(), { openStores: openEach });
process.once("SIGTERM", () => void app.stop().then(() => process.exit(0)));
