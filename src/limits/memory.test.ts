import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import { createMemoryLimit } from "./memory.ts";

const START = 1_795_339_770_000;

afterEach(() => {
  setSystemTime();
});

describe("a limit of two attempts in ten seconds", () => {
  test("lets two through and tells the third how long to wait", async () => {
    setSystemTime(START);
    const limit = createMemoryLimit(2, 10);
    expect(await limit.take("ann")).toEqual({ allowed: true });
    setSystemTime(START + 3000);
    expect(await limit.take("ann")).toEqual({ allowed: true });
    expect(await limit.take("ann")).toEqual({ allowed: false, retryAfterSeconds: 7, first: true });
  });

  test("counts each subject by itself", async () => {
    const limit = createMemoryLimit(1, 10);
    expect(await limit.take("ann")).toEqual({ allowed: true });
    expect(await limit.take("bob")).toEqual({ allowed: true });
    expect(await limit.take("ann")).toMatchObject({ allowed: false });
    expect(await limit.take("")).toEqual({ allowed: true });
    expect(await limit.take("__proto__")).toEqual({ allowed: true });
  });

  test("begins anew after its window, which refused attempts do not prolong", async () => {
    setSystemTime(START);
    const limit = createMemoryLimit(1, 10);
    expect(await limit.take("ann")).toEqual({ allowed: true });
    for (const second of [1, 5, 9]) {
      setSystemTime(START + second * 1000);
      const first = second === 1;
      expect(await limit.take("ann")).toEqual({ allowed: false, retryAfterSeconds: 10 - second, first });
    }
    setSystemTime(START + 10_001);
    expect(await limit.take("ann")).toEqual({ allowed: true });
    expect(await limit.take("ann")).toMatchObject({ allowed: false });
  });

  test("tells those who are nearly there to wait for a second", async () => {
    setSystemTime(START);
    const limit = createMemoryLimit(1, 10);
    await limit.take("ann");
    setSystemTime(START + 9999);
    expect(await limit.take("ann")).toEqual({ allowed: false, retryAfterSeconds: 1, first: true });
  });
});
