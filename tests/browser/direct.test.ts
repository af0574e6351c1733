import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { catalogs } from "../../src/shared/locale/locale.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { faultsOf, smallTargets } from "./appearance.ts";

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
/** Cyrillic, so that no name is taken for a word left in English. */
const newName = (name: string) => `${name}_${++people}`;

const placeOf = ({ page }: Person) => new URL(page.url()).pathname;
const roomName = ({ page }: Person) => page.locator("h1.room-name").innerText();
const roomInList = ({ page }: Person, name: string) => page.locator(".room-list a", { hasText: name });

test.each([
  ["in English with scripts on", "en-US", true],
  ["in Russian with scripts off", "ru-RU", false],
] as const)("two people find each other and talk alone, %s", async (_, locale, javaScriptEnabled) => {
  const t = catalogs[locale === "ru-RU" ? "ru" : "en"];
  const options = { locale, javaScriptEnabled };
  /** With scripts off what is new comes with the next page. */
  const look = async (person: Person) => void (javaScriptEnabled || (await person.page.reload()));
  const says = async (person: Person, text: string) => {
    await person.composer.fill(text);
    await person.presses(t.composer.send);
    await person.seesMessage(text);
    await eventually(() => person.page.locator(".sending").count(), 0);
  };
  const ann = await browser.person(newName("Анна"), options);
  const bob = await browser.person(newName("Борис"), options);
  await ann.signsUp("/rooms/public");
  await bob.signsUp("/rooms/public");

  await ann.opens("/rooms/public");
  await says(ann, `I am ${ann.name}`);
  await look(bob);
  await bob.message(`I am ${ann.name}`).getByRole("link", { name: ann.name, exact: true }).click();
  await bob.page.waitForURL(`/users/${encodeURIComponent(ann.name)}`);
  await bob.presses(t.user.write);
  await bob.page.waitForURL(/\/rooms\/[0-9a-f]{12}$/);
  expect(await roomName(bob)).toBe(ann.name);
  if (javaScriptEnabled) await bob.isLive();
  await says(bob, "just between us");

  await ann.opens("/rooms");
  expect(await roomInList(ann, bob.name).locator(".unread").innerText()).toBe("1");
  await roomInList(ann, bob.name).click();
  await ann.page.waitForURL(placeOf(bob));
  expect(await roomName(ann)).toBe(bob.name);
  await ann.seesMessage("just between us");
  if (javaScriptEnabled) await ann.isLive();
  await says(ann, "I am listening");
  await look(bob);
  await bob.seesMessage("I am listening");
  await says(bob, "good");
  await look(ann);
  await ann.seesMessage("good");
  for (const person of [ann, bob])
    expect(await person.reads()).toEqual(["just between us", "I am listening", "good"]);
  expect(await ann.page.locator('a[href$="/settings"]').count()).toBe(0);

  // The same way back: it is the same room for both.
  await ann.opens(`/users/${encodeURIComponent(bob.name)}`);
  await ann.presses(t.user.write);
  await ann.page.waitForURL(placeOf(bob));
  await ann.seesMessage("good");

  const carl = await browser.person(newName("Карл"), { ...options, expects: [/404/] });
  await carl.signsUp("/rooms/public");
  await carl.opens(placeOf(bob));
  await carl.sees(t.errors[404].title);
  await carl.seesNot("just between us");
});

test("a direct room with the longest name fits on a phone, in light and dark", async () => {
  const bob = await browser.person("b".repeat(150));
  await bob.signsUp("/rooms/public");
  const faults: string[] = [];
  for (const scheme of ["light", "dark"] as const) {
    const viewport = { width: 320, height: 640 };
    const ann = await browser.person(newName("Анна"), { viewport, scheme, touch: true });
    await ann.signsUp(`/users/${bob.name}`);
    await ann.presses(catalogs.en.user.write);
    await ann.page.waitForURL(/\/rooms\/[0-9a-f]{12}$/);
    await ann.isLive();
    expect(await roomName(ann)).toBe(bob.name);
    faults.push(...(await faultsOf(ann, "a direct room", "en-US", scheme)));
    expect(await smallTargets(ann)).toEqual([]);
  }
  expect(faults).toEqual([]);
});
