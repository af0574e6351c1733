import { afterAll, beforeAll, expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import { serveHub, SILENT, type HubServer } from "../testing/hub.ts";
import { createFarewell } from "./farewell.ts";
import { createHub } from "./hub.ts";

const hub = createHub(createMemoryBus());
const NUMBERED = { ...SILENT, numbered: true };
let server: HubServer;

beforeAll(() => {
  server = serveHub(hub);
});
afterAll(() => server.stop());

test("pages are told when to come back, each at a moment of its own; all sockets are closed after that", async () => {
  const chances = [0, 0.5, 0.9999];
  const farewell = createFarewell(hub, () => chances.shift() ?? 0);
  const pages = [];
  for (let i = 0; i < 3; i++) pages.push(await server.opens({ protocol: NUMBERED }));
  const old = await server.opens();

  farewell.announce();
  const heard = await Promise.all(pages.map((page) => page.heard()));
  expect(heard).toEqual([0, 2_500, 5_000].map((after) => [{ type: "bye", after }]));
  expect(await old.heard()).toEqual([]);
  expect(hub.count()).toBe(4);

  farewell.close();
  for (const { closed } of [...pages, old]) expect(await closed).toBe(1012);
  expect(hub.count()).toBe(0);
});
