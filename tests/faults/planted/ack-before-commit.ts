/** Answers as soon as it knows what it will store, and stores it a little later. */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openStores } from "../../../src/compose/stores.ts";
import { serve } from "../servers/serve.ts";

/** Milliseconds. */
const LATER = 400;

await serve({
  async openStores(config, now) {
    const { dataDir } = config;
    // What it believes to be stored: a copy of its own, which the next start forgets.
    const believed = join(dataDir, "believed");
    rmSync(believed, { recursive: true, force: true });
    const database = new Bun.Glob("echochat.sqlite*").scanSync({ cwd: dataDir });
    for (const file of database) cpSync(join(dataDir, file), join(believed, file));
    const stores = await openStores(config, now);
    const ahead = await openStores({ ...config, dataDir: believed }, now);
    return {
      ...stores,
      messages: {
        ...ahead.messages,
        write(batch) {
          setTimeout(() => void stores.messages.write(batch), LATER);
          return ahead.messages.write(batch);
        },
      },
    };
  },
});
