import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member } from "../../src/testing/client.ts";
import { openGateway, type Gateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { said, type Said } from "./conversation.ts";
import { daysOf, distanceToEnd, fourDays, goToTop, loadOlder, scrollUp } from "./reading.ts";

let world: World;
let browser: Browser;
let bob: Gateway;
let past: Said[];
let ids: number[];
let reader: Person;

beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
  const people = ["ann", "bob", "chi", "dan"];
  const [, client] = await Promise.all(people.map((name) => member(world, name)));
  if (!client) throw new Error("nobody came");
  past = fourDays(people);
  ids = await said(world, past);
  bob = await openGateway(client);
});
beforeEach(async () => {
  reader = await browser.person("reader");
});
afterEach(() => browser.empty());
afterAll(async () => {
  bob.close();
  await browser.close();
  await world.stop();
});

const texts = (from: number, to?: number) => past.slice(from, to).map((line) => line.text);

for (const zone of ["Etc/UTC", "Asia/Tokyo"]) {
  test(`in ${zone} a room opens at its newest fifty messages, at the bottom, and holds still`, async () => {
    const visitor = await browser.person("visitor", { zone });
    await visitor.page.addInitScript(() => {
      let shifted = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifted += (entry as unknown as { value: number }).value;
      }).observe({ type: "layout-shift", buffered: true });
      Object.assign(globalThis, { shift: () => shifted });
    });
    await visitor.opens("/");
    expect(await visitor.reads()).toEqual(texts(-50));
    await Bun.sleep(500);
    expect(await distanceToEnd(visitor)).toBe(0);
    expect(await visitor.page.evaluate("shift()")).toBeLessThan(0.05);
  });
}

test("older pages come in at the top without a jump", async () => {
  await reader.opens("/rooms/public");
  for (const shown of [100, 150]) {
    await goToTop(reader);
    const top = reader.message(texts(-shown + 50)[0] as string);
    const before = await top.boundingBox();
    await loadOlder(reader, shown);
    await Bun.sleep(100);
    expect({ shown, at: await top.boundingBox() }).toEqual({ shown, at: before });
  }
});

test("they go back to the beginning, with nothing twice and nothing left out", async () => {
  await reader.opens("/rooms/public");
  for (const shown of [100, 150, 180]) {
    await goToTop(reader);
    await loadOlder(reader, shown);
  }
  expect(new URL(reader.page.url()).pathname).toBe("/rooms/public");
  expect(await reader.reads()).toEqual(texts(0));
  await reader.sees("This is where the room begins.");
  const { misplaced, named } = await daysOf(reader);
  expect(misplaced).toEqual([]);
  expect(named).toEqual(["2026-03-14", "2026-03-15", "2026-03-16", "2026-03-17"]);

  await reader.page.reload();
  await reader.isLive();
  expect(await reader.reads()).toEqual(texts(-50));
  expect(await distanceToEnd(reader)).toBe(0);
});

test("a page that begins with a new day names that day once", async () => {
  await reader.opens(`/rooms/public?before=${ids[95]}`);
  expect(await reader.reads()).toEqual(texts(45, 95));
  const { misplaced, named } = await daysOf(reader);
  expect({ misplaced, named }).toEqual({ misplaced: [], named: ["2026-03-15", "2026-03-16"] });
});

test("whoever loads them with the keyboard goes on from there", async () => {
  await reader.opens("/rooms/public");
  await goToTop(reader);
  await reader.page.getByRole("link", { name: "Older messages" }).focus();
  await reader.page.keyboard.press("Enter");
  await eventually(async () => (await reader.reads()).length, 100);
  const focused = () => reader.page.evaluate(() => document.activeElement?.closest(".scroller") !== null);
  await eventually(focused, true);
});

describe("a link to a message opens it in the middle, marked and focused", () => {
  const visits = { "on a first visit": true, "on the next": true, "without scripts": false };
  for (const [visit, javaScriptEnabled] of Object.entries(visits)) {
    test(visit, async () => {
      const guest = await browser.person("guest", { javaScriptEnabled });
      if (visit === "on the next") await guest.opens("/");
      await guest.opens(`/rooms/public/messages/${ids[60]}`);
      await expectTarget(guest, past[60]?.text ?? "");
    });
  }

  test("when the page comes in two pieces", async () => {
    const slow = startSlowLine(`id="m${ids[62]}"`);
    const far = await openBrowser(slow);
    try {
      const guest = await far.person("guest");
      await guest.opens(`/rooms/public/messages/${ids[60]}`);
      await expectTarget(guest, past[60]?.text ?? "");
      await far.empty();
    } finally {
      await far.close();
      await slow.stop();
    }
  });

  async function expectTarget(guest: Person, text: string): Promise<void> {
    const target = guest.message(text);
    await eventually(() => target.evaluate((message) => document.activeElement === message), true);
    await Bun.sleep(500);
    expect(await target.getAttribute("class")).toContain("target");
    expect(await guest.page.locator(".target").count()).toBe(1);
    const { top, height, focused } = await target.evaluate((message) => ({
      ...(message.getBoundingClientRect().toJSON() as { top: number; height: number }),
      focused: document.activeElement === message,
    }));
    expect(focused).toBe(true);
    const middle = (top + height / 2) / 800;
    expect(middle).toBeGreaterThan(0.3);
    expect(middle).toBeLessThan(0.7);
  }

  /** What follows these words comes half a second after them. */
  function startSlowLine(words: string): { url: string; stop(): Promise<void> } {
    const server = Bun.serve({
      port: 0,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        const answer = await fetch(world.url + pathname, { headers: { "accept-encoding": "identity" } });
        if (!answer.headers.get("content-type")?.startsWith("text/html")) return answer;
        const [before = "", after = ""] = (await answer.text()).split(words);
        const pieces = new ReadableStream<string>({
          async start(controller) {
            controller.enqueue(before + words);
            await Bun.sleep(500);
            controller.enqueue(after);
            controller.close();
          },
        });
        return new Response(pieces, { headers: { "content-type": "text/html; charset=utf-8" } });
      },
    });
    return { url: `http://localhost:${server.port}`, stop: () => server.stop(true) };
  }
});

test("back and forward return to a permalink and to where the reader was", async () => {
  await reader.opens("/rooms/public");
  await scrollUp(reader, 1500);
  const link = reader.message(texts(-20)[0] as string).locator(".byline a[title]");
  await link.scrollIntoViewIfNeeded();
  await Bun.sleep(200);
  const left = await distanceToEnd(reader);
  expect(left).toBeGreaterThan(300);
  await link.click();
  await reader.page.waitForURL("**/messages/*");
  await reader.follows("Jump to the latest messages");
  await reader.page.waitForURL("/rooms/public");
  await reader.page.goBack();
  await eventually(async () => new URL(reader.page.url()).pathname, `/rooms/public/messages/${ids[160]}`);
  await eventually(() => reader.page.locator(".target .text").allInnerTexts(), texts(160, 161));
  await reader.page.goBack();
  await eventually(() => reader.reads(), texts(-50));
  await eventually(() => distanceToEnd(reader), left);
});

test("without scripts the pages of history are pages, for back and forward too", async () => {
  const guest = await browser.person("guest", { javaScriptEnabled: false });
  await guest.opens("/rooms/public");
  await eventually(() => guest.reads(), texts(-50));
  await guest.follows("Older messages");
  await eventually(() => guest.reads(), texts(-100, -50));
  await guest.follows("Older messages");
  await eventually(() => guest.reads(), texts(-150, -100));
  await guest.page.goBack();
  await eventually(() => guest.reads(), texts(-100, -50));
  await guest.page.goBack();
  await eventually(() => guest.reads(), texts(-50));
  await guest.page.goForward();
  await eventually(() => guest.reads(), texts(-100, -50));
});

test("new messages are announced, older ones are not", async () => {
  await reader.opens("/rooms/public");
  const log = reader.page.getByRole("log", { name: "Messages in Public room" });
  expect(await log.locator(".message").count()).toBe(50);
  expect(await reader.page.locator("[role=log] #history, #history [role=log]").count()).toBe(0);
  await log.evaluate((element) => {
    const added: string[] = [];
    new MutationObserver((records) => {
      for (const { addedNodes } of records) for (const node of addedNodes) added.push(node.textContent ?? "");
    }).observe(element, { childList: true, subtree: true });
    Object.assign(globalThis, { announced: () => added });
  });
  const announced = () => reader.page.evaluate("announced()") as Promise<string[]>;

  await goToTop(reader);
  await loadOlder(reader, 100);
  expect(await announced()).toEqual([]);
  await bob.post("did you hear that?");
  await reader.seesMessage("did you hear that?");
  expect((await announced()).filter((text) => text.includes("did you hear that?")).length).toBe(1);
});

test("only what is added is announced, not what changes", async () => {
  await reader.opens("/rooms/public");
  expect(await reader.page.getByRole("log").getAttribute("aria-relevant")).toBe("additions");
});

test("further up nothing moves by a pixel when somebody writes, and a button leads to the end", async () => {
  await reader.opens("/rooms/public");
  await scrollUp(reader, 400);
  const seen = reader.message(texts(-15)[0] as string);
  const before = (await seen.boundingBox())?.y ?? NaN;
  const moved = async () => Math.abs(((await seen.boundingBox())?.y ?? NaN) - before);
  await bob.post("while you were reading");
  await reader.sees("1 new message");
  expect(await moved()).toBeLessThan(1);
  await bob.post("and another\nof two lines");
  await reader.sees("2 new messages");
  expect(await moved()).toBeLessThan(1);

  await reader.presses("2 new messages");
  await eventually(() => distanceToEnd(reader), 0);
  await reader.seesNot(/new message/);
  await bob.post("at the end");
  await reader.seesMessage("at the end");
  expect(await distanceToEnd(reader)).toBe(0);
});
