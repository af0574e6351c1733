import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { everyLook, faultsOf, overflow, smallTargets } from "./appearance.ts";
import { said } from "./conversation.ts";
import { distanceToEnd, fourDays, goToTop, scrollUp } from "./reading.ts";

setDefaultTimeout(60_000);

let world: World;
let browser: Browser;
let bob: Client;
let chi: Client;
let ids: number[];
const past = fourDays(["bob", "bob", "chi"]);

beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
  [bob, chi] = [await member(world, "bob"), await member(world, "chi")];
  ids = await said(world, past);
});
afterEach(() => browser.empty());
afterAll(async () => {
  await browser.close();
  await world.stop();
});

let people = 0;

/** Somebody live in the room, who has said these things. */
async function speaker(
  texts: readonly string[],
  options?: Parameters<Browser["person"]>[1],
): Promise<Person> {
  const person = await browser.person(`speaker${++people}`, options);
  await person.registers();
  for (const text of texts) {
    await person.writes(text);
    await person.presses("Send");
    await settled(person, text);
  }
  return person;
}

/** A message that has its place. */
async function settled(person: Person, text: string): Promise<void> {
  await person.message(text).locator(".byline a time").waitFor();
}

async function begins(person: Person, act: "Edit" | "Delete", text: string): Promise<void> {
  const link = person.message(text).getByRole("link", { name: `${act} this message` });
  await link.focus();
  await person.page.keyboard.press("Enter");
}

const editor = ({ page }: Person) => page.getByRole("textbox", { name: "New text of the message" });
const dialog = ({ page }: Person) => page.getByRole("dialog", { name: "Delete this message?" });
const focused = ({ page }: Person) =>
  page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.tagName);
const change = (id: number | undefined, content: string) =>
  bob.patch(`/api/chat/rooms/public/messages/${id}/`, { content });

test("an edit and a removal appear with everybody in place, and nobody further up is moved", async () => {
  const ann = await speaker(["helo everybody", "and more"]);
  const guest = await browser.person("guest");
  await guest.opens("/");
  await guest.seesMessage("helo everybody");
  await scrollUp(guest, 300);
  const seen = guest.message(past.at(-6)?.text ?? "");
  const before = (await seen.boundingBox())?.y ?? NaN;

  await begins(ann, "Edit", "helo everybody");
  expect(await editor(ann).inputValue()).toBe("helo everybody");
  await editor(ann).fill("hello everybody\nin two lines");
  await ann.page.keyboard.press("Enter");
  for (const person of [ann, guest]) {
    await person.seesMessage("hello everybody\nin two lines");
    const mark = person.message("hello everybody\nin two lines").locator(".edited");
    expect(await mark.innerText()).toMatch(/^edited \d/);
    expect((await person.reads()).slice(-2)).toEqual(["hello everybody\nin two lines", "and more"]);
  }
  await editor(ann).waitFor({ state: "detached" });
  await eventually(() => focused(ann), "Message");

  await begins(ann, "Delete", "and more");
  await dialog(ann).getByRole("button", { name: "Delete" }).click();
  for (const person of [ann, guest]) {
    await eventually(() => person.page.locator(".message").last().innerText(), "Message removed");
    expect((await person.reads()).at(-1)).toBe("hello everybody\nin two lines");
  }
  await eventually(() => focused(ann), "Message");
  expect(Math.abs(((await seen.boundingBox())?.y ?? NaN) - before)).toBeLessThan(1);
  expect(await guest.page.locator(".actions").count()).toBe(0);
});

test("Up in an empty composer edits one's last message, and Esc brings the draft back", async () => {
  const ann = await speaker(["the one before", "the last one"]);
  await bob.post("/api/chat/rooms/public/messages/", { content: "somebody else" });
  await ann.seesMessage("somebody else");
  const { page, composer } = ann;
  await composer.focus();
  await page.keyboard.press("ArrowUp");
  expect(await editor(ann).inputValue()).toBe("the last one");
  await editor(ann).fill("never saved");
  await page.keyboard.press("Escape");
  await editor(ann).waitFor({ state: "detached" });
  await eventually(() => focused(ann), "Message");
  await settled(ann, "the last one");

  await ann.writes("a draft\nof two lines");
  await page.keyboard.press("ArrowUp");
  expect(await editor(ann).count()).toBe(0);
  await begins(ann, "Edit", "the one before");
  await editor(ann).fill("something else");
  await page.keyboard.press("Escape");
  await eventually(() => composer.inputValue(), "a draft\nof two lines");
  await begins(ann, "Edit", "the one before");
  await eventually(() => focused(ann), "New text of the message");
  await page.keyboard.press("End");
  await page.keyboard.insertText(", edited");
  await page.keyboard.press("Control+Enter");
  await settled(ann, "the one before, edited");
  await eventually(() => composer.inputValue(), "a draft\nof two lines");
});

test("the question before a removal keeps the focus in it, and gives it back", async () => {
  const ann = await speaker(["shall it go?"]);
  const { page } = ann;
  const within = () => page.evaluate(() => document.activeElement?.closest("dialog") !== null);
  const startsAt = () => page.evaluate(() => document.activeElement?.textContent);
  await begins(ann, "Delete", "shall it go?");
  await dialog(ann).waitFor();
  await eventually(startsAt, "Cancel");
  // Outside it there is the browser itself, which a page cannot see.
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press("Tab");
    expect((await within()) || (await focused(ann)) === "BODY").toBe(true);
  }
  await page.keyboard.press("Escape");
  await dialog(ann).waitFor({ state: "detached" });
  expect(await focused(ann)).toBe("Delete this message");

  await page.keyboard.press("Enter");
  await dialog(ann).getByRole("button", { name: "Cancel" }).click();
  await dialog(ann).waitFor({ state: "detached" });
  expect(await focused(ann)).toBe("Delete this message");
  await settled(ann, "shall it go?");

  await begins(ann, "Edit", "shall it go?");
  await editor(ann).fill("let it go");
  await ann.presses("Delete");
  await dialog(ann).getByText("shall it go?").waitFor();
  await page.keyboard.press("Escape");
  await dialog(ann).waitFor({ state: "detached" });
  expect(await editor(ann).inputValue()).toBe("let it go");
  await ann.presses("Delete");
  await eventually(startsAt, "Cancel");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await eventually(() => page.locator(".message").last().innerText(), "Message removed");
  await eventually(() => focused(ann), "Message");
});

test("a refused edit keeps its text, says why, and goes through when it may", async () => {
  const ann = await speaker(["before"]);
  await begins(ann, "Edit", "before");
  await editor(ann).fill("x".repeat(1003));
  await ann.sees("3 characters too many");
  await editor(ann).fill("after");
  const close = (closed: boolean) =>
    inDatabase(world, "UPDATE rooms SET is_closed = ? WHERE slug = 'public'", closed);
  await close(true);
  try {
    await ann.page.keyboard.press("Enter");
    await ann.sees("This room is closed: nobody writes here any more.");
    expect(await editor(ann).inputValue()).toBe("after");
    await settled(ann, "before");
  } finally {
    await close(false);
  }
  await ann.presses("Save");
  await settled(ann, "after");
  await editor(ann).waitFor({ state: "detached" });
});

test("an edit and a removal that are made offline are done when the connection is back", async () => {
  const ann = await speaker(["typo", "nonsense"]);
  ann.expects(/ERR_INTERNET_DISCONNECTED/);
  const acts: (() => Promise<void>)[] = [
    async () => {
      await begins(ann, "Edit", "typo");
      await editor(ann).fill("type");
      await ann.page.keyboard.press("Enter");
    },
    async () => {
      await begins(ann, "Delete", "nonsense");
      await dialog(ann).getByRole("button", { name: "Delete" }).click();
    },
  ];
  for (const act of acts) {
    await ann.context.setOffline(true);
    await act();
    await ann.sees("One moment…");
    await ann.context.setOffline(false);
    await eventually(() => ann.page.locator(".editor, dialog").count(), 0);
  }
  await settled(ann, "type");
  await eventually(() => ann.page.locator(".message").last().innerText(), "Message removed");
});

test("an edit that nobody has saved is there again after a reload, and after a removal in between", async () => {
  const ann = await speaker(["unfinished", "superfluous"]);
  let isLost = true;
  await ann.page.routeWebSocket("**/ws/", (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((frame) => void ((isLost && String(frame).includes('"edit"')) || server.send(frame)));
  });
  await ann.page.reload();
  await ann.writes("a draft");
  await begins(ann, "Edit", "unfinished");
  await editor(ann).fill("finished");
  await ann.page.keyboard.press("Enter");
  await ann.sees("One moment…");
  isLost = false;
  await ann.page.reload();
  await eventually(() => editor(ann).inputValue(), "finished");
  await settled(ann, "unfinished");

  await begins(ann, "Delete", "superfluous");
  await dialog(ann).getByRole("button", { name: "Cancel" }).click();
  await dialog(ann).waitFor({ state: "detached" });
  expect(await editor(ann).inputValue()).toBe("finished");
  expect(await focused(ann)).toBe("Delete this message");

  await ann.presses("Save");
  await settled(ann, "finished");
  await eventually(() => ann.composer.inputValue(), "a draft");
  await begins(ann, "Edit", "finished");
  await editor(ann).fill("never wanted");
  await ann.page.keyboard.press("Escape");
  await eventually(() => ann.composer.inputValue(), "a draft");
  await ann.page.reload();
  await settled(ann, "finished");
  await eventually(() => ann.composer.inputValue(), "a draft");
  expect(await editor(ann).count()).toBe(0);
});

test("without a socket the form saves, and the draft is still there", async () => {
  const ann = await speaker(["over the socket", "and this one"]);
  await ann.writes("a draft");
  await ann.page.routeWebSocket("**/ws/", () => {});
  await ann.page.reload();
  await begins(ann, "Edit", "over the socket");
  await editor(ann).fill("by the form");
  await ann.page.keyboard.press("Enter");
  await settled(ann, "by the form");
  await eventually(() => ann.composer.inputValue(), "a draft");
  expect(new URL(ann.page.url()).pathname).toBe("/rooms/public");
  await begins(ann, "Delete", "and this one");
  await dialog(ann).getByRole("button", { name: "Delete" }).click();
  await eventually(() => ann.page.locator(".message").last().innerText(), "Message removed");
});

test("with scripts off the links lead to a page that has the forms", async () => {
  const ann = await browser.person("textual", { javaScriptEnabled: false });
  await ann.registers();
  for (const text of ["frist", "second"]) {
    await ann.composer.fill(text);
    await ann.presses("Send");
    await settled(ann, text);
  }
  await begins(ann, "Edit", "frist");
  await ann.page.waitForURL("**/messages/*");
  await editor(ann).fill("first");
  await ann.presses("Save");
  await ann.page.waitForURL("**/rooms/public#m*");
  await settled(ann, "first");
  await begins(ann, "Delete", "second");
  await ann.page.waitForURL("**/messages/*");
  await ann.presses("Remove this message");
  await ann.page.waitForURL("/rooms/public");
  await eventually(() => ann.page.locator(".message").last().innerText(), "Message removed");
  expect((await ann.reads()).at(-1)).toBe("first");
});

describe("among older messages", () => {
  const rowOf = (person: Person, at: number) => person.page.locator(`#history #m${ids[at]}`);

  /** Somebody who has loaded two pages of history, and the requests for rows that their page makes. */
  async function historian(): Promise<{ reader: Person; asked: string[] }> {
    const reader = await browser.person("historian");
    const asked: string[] = [];
    reader.page.on("request", (request) => {
      if (request.url().includes("/rows?")) asked.push(request.url());
    });
    await reader.opens("/rooms/public");
    for (const shown of [50, 100]) {
      await goToTop(reader);
      await reader.follows("Older messages");
      await eventually(() => reader.page.locator("#history .message").count(), shown);
    }
    return { reader, asked };
  }

  test("an edit changes its row alone, where it stands", async () => {
    const { reader, asked } = await historian();
    const row = rowOf(reader, 120);
    await row.evaluate((element) => element.scrollIntoView({ block: "center" }));
    await row.evaluate((element) => Object.assign(globalThis, { kept: element }));
    const [before, place] = [await row.getAttribute("class"), await distanceToEnd(reader)];
    expect((await change(ids[120], "edited among older ones")).status).toBe(200);
    await reader.seesMessage("edited among older ones");
    expect(await row.getAttribute("class")).toBe(before);
    expect(await row.locator(".edited").count()).toBe(1);
    expect(await row.evaluate((element) => element === (globalThis as { kept?: unknown }).kept)).toBe(true);
    expect(Math.abs((await distanceToEnd(reader)) - place)).toBeLessThan(30);
    expect(asked).toHaveLength(1);
  });

  test("what stood under the name of a removed message has one of its own", async () => {
    const { reader } = await historian();
    const at = await reader.page.evaluate(() => {
      const [row] = document.querySelectorAll("#history .message:not(.grouped, .removed):has(+ .grouped)");
      return row?.id;
    });
    const row = reader.page.locator(`#history #${at}`);
    const next = reader.page.locator(`#history #${at} + .message`);
    expect(await next.locator(".face").count()).toBe(0);
    const by = await row.locator(".byline b").innerText();
    const sender = by === "bob" ? bob : chi;
    expect((await sender.delete(`/api/chat/rooms/public/messages/${at?.slice(1)}/`)).status).toBe(204);
    await eventually(() => row.innerText(), "Message removed");
    await eventually(() => next.locator(".face").count(), 1);
  });

  test("whatever has changed while a reader was away comes with one request", async () => {
    const { reader, asked } = await historian();
    const mine = past.flatMap(({ by }, at) => (by === "bob" && at > 90 && at < 130 ? [at] : []));
    expect(mine.length).toBeGreaterThan(15);
    reader.expects(/ERR_INTERNET_DISCONNECTED/);
    await reader.context.setOffline(true);
    for (const at of mine) expect((await change(ids[at], `changed in absence, ${at}`)).status).toBe(200);
    await reader.context.setOffline(false);
    for (const at of mine) {
      await eventually(() => rowOf(reader, at).locator(".text").innerText(), `changed in absence, ${at}`);
    }
    expect(asked).toHaveLength(1);
  });

  test("an edit is not lost that happens while the page before is on its way", async () => {
    const reader = await browser.person("impatient");
    const frames: string[] = [];
    reader.page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => frames.push(String(payload)));
    });
    await reader.opens("/rooms/public");
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: held, resolve: hold } = Promise.withResolvers<void>();
    await reader.page.route("**/rooms/public?before=*", async (route) => {
      const response = await route.fetch();
      hold();
      await released;
      await route.fulfill({ response });
    });
    await goToTop(reader);
    await reader.follows("Older messages");
    await held;
    const at = past.findLastIndex(({ by }, place) => by === "bob" && place < 110);
    expect((await change(ids[at], "changed on the way")).status).toBe(200);
    await eventually(async () => frames.some((frame) => frame.includes("changed on the way")), true);
    release();
    await eventually(() => rowOf(reader, at).locator(".text").innerText(), "changed on the way");
  });

  test("one's own message is edited there as anywhere", async () => {
    const reader = await browser.person("bob");
    await reader.logsIn();
    await reader.isLive();
    await goToTop(reader);
    await reader.follows("Older messages");
    const own = reader.page.locator("#history .message:has(.actions)").last();
    await own.getByRole("link", { name: "Edit this message" }).focus();
    await reader.page.keyboard.press("Enter");
    await editor(reader).fill("of my own, long ago");
    await reader.page.keyboard.press("Enter");
    await eventually(() => own.locator(".text").innerText(), "of my own, long ago");
    expect(await own.locator(".actions").count()).toBe(1);
  });
});

for (const { locale, scheme } of everyLook([1280])) {
  test(`editing and deleting are accessible, fit and speak ${locale}, ${scheme}`, async () => {
    for (const width of [320, 1280]) {
      const viewport = { width, height: 800 };
      const text = `Своё сообщение ${++people}`;
      const ann = await browser.person(`Автор${people}`, {
        locale,
        scheme,
        viewport,
        touch: width === 320,
      });
      await ann.registers();
      await ann.page.locator(".composer textarea").fill(text);
      await ann.page.locator(".composer .primary").click();
      await settled(ann, text);
      const faults: string[] = [];
      const look = async (what: string) => {
        faults.push(...(await faultsOf(ann, what, locale, scheme)));
        if ((await overflow(ann)) > 0) faults.push(`${what} is too wide`);
        if (width === 320) faults.push(...(await smallTargets(ann)).map((small) => `${what}: ${small}`));
      };
      // Only what is new here: the rest of the room is in English on purpose.
      await ann.page.locator(".message:not(:last-child)").evaluateAll((rows) => {
        for (const row of rows) row.setAttribute("lang", "de");
      });
      await ann.page.locator("[data-act=edit]").focus();
      await look("the links");
      await ann.page.keyboard.press("Enter");
      await ann.page.locator(".editor").waitFor();
      await look("the editor");
      await ann.page.locator(".editor .danger").click();
      await ann.page.locator("dialog").waitFor();
      await look("the question");
      await ann.page.goto((await ann.page.locator("[data-act=edit]").getAttribute("href")) ?? "");
      await ann.page.locator(".message:not(.target)").evaluateAll((rows) => {
        for (const row of rows) row.setAttribute("lang", "de");
      });
      await look("the message's own page");
      expect(faults).toEqual([]);
    }
  });
}
