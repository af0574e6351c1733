/** The short campaign: every fault once under a small load, and every planted bug once. */
import { afterAll, beforeAll } from "bun:test";
import { FAULTS } from "./faults/all.ts";
import { PLANTED } from "./planted/all.ts";
import { openScene } from "./scene.ts";
import { testFaults } from "./suite.ts";
import { makeTemplate, type FileTemplate } from "./template.ts";

let template: FileTemplate;
beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => template.remove());

testFaults({ open: (place) => openScene(template, place), faults: FAULTS, planted: PLANTED });
