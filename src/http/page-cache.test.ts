import { expect, test } from "bun:test";
import { createMemoryBus } from "../bus/memory.ts";
import type { UserId } from "../shared/ids.ts";
import { createPageCache } from "./page-cache.ts";

test("a page drawn before somebody was renamed is not found afterwards", () => {
  const bus = createMemoryBus();
  const cache = createPageCache(bus);
  const keyAtStart = `${cache.generation()} public`;
  bus.publish({ type: "account.changed", userId: 1 as UserId, name: "bob", avatar: null });
  cache.set(keyAtStart, "drawn with the old name");
  expect(cache.get(keyAtStart)).not.toBeNull();
  expect(cache.get(`${cache.generation()} public`)).toBeNull();
});
