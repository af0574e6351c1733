/** The same with several nodes, which share a database. */
import { afterAll, beforeAll } from "bun:test";
import { NODES_FAULTS } from "./nodes/faults/all.ts";
import { openNodes } from "./nodes/scene.ts";
import { makeNodesTemplate, type NodesTemplate } from "./nodes/template.ts";
import { PLANTED_IN_NODES } from "./planted/all.ts";
import { testFaults } from "./suite.ts";

let template: NodesTemplate;
beforeAll(async () => {
  template = await makeNodesTemplate();
});
afterAll(() => template.remove());

testFaults({ open: (place) => openNodes(template, place), faults: NODES_FAULTS, planted: PLANTED_IN_NODES });
