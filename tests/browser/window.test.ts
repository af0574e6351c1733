/** A pane draws a window of its room: bounded, and what stands above it joins without a gap. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member } from "../../src/testing/client.ts";
import { openGateway, type Gateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { distanceToEnd, goToTop, loadOlder, scrollToEnd, scrollUp } from "./reading.ts";

const ROWS = 300;

/** How long a browser may take to draw some thousands of messages. */
const PATIENCE_MS = 30_000;

let world: World;
let browser: Browser;
let bob: Gateway;
let posted = 0;

beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
  bob = await openGateway(await member(world, "bob"));
  await post(60);
});
afterEach(() => browser.empty());
afterAll(async () => {
  bob.close();
  await browser.close();
  await world.stop();
});

/** Numbered messages, in one go. */
async function post(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 500) {
    const texts = Array.from({ length: Math.min(left, 500) }, () => `message ${++posted}`);
    await Promise.all(texts.map((text) => bob.post(text)));
  }
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `message ${from + i}`);

const seesLast = async (person: Person) =>
  eventually(async () => (await person.reads()).at(-1), `message ${posted}`, PATIENCE_MS);

/** What is on the page is one stretch of the room. */
async function expectWhole(person: Person): Promise<string[]> {
  const texts = await person.reads();
  const first = Number(texts[0]?.split(" ")[1]);
  expect(texts).toEqual(numbers(first, first + texts.length - 1));
  return texts;
}

const rows = ({ page }: Person) => page.locator("[role=log] li").count();

test("after 10,000 messages there are at most 300 rows, and older ones follow without a gap", async () => {
  const reader = await browser.person("reader");
  await reader.opens("/");
  await reader.page.evaluate(() => {
    let most = 0;
    const count = () => (most = Math.max(most, document.querySelectorAll("[role=log] li").length));
    new MutationObserver(count).observe(document.body, { subtree: true, childList: true });
    Object.assign(globalThis, { mostRows: () => most });
  });
  await post(10_000);
  await seesLast(reader);
  expect(await reader.page.evaluate("mostRows()")).toBeLessThanOrEqual(ROWS);
  expect(await distanceToEnd(reader)).toBe(0);
  const shown = (await expectWhole(reader)).length;
  expect(shown).toBeGreaterThanOrEqual(200);
  for (const pages of [1, 2]) {
    await goToTop(reader);
    await loadOlder(reader, shown + pages * 50);
    await expectWhole(reader);
  }

  // Back at the end, what was loaded goes with the rows that it led to.
  await scrollToEnd(reader);
  await post(100);
  await seesLast(reader);
  await eventually(() => reader.page.locator("#history li").count(), 0);
  const left = (await expectWhole(reader)).length;
  await goToTop(reader);
  await loadOlder(reader, left + 50);
  await expectWhole(reader);
});

test("whoever reads further up is not moved while hundreds come, and reads on to the end from there", async () => {
  const reader = await browser.person("reader");
  await reader.opens("/");
  await goToTop(reader);
  await loadOlder(reader, 100);
  await reader.scroller.evaluate((scroller) => scroller.scrollTo(0, -600));
  await scrollUp(reader, 100);
  const first = posted;
  const seen = reader.message(`message ${posted - 15}`);
  const before = (await seen.boundingBox())?.y ?? NaN;
  const moved = async () => Math.abs(((await seen.boundingBox())?.y ?? NaN) - before);
  for (const count of [30, 600]) {
    await post(count);
    await reader.sees(`${posted - first} new messages`);
    expect(await moved()).toBeLessThan(1);
  }
  expect(await rows(reader)).toBeLessThanOrEqual(ROWS);
  await expectWhole(reader);

  const read = new Set(await reader.reads());
  for (let steps = 0; steps < 400 && !read.has(`message ${posted}`); steps++) {
    const last = (await reader.reads()).at(-1) as string;
    const bottom = async () => (await reader.message(last).boundingBox())?.y ?? NaN;
    await reader.scroller.evaluate((scroller) => scroller.scrollBy(0, 400));
    const at = await bottom();
    await Bun.sleep(50);
    // What comes in below does not move what is being read.
    expect(Math.abs((await bottom()) - at)).toBeLessThan(1);
    for (const text of await expectWhole(reader)) read.add(text);
    expect(await rows(reader)).toBeLessThanOrEqual(ROWS);
  }
  expect(numbers(first, posted).filter((text) => !read.has(text))).toEqual([]);
  await scrollToEnd(reader);
  await post(1);
  await seesLast(reader);
  expect(await distanceToEnd(reader)).toBe(0);
});

test("the button leads to the newest message at once, however many there are", async () => {
  const reader = await browser.person("reader");
  await reader.opens("/");
  await scrollUp(reader, 400);
  await post(700);
  await reader.presses("700 new messages");
  await seesLast(reader);
  await eventually(() => distanceToEnd(reader), 0);
  expect(await rows(reader)).toBeLessThanOrEqual(ROWS);
  const shown = (await expectWhole(reader)).length;
  await goToTop(reader);
  await loadOlder(reader, shown + 50);
  await expectWhole(reader);
});

test("older messages that come too late do not stand above a window that has gone on", async () => {
  const reader = await browser.person("reader");
  const { promise: isLate, resolve: arrive } = Promise.withResolvers<void>();
  await reader.page.route(/before=/, async (route) => {
    await isLate;
    await route.continue();
  });
  await reader.opens("/");
  await goToTop(reader);
  const answer = reader.page.waitForResponse(/before=/);
  await reader.follows("Older messages");
  await scrollToEnd(reader);
  await post(300);
  await seesLast(reader);
  const shown = await expectWhole(reader);
  arrive();
  await (await answer).finished();
  await Bun.sleep(300);
  expect(await reader.reads()).toEqual(shown);
  await goToTop(reader);
  await loadOlder(reader, shown.length + 50);
  await expectWhole(reader);
});

test("a room that fits its window gets a link to what has left it", async () => {
  const place = await startWorld();
  const hall = await openBrowser(place);
  try {
    const ann = await openGateway(await member(place, "ann"));
    const reader = await hall.person("reader");
    await reader.opens("/");
    await Promise.all(numbers(1, 300).map((text) => ann.post(text)));
    await eventually(async () => (await reader.reads()).at(-1), "message 300", PATIENCE_MS);
    const shown = await expectWhole(reader);
    await goToTop(reader);
    await loadOlder(reader, shown.length + 50);
    await expectWhole(reader);
    expect(new URL(reader.page.url()).pathname).toBe("/");
    ann.close();
    await hall.empty();
  } finally {
    await hall.close();
    await place.stop();
  }
});
