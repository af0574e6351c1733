import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { member } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import type { ServerFrame } from "../../src/shared/protocol.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
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
  const worked = await stopwatch(ann);
  await ann.writes("quick as a flash");
  await ann.page.evaluate(watchFor, "quick as a flash");
  const before = await worked();
  await ann.page.keyboard.press("Enter");
  const work = (await worked()) - before;
  await eventually(() => ann.page.evaluate(() => watched().settled), true);

  const { isAtOnce, sending, copies, removed } = await ann.page.evaluate(() => watched());
  expect(isAtOnce).toBe(true);
  expect(work).toBeLessThan(100);
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
  const ann = await newcomer();
  const guest = await browser.person("guest");
  await guest.opens("/");
  await ann.sends("one");
  await guest.seesMessage("one");
  const close = (closed: boolean) =>
    inDatabase(world, "UPDATE rooms SET is_closed = ? WHERE slug = 'public'", closed);
  await close(true);
  try {
    for (const text of ["two", "three", "four"]) await ann.sends(text);
    await ann.sees("Not sent: This room is closed: nobody writes here any more.");
    await eventually(() => ann.page.locator(".refused").count(), 3);
    expect((await ann.reads()).slice(-4)).toEqual(["one", "two", "three", "four"]);
    expect((await guest.reads()).at(-1)).toBe("one");

    await ann.message("four").getByRole("button", { name: "Delete" }).click();
    await eventually(async () => (await ann.reads()).slice(-3), ["one", "two", "three"]);
    await ann.message("two").getByRole("button", { name: "Retry" }).click();
    await eventually(() => ann.page.locator(".refused").count(), 2);
  } finally {
    await close(false);
  }
  for (const text of ["three", "two"]) {
    await ann.message(text).getByRole("button", { name: "Retry" }).click();
    await guest.seesMessage(text);
  }
  await eventually(() => ann.page.locator(".refused, .sending").count(), 0);
  for (const person of [ann, guest])
    await eventually(async () => (await person.reads()).slice(-3), ["one", "three", "two"]);
});

test("a text that cannot be stored is refused for good, and says why", async () => {
  const ann = await newcomer();
  await ann.composer.evaluate((field: HTMLTextAreaElement) => {
    field.value = "before \0 after";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await ann.composer.press("Enter");
  await ann.sees("Not sent: The message contains characters that cannot be stored.");
  await ann.page.locator(".refused").getByRole("button", { name: "Retry" }).click();
  await ann.sees("Not sent: The message contains characters that cannot be stored.");
  await ann.page.locator(".refused").getByRole("button", { name: "Delete" }).click();
  await eventually(() => ann.page.locator(".refused, .sending").count(), 0);
  await ann.sends("without it");
  await ann.seesMessage("without it");
});

test("messages written too fast wait with a countdown, and go out in order by themselves", async () => {
  const strict = await startWorld({ CHAT_MESSAGE_RATE_LIMIT: "2", CHAT_MESSAGE_RATE_WINDOW: "6" });
  const hall = await openBrowser(strict);
  try {
    const ann = await hall.person("ann");
    const guest = await hall.person("guest");
    const sent: string[] = [];
    const waits: number[] = [];
    ann.page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => sent.push(String(payload)));
      socket.on("framereceived", ({ payload }) => {
        const frame = JSON.parse(String(payload)) as ServerFrame;
        if (frame.type === "refusal") waits.push(frame.retryAfter ?? 0);
      });
    });
    await ann.registers();
    await guest.opens("/");
    const written = ["one", "two", "three", "four", "five"];
    await ann.page.evaluate(watchCountdown);
    for (const text of written) await ann.sends(text);

    const timer = ann.page.getByRole("timer");
    await timer.waitFor();
    expect(await timer.innerText()).toMatch(
      /^You are writing very fast\. Your message goes out in [1-6] s\.$/,
    );
    expect(await ann.reads()).toEqual(written);
    expect(await ann.page.locator(".refused").count()).toBe(0);
    await eventually(() => guest.reads(), ["one", "two"]);
    // What is written meanwhile waits as well: sent at once, it could overtake what was refused.
    await ann.sends("six");
    await ann.seesMessage("six");
    expect(sent.filter((frame) => frame.includes('"six"'))).toEqual([]);
    written.push("six");

    await eventually(() => guest.reads(), written, 30_000);
    await eventually(() => ann.page.locator(".sending, .refused").count(), 0);
    await timer.waitFor({ state: "detached" });
    expect(await ann.reads()).toEqual(written);
    const counted = await ann.page.evaluate(() => countdown());
    const wait = waits[0] ?? 0;
    expect(counted.slice(0, wait)).toEqual(Array.from({ length: wait }, (_, i) => wait - i));
    await hall.empty();
  } finally {
    await hall.close();
    await strict.stop();
  }
});

test("what still waits when the page is loaded anew goes out all the same", async () => {
  const strict = await startWorld({ CHAT_MESSAGE_RATE_LIMIT: "1", CHAT_MESSAGE_RATE_WINDOW: "3" });
  const hall = await openBrowser(strict);
  try {
    const ann = await hall.person("ann");
    const guest = await hall.person("guest");
    await ann.registers();
    await guest.opens("/");
    for (const text of ["one", "two", "three"]) await ann.sends(text);
    await ann.page.getByRole("timer").waitFor();
    await ann.page.reload();
    await ann.page.getByRole("timer").waitFor();
    for (const person of [ann, guest])
      await eventually(() => person.reads(), ["one", "two", "three"], 15_000);
    await eventually(() => ann.page.locator(".sending, .refused").count(), 0, 10_000);
    await hall.empty();
  } finally {
    await hall.close();
    await strict.stop();
  }
});

test("what still waits goes out in order on whatever live page its writer goes to, and what is refused stays", async () => {
  const strict = await startWorld({ CHAT_MESSAGE_RATE_LIMIT: "2", CHAT_MESSAGE_RATE_WINDOW: "2" });
  const hall = await openBrowser(strict);
  try {
    const host = await member(strict, "host");
    const slug = await makeRoom(host, "Hall");
    const client = await member(strict, "ann");
    await join(client, await invite(host, slug));
    const ann = await hall.person("ann");
    const guest = await hall.person("guest");
    await ann.logsIn("/rooms/public");
    await guest.opens("/");
    const written: string[] = [];
    const outboxes = () =>
      ann.page.evaluate(() => Object.keys(sessionStorage).filter((name) => name.startsWith("outbox:")));
    for (const path of ["/profile", `/rooms/${slug}`]) {
      const texts = [1, 2, 3, 4, 5].map((n) => `${n}, then to ${path}`);
      for (const text of texts) await ann.sends(text);
      written.push(...texts);
      await ann.page.goto(path);
      expect((await guest.reads()).length).toBeLessThan(written.length);
      await eventually(() => guest.reads(), written, 30_000);
      await eventually(outboxes, []);
      await ann.opens("/rooms/public");
      expect(await ann.reads()).toEqual(written);
    }

    const close = (closed: boolean) =>
      inDatabase(strict, "UPDATE rooms SET is_closed = ? WHERE slug = 'public'", closed);
    for (const text of ["six", "seven", "eight"]) await ann.sends(text);
    await eventually(async () => (await guest.reads()).at(-1) !== written.at(-1), true);
    await close(true);
    await ann.page.goto("/profile");
    await eventually(
      () => ann.page.evaluate(() => JSON.stringify(sessionStorage).includes("room_closed")),
      true,
    );
    await close(false);
    await ann.opens("/rooms/public");
    await ann.sees("Not sent: This room is closed: nobody writes here any more.");
    await hall.empty();
  } finally {
    await hall.close();
    await strict.stop();
  }
});

declare function countdown(): number[];

/** In the page: the seconds that the countdown has shown. */
function watchCountdown(): void {
  const shown: number[] = [];
  const look = () => {
    const seconds = Number(/(\d+) s\./.exec(document.querySelector("[role=timer]")?.textContent ?? "")?.[1]);
    if (seconds !== shown.at(-1) && !Number.isNaN(seconds)) shown.push(seconds);
  };
  const whatever = { subtree: true, childList: true, characterData: true };
  new MutationObserver(look).observe(document.body, whatever);
  Object.assign(globalThis, { countdown: () => shown });
}

function isFocused(person: Person): Promise<boolean> {
  return person.composer.evaluate((field) => document.activeElement === field);
}

/** The milliseconds that the page has worked so far, not counting those in which others had the processor. */
async function stopwatch({ page, context }: Person): Promise<() => Promise<number>> {
  const devtools = await context.newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return 1000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? NaN);
  };
}

interface Watched {
  /** The message was there before anything else could happen on the page than the key press. */
  isAtOnce: boolean;
  sending: string;
  settled: boolean;
  copies: number;
  removed: boolean;
}

declare function watched(): Watched;

/** In the page: follows one message from the key press on, its node and all its copies. */
function watchFor(text: string): void {
  let node: Element | undefined;
  let copies = 0;
  const seen = { isAtOnce: false, sending: "", settled: false, copies: 0, removed: false };
  const next = new MessageChannel();
  next.port1.addEventListener("message", () => (seen.isAtOnce = node !== undefined));
  next.port1.start();
  addEventListener("keydown", () => next.port2.postMessage(null), { capture: true, once: true });
  const look = () => {
    const found = [...document.querySelectorAll(".message")].filter(
      (message) => message.querySelector(".text")?.textContent === text,
    );
    copies = Math.max(copies, found.length);
    if (!node && found[0]) {
      node = found[0];
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
