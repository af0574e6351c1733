import { test } from "bun:test";
import { findPython } from "../../src/testing/python.ts";
import { talkThroughKills } from "./example-talk.ts";

test("the example client in Python loses, repeats and reorders nothing while the server is killed", async () => {
  const python = findPython();
  if (!python) throw new Error("no Python 3 that has the package websockets");
  await talkThroughKills([python, "docs/examples/client.py"]);
}, 120_000);
