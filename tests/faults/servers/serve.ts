/** The product's own program with some of its parts made by a test. */
import { createApp, type Parts } from "../../../src/app.ts";
import { readConfig } from "../../../src/config.ts";
import { createLog, say } from "../../../src/log.ts";

export async function serve(parts: Partial<Parts> = {}): Promise<void> {
  const app = await createApp(readConfig(), createLog(), parts);
  say(`EchoChat is ready: open ${app.url}`);
  process.once("SIGTERM", () => void app.stop().then(() => process.exit(0)));
}
