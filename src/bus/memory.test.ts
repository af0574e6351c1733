import { expect, test } from "bun:test";
import type { BusEvent } from "../chat/ports.ts";
import type { SessionId } from "../shared/ids.ts";
import { createMemoryBus } from "./memory.ts";

const ENDED: BusEvent = { type: "sessions.ended", sessions: ["a" as SessionId] };

test("every listener hears every event before publishing returns", () => {
  const bus = createMemoryBus();
  const heard: string[] = [];
  bus.subscribe(({ type }) => void heard.push(`first ${type}`));
  bus.subscribe(({ type }) => void heard.push(`second ${type}`));
  bus.publish(ENDED);
  expect(heard).toEqual(["first sessions.ended", "second sessions.ended"]);
});

test("nobody hears what was published before they listened", () => {
  const bus = createMemoryBus();
  const heard: BusEvent[] = [];
  bus.publish(ENDED);
  bus.subscribe((event) => void heard.push(event));
  expect(heard).toEqual([]);
  bus.publish(ENDED);
  expect(heard).toEqual([ENDED]);
});
