import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { member } from "../../src/testing/client.ts";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { said } from "./conversation.ts";

let world: World;
let browser: Browser;

beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
});
afterEach(() => browser.empty());
afterAll(async () => {
  await browser.close();
  await world.stop();
});

let people = 0;

async function newcomer(options?: Parameters<Browser["person"]>[1]): Promise<Person> {
  const person = await browser.person(`person${++people}`, options);
  await person.registers();
  return person;
}

test("messages of one author within five minutes share a name, and every day has its line", async () => {
  const teller = "teller";
  const listener = "listener";
  await member(world, teller);
  await member(world, listener);
  const noon = Date.UTC(2026, 0, 14, 12);
  const minute = 60_000;
  await said(world, [
    { by: teller, text: "day one", at: noon },
    { by: teller, text: "a little later", at: noon + 4 * minute },
    { by: teller, text: "much later", at: noon + 10 * minute },
    { by: listener, text: "somebody else", at: noon + 11 * minute },
    { by: teller, text: "again", at: noon + 12 * minute },
    { by: teller, text: "just before midnight", at: noon + 719 * minute },
    { by: teller, text: "just after midnight", at: noon + 721 * minute },
  ]);
  const guest = await browser.person("guest");
  await guest.opens("/");
  const named = await guest.page.locator(".message").evaluateAll((all) =>
    all.map((message) => {
      const name = message.querySelector(".byline b")?.getBoundingClientRect().left ?? 0;
      const avatar = message.querySelector(".avatar")?.getBoundingClientRect().width ?? 0;
      return avatar > 0 && name > 0;
    }),
  );
  expect(named).toEqual([true, false, true, true, true, true, true]);

  const before = async (text: string) =>
    (await guest.seesMessage(text)).evaluate((message) => message.previousElementSibling?.textContent);
  expect(await before("day one")).toBe("Wednesday, January 14, 2026");
  expect(await before("just after midnight")).toBe("Thursday, January 15, 2026");
  expect(await guest.page.locator(".day", { hasText: "January 14, 2026" }).count()).toBe(1);
});

test("two members talk and a guest reads along", async () => {
  const ann = await newcomer();
  const bob = await newcomer();
  const guest = await browser.person("guest");
  await guest.opens("/");

  await ann.sends("Is anybody here?");
  for (const person of [ann, bob, guest]) await person.seesMessage("Is anybody here?");
  await bob.sends("Yes, me.");
  for (const person of [ann, bob, guest]) await person.seesMessage("Yes, me.");
  await ann.sends("Good.");
  await guest.seesMessage("Good.");

  const spoken = ["Is anybody here?", "Yes, me.", "Good."];
  for (const person of [ann, bob, guest]) {
    await eventually(async () => (await person.reads()).slice(-3), spoken);
  }
  expect(await guest.message("Yes, me.").locator(".byline b").innerText()).toBe(bob.name);
  await guest.sees("You are reading as a guest.");
});

test("a message shows within 100 ms of Enter, marked as on its way, and settles in the same place", async () => {
  const ann = await newcomer();
  await ann.writes("quick as a flash");
  await ann.page.evaluate(watchFor, "quick as a flash");
  await ann.page.keyboard.press("Enter");
  await eventually(() => ann.page.evaluate(() => watched().settled), true);

  const { delay, sending, copies, removed } = await ann.page.evaluate(() => watched());
  expect(delay).toBeLessThan(100);
  expect(sending).toBe("Sending");
  expect({ copies, removed }).toEqual({ copies: 1, removed: false });
  const message = await ann.seesMessage("quick as a flash");
  expect(await message.getAttribute("class")).not.toContain("sending");
  expect(await message.locator("time").count()).toBe(1);
});

test("Enter and Ctrl+Enter send, Shift+Enter adds a line, an input method keeps its Enter", async () => {
  const ann = await newcomer();
  const { composer, page } = ann;
  await ann.writes("first line");
  await page.keyboard.press("Shift+Enter");
  await ann.writes("second line");
  expect(await composer.inputValue()).toBe("first line\nsecond line");

  await composer.dispatchEvent("keydown", { key: "Enter", isComposing: true });
  expect(await composer.inputValue()).toBe("first line\nsecond line");
  expect(await ann.reads()).not.toContain("first line\nsecond line");
  await composer.dispatchEvent("keydown", { key: "Enter", isComposing: false });
  await eventually(async () => (await ann.reads()).at(-1), "first line\nsecond line");
  expect(await composer.inputValue()).toBe("");
  expect(await isFocused(ann)).toBe(true);

  await ann.writes("with Ctrl");
  await page.keyboard.press("Control+Enter");
  await ann.seesMessage("with Ctrl");
  await ann.writes("by button");
  await ann.presses("Send");
  await ann.seesMessage("by button");
  expect(await isFocused(ann)).toBe(true);
});

test("on a touch keyboard Enter adds a line", async () => {
  const ann = await newcomer({ touch: true, viewport: { width: 390, height: 800 } });
  await ann.sends("first line");
  await ann.writes("second line");
  expect(await ann.composer.inputValue()).toBe("first line\nsecond line");
  await ann.presses("Send");
  await eventually(async () => (await ann.reads()).at(-1), "first line\nsecond line");
});

test("blank text is never sent, and too long a text is kept and counted", async () => {
  const ann = await newcomer();
  await ann.sends("the last one");
  await ann.seesMessage("the last one");
  await ann.sends(" \n\t  ");
  await ann.presses("Send");

  await ann.composer.fill("🙂".repeat(1003));
  await ann.sees("3 characters too many");
  await ann.page.keyboard.press("Enter");
  await Bun.sleep(200);
  expect(await ann.composer.inputValue()).toBe("🙂".repeat(1003));
  expect((await ann.reads()).at(-1)).toBe("the last one");

  await ann.composer.fill("🙂".repeat(1000));
  await ann.seesNot("characters too many");
  await ann.page.keyboard.press("Enter");
  await eventually(async () => (await ann.reads()).at(-1), "🙂".repeat(1000));
});

test("links are links, everything else is text, and nothing is wider than a small phone", async () => {
  const ann = await newcomer({ viewport: { width: 320, height: 600 } });
  await ann.sends("see https://example.org/a?b=c, or <b>this</b> or javascript:alert(1)");
  const message = await ann.seesMessage(
    "see https://example.org/a?b=c, or <b>this</b> or javascript:alert(1)",
  );
  const links = message.locator(".text a");
  expect(await links.count()).toBe(1);
  expect(await links.getAttribute("href")).toBe("https://example.org/a?b=c");
  expect((await links.getAttribute("rel"))?.split(" ")).toEqual(
    expect.arrayContaining(["noopener", "nofollow", "ugc"]),
  );

  await ann.sends("👩‍👩‍👧‍👦 🏴‍☠️");
  const emoji = await ann.seesMessage("👩‍👩‍👧‍👦 🏴‍☠️");
  const size = await emoji.locator(".text").evaluate((text) => parseFloat(getComputedStyle(text).fontSize));
  expect(size).toBeGreaterThan(24);

  await ann.sends(`https://example.org/${"long".repeat(100)} ${"W".repeat(400)}`);
  await eventually(async () => (await ann.reads()).at(-1)?.endsWith("WWW"), true);
  const overflow = await ann.page.evaluate(() => {
    const widths = [...document.querySelectorAll("html, .scroller, .message")];
    return Math.max(...widths.map((box) => box.scrollWidth - box.clientWidth));
  });
  expect(overflow).toBe(0);
});

test("a message that is refused stays with the reason, and can be sent again or deleted", async () => {
  const strict = await startWorld({ CHAT_MESSAGE_RATE_LIMIT: "2", CHAT_MESSAGE_RATE_WINDOW: "2" });
  const hall = await openBrowser(strict);
  try {
    const ann = await hall.person("ann");
    const guest = await hall.person("guest");
    await ann.registers();
    await guest.opens("/");
    for (const text of ["one", "two", "three", "four"]) await ann.sends(text);
    await ann.sees(/Not sent: You are writing very fast\. Wait [12] s\./);
    await eventually(() => ann.page.locator(".refused").count(), 2);
    expect(await ann.reads()).toEqual(["one", "two", "three", "four"]);
    await guest.seesMessage("two");
    expect(await guest.reads()).toEqual(["one", "two"]);

    await ann.message("four").getByRole("button", { name: "Delete" }).click();
    await eventually(() => ann.reads(), ["one", "two", "three"]);
    await Bun.sleep(2_000);
    await ann.message("three").getByRole("button", { name: "Retry" }).click();
    await guest.seesMessage("three");
    await eventually(() => ann.page.locator(".refused, .sending").count(), 0);
    expect(await ann.reads()).toEqual(["one", "two", "three"]);
    await hall.empty();
  } finally {
    await hall.close();
    await strict.stop();
  }
});

function isFocused(person: Person): Promise<boolean> {
  return person.composer.evaluate((field) => document.activeElement === field);
}

interface Watched {
  delay: number;
  sending: string;
  settled: boolean;
  copies: number;
  removed: boolean;
}

declare function watched(): Watched;

/** In the page: follows one message from the key press on, its node and all its copies. */
function watchFor(text: string): void {
  let pressed = 0;
  let node: Element | undefined;
  let copies = 0;
  const seen = { delay: Infinity, sending: "", settled: false, copies: 0, removed: false };
  addEventListener("keydown", () => (pressed = performance.now()), { capture: true, once: true });
  const look = () => {
    const found = [...document.querySelectorAll(".message")].filter(
      (message) => message.querySelector(".text")?.textContent === text,
    );
    copies = Math.max(copies, found.length);
    if (!node && found[0]) {
      node = found[0];
      seen.delay = performance.now() - pressed;
      seen.sending = node.classList.contains("sending")
        ? (node.querySelector(".standing")?.textContent ?? "")
        : "";
    }
    if (node && !node.classList.contains("sending")) seen.settled = true;
    seen.copies = copies;
    seen.removed = node !== undefined && !node.isConnected;
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  Object.assign(globalThis, { watched: () => seen });
}
