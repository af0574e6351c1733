import { expect, test } from "bun:test";
import { calmly } from "./calmly.ts";

const INTERVAL_MS = 40;

test("the first wish is done at once, a storm of them once more at its end", async () => {
  let [wished, done] = [0, 0];
  const calm = calmly(() => (done = wished), INTERVAL_MS);
  for (let i = 0; i < 100; i++) {
    wished++;
    calm.run();
  }
  expect(done).toBe(1);
  await Bun.sleep(INTERVAL_MS * 2);
  expect(done).toBe(100);
});

test("what is wished now and then is done each time, at most once in the interval", async () => {
  const doneAt: number[] = [];
  const calm = calmly(() => doneAt.push(performance.now()), INTERVAL_MS);
  for (let i = 0; i < 30; i++) {
    calm.run();
    await Bun.sleep(5);
  }
  await Bun.sleep(INTERVAL_MS * 2);
  expect(doneAt.length).toBeGreaterThan(2);
  const waits = doneAt.slice(1).map((at, i) => at - (doneAt[i] ?? 0));
  expect(Math.min(...waits)).toBeGreaterThan(INTERVAL_MS - 5);
});

test("once stopped, what still waits is not done", async () => {
  let done = 0;
  const calm = calmly(() => done++, INTERVAL_MS);
  calm.run();
  calm.run();
  calm.stop();
  await Bun.sleep(INTERVAL_MS * 2);
  expect(done).toBe(1);
});
