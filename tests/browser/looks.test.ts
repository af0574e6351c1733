import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { eventually, openBrowser, type Browser } from "../../src/testing/browser.ts";
import { member } from "../../src/testing/client.ts";
import { openGateway, type Gateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { scrollUp } from "./reading.ts";
import { everyLook, appearance, faultsOf, overflow, smallTargets } from "./appearance.ts";
import { said } from "./conversation.ts";

let world: World;
let browser: Browser;
let bob: Gateway;
let ids: number[];

beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
  const client = await member(world, "боб");
  await member(world, "анна");
  ids = await said(world, lines(52));
  bob = await openGateway(client);
});
afterEach(() => browser.empty());
afterAll(async () => {
  bob.close();
  await browser.close();
  await world.stop();
});

/** Of all kinds: short and long, grouped and not, on several days, one large emoji. */
function lines(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    by: i % 5 < 2 ? "анна" : "боб",
    text: i % 5 === 4 ? "🎉🎉" : `Сообщение ${i}${i % 7 === 3 ? ", довольно длинное. ".repeat(8) : ""}`,
    at: Date.UTC(2026, 2, 14, 9) + Math.floor(i / 2) * 14_000_000,
  }));
}

let people = 0;

/** Cyrillic, so that no name is taken for a word left in English. */
const newName = () => `Анастасия_Владимировна_${++people}`;

const GUEST_PAGES: Record<string, () => string> = {
  "the front page": () => "/",
  "the login form": () => "/login",
  "the registration form": () => "/register?next=%2Frooms%2Fpublic",
  "a permalink": () => `/rooms/public/messages/${ids[10]}`,
  "a page of history": () => `/rooms/public?before=${ids[51]}`,
  "a page that does not exist": () => "/nothing-here",
};

for (const { locale, scheme, width } of everyLook([390, 1280])) {
  test(`every page is accessible, fits and speaks ${locale}, ${scheme}, at ${width} pixels`, async () => {
    const expects = [/status of (404|422)/];
    const viewport = { width, height: 800 };
    const guest = await browser.person("guest", { locale, scheme, viewport, expects });
    const ann = await browser.person(newName(), { locale, scheme, viewport });
    const faults: string[] = [];
    for (const [name, path] of Object.entries(GUEST_PAGES)) {
      await guest.opens(path());
      faults.push(...(await faultsOf(guest, name, locale, scheme)));
    }
    await guest.opens("/login");
    await guest.page.locator("[name=username]").fill("nobody");
    await guest.page.locator("[name=password]").fill("wrong");
    await guest.page.locator("main button").click();
    await guest.page.locator("main .problem").waitFor();
    faults.push(...(await faultsOf(guest, "a login refused", locale, scheme)));

    await ann.registers();
    faults.push(...(await faultsOf(ann, "the room of a member", locale, scheme)));
    await ann.page.locator(".preferences summary").click();
    faults.push(...(await faultsOf(ann, "the preferences", locale, scheme)));
    expect(faults).toEqual([]);
  });
}

test("nothing is wider than a window of 320 pixels", async () => {
  for (const locale of ["en-US", "ru-RU"] as const) {
    const viewport = { width: 320, height: 568 };
    const guest = await browser.person("guest", { locale, viewport, expects: [/status of 404/] });
    const ann = await browser.person(newName(), { locale, viewport });
    await ann.registers();
    const overflows: Record<string, number> = { "the room of a member": await overflow(ann) };
    for (const [name, path] of Object.entries(GUEST_PAGES)) {
      await guest.opens(path());
      overflows[name] = await overflow(guest);
    }
    expect(Object.entries(overflows).filter(([, pixels]) => pixels > 0)).toEqual([]);
  }
});

test("language and theme stay as chosen, in every tab and after every visit", async () => {
  const guest = await browser.person("guest");
  await guest.opens("/");
  await guest.page.locator(".preferences summary").click();
  await guest.presses("Русский");
  await guest.sees("Общая комната");
  await guest.page.locator(".preferences summary").click();
  await guest.presses("Тёмная");
  await guest.page.locator("html[lang=ru][data-theme=dark]").waitFor();
  const tab = await guest.opensTab();
  await tab.opens("/login");
  expect(await appearance(tab)).toEqual({ lang: "ru", theme: "dark", scheme: "dark" });
  await tab.page.emulateMedia({ colorScheme: "dark" });
  await tab.page.locator(".preferences summary").click();
  await tab.presses("Светлая");
  await tab.page.locator("html[data-theme=light]").waitFor();
  expect(await appearance(tab)).toEqual({ lang: "ru", theme: "light", scheme: "light" });
  await tab.page.locator(".preferences summary").click();
  await tab.presses("Авто");
  await tab.page.locator("html:not([data-theme])").waitFor();
  expect(await appearance(tab)).toEqual({ lang: "ru", scheme: "dark" });
});

test("numbers are written as in the reader's language", async () => {
  for (const [locale, words] of [
    ["en-US", "1,234 characters too many"],
    ["ru-RU", /Лишних символов: 1\s234/],
  ] as const) {
    const ann = await browser.person(newName(), { locale });
    await ann.registers();
    await ann.composer.fill("x".repeat(2_234));
    await ann.sees(words);
  }
});

test("nothing moves by itself for those who asked for calm", async () => {
  for (const reducedMotion of [false, true]) {
    const reader = await browser.person("reader", { reducedMotion });
    await reader.opens("/");
    await scrollUp(reader, 600);
    await reader.page.evaluate(() => {
      addEventListener("animationstart", () => document.body.classList.add("has-moved"));
      addEventListener("transitionstart", () => document.body.classList.add("has-moved"));
    });
    await bob.post(`движение ${reducedMotion}`);
    await reader.sees("1 new message");
    const moved = () => reader.page.locator(".has-moved").count();
    if (!reducedMotion) await eventually(moved, 1);
    await Bun.sleep(100);
    expect(await moved()).toBe(reducedMotion ? 0 : 1);
  }
});

test("the first Tab offers to skip to the content", async () => {
  const ann = await browser.person(newName());
  await ann.registers();
  await ann.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await ann.page.keyboard.press("Tab");
  const skip = ann.page.getByRole("link", { name: "Skip to content" });
  const box = await skip.boundingBox();
  expect(await skip.evaluate((link) => getComputedStyle(link).clipPath)).toBe("none");
  expect(box && box.y >= 0 && box.height >= 24).toBe(true);
  await ann.page.keyboard.press("Enter");
  await ann.page.keyboard.press("Tab");
  const inside = () => ann.page.evaluate(() => document.activeElement?.closest("main") !== null);
  await eventually(inside, true);
});

test("buttons, fields and links of the bar are large enough for a finger", async () => {
  const viewport = { width: 390, height: 800 };
  const guest = await browser.person("guest", { touch: true, viewport, expects: [/status of 404/] });
  const ann = await browser.person(newName(), { touch: true, viewport });
  await ann.registers();
  const small = [...(await smallTargets(ann))];
  await ann.page.locator(".preferences summary").click();
  small.push(...(await smallTargets(ann)));
  for (const [name, path] of Object.entries(GUEST_PAGES)) {
    await guest.opens(path());
    small.push(...(await smallTargets(guest)).map((target) => `${name}: ${target}`));
  }
  await guest.opens("/");
  await guest.scroller.evaluate((scroller) => scroller.scrollTo(0, -scroller.scrollHeight));
  small.push(...(await smallTargets(guest)));
  expect(small).toEqual([]);
});
