import { test } from "bun:test";
import { talkThroughKills } from "./example-talk.ts";

test("the example client in JavaScript loses, repeats and reorders nothing while the server is killed", async () => {
  await talkThroughKills([process.execPath, "--no-env-file", "docs/examples/client.js"]);
}, 120_000);
