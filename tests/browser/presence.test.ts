import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member } from "../../src/testing/client.ts";
import { openPresence } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { faultsOf, smallTargets } from "./appearance.ts";

const ROOM = "/rooms/public";

let world: World;
let browser: Browser;
let people = 0;

/** Cyrillic, so that no name is taken for a word left in English. */
const newName = () => `Мария_${++people}`;

beforeAll(async () => {
  world = await startWorld({ PRESENCE_GRACE: "1" });
  browser = await openBrowser(world);
});
afterEach(async () => {
  await browser.empty();
  // Whoever closed their browser is waited for.
  await Bun.sleep(1_200);
});
afterAll(async () => {
  await browser.close();
  await world.stop();
});

const opensList = ({ page }: Person) => page.locator("details.presence summary").click();
const listed = ({ page }: Person) => page.locator(".people a [dir]").allInnerTexts();

test("members see each other come and go, while the list stays open", async () => {
  const [ann, bob] = [await browser.person(newName()), await browser.person(newName())];
  await ann.registers();
  await ann.sees("1 online");
  await opensList(ann);
  expect(await listed(ann)).toEqual([ann.name]);

  await bob.registers();
  await ann.sees("2 online");
  await eventually(() => listed(ann), [ann.name, bob.name]);
  await opensList(bob);
  expect(await listed(bob)).toEqual([ann.name, bob.name]);
  const link = bob.page.getByRole("link", { name: ann.name });
  expect(await link.getAttribute("href")).toBe(`/users/${encodeURIComponent(ann.name)}`);

  await bob.presses("Log out");
  await eventually(() => listed(ann), [ann.name]);
  await ann.sees("1 online");
});

test("going from page to page is no leaving; closing the window is", async () => {
  // A busy machine may take longer than a second from one page to the next.
  const patient = await startWorld({ PRESENCE_GRACE: "5" });
  const hall = await openBrowser(patient);
  try {
    const [ann, bob] = [await hall.person(newName()), await hall.person(newName())];
    await ann.registers();
    await bob.registers();
    await ann.sees("2 online");
    const seen: string[] = [];
    await ann.page.exposeFunction("tellCount", (text: string) => void seen.push(text));
    await ann.page.evaluate(() => {
      const { tellCount } = window as unknown as { tellCount(text: string): void };
      const count = document.querySelector("details.presence summary");
      const watch = new MutationObserver(() => tellCount(count?.textContent ?? ""));
      if (count) watch.observe(count, { subtree: true, characterData: true, childList: true });
    });
    await bob.opens(ROOM);
    await bob.opens("/");
    await Bun.sleep(5_500);
    expect(seen).toEqual([]);
    await bob.page.close();
    await ann.sees("1 online");
    await hall.empty();
  } finally {
    await hall.close();
    await patient.stop();
  }
});

test("guests see how many they are and nobody's name; members see how many guests there are", async () => {
  const [ann, guest] = [await browser.person(newName()), await browser.person("guest")];
  const frames: string[] = [];
  guest.page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => frames.push(String(payload))),
  );
  await ann.registers();
  await opensList(ann);
  await ann.seesNot("and 1 guest");
  await guest.opens(ROOM);
  await guest.sees("1 guest here now");
  await ann.sees("and 1 guest");
  expect(await guest.page.locator("details.presence").count()).toBe(0);
  expect(frames.filter((frame) => frame.includes('"presence"'))).not.toEqual([]);
  expect(frames.join()).not.toContain(ann.name);
  expect(await (await fetch(world.url + ROOM)).text()).not.toContain(ann.name);
});

test("the page needs one socket for all that is live on it", async () => {
  const ann = await browser.person(newName());
  let sockets = 0;
  ann.page.on("websocket", () => sockets++);
  await ann.registers();
  await ann.sees("1 online");
  await ann.sends("вместе");
  await ann.seesMessage("вместе");
  expect(sockets).toBe(1);
});

test("a member whose session ends on an open page sees what guests see", async () => {
  const ann = await browser.person(newName());
  await ann.registers();
  await ann.sees("1 online");
  const tab = await ann.opensTab();
  await tab.opens(ROOM);
  await tab.presses("Log out");
  await ann.sees(/guests? here now/);
  expect(await ann.page.locator("details.presence").count()).toBe(0);
});

test("nothing moves when the number comes, for guests as for members", async () => {
  for (const viewport of [
    { width: 390, height: 800 },
    { width: 1280, height: 800 },
  ]) {
    const still = await browser.person("still", { viewport, javaScriptEnabled: false });
    const guest = await browser.person("guest", { viewport });
    const top = async ({ scroller }: Person) => (await scroller.boundingBox())?.y;
    for (const path of ["/", ROOM]) {
      await still.page.goto(path);
      expect(await still.page.locator(".presence").innerText()).toBe("");
      await guest.opens(path);
      await guest.sees("1 guest here now");
      expect(await top(guest)).toBe(await top(still));
    }
    await guest.page.close();
  }
});

test("without scripts a member reads who is here as of now", async () => {
  const away = await openPresence(await member(world, "Пётр"));
  await away.next();
  const ann = await browser.person(newName(), { javaScriptEnabled: false, locale: "ru-RU" });
  await ann.signsUp();
  await ann.sees("2 в сети");
  await opensList(ann);
  expect(await listed(ann)).toEqual(["Пётр", ann.name]);
  away.close(1000);
  await away.closed;
  await ann.page.reload();
  await ann.sees("1 в сети");
});

for (const locale of ["en-US", "ru-RU"] as const) {
  for (const [width, scheme] of [
    [390, "dark"],
    [1280, "light"],
  ] as const) {
    test(`the list is accessible and fits, in ${locale}, ${scheme}, at ${width} pixels`, async () => {
      const options = { locale, scheme, viewport: { width, height: 800 } };
      const [ann, guest] = [await browser.person(newName(), options), await browser.person("guest", options)];
      await ann.registers();
      await guest.opens(ROOM);
      const other = await openPresence(await member(world, `${"Длинное_имя_".repeat(8)}${++people}`));
      await ann.sees(locale === "en-US" ? "2 online" : "2 в сети");
      await opensList(ann);
      await ann.sees(locale === "en-US" ? "and 1 guest" : "и ещё 1 гость");
      expect([
        ...(await faultsOf(ann, "the open list", locale, scheme)),
        ...(await faultsOf(guest, "the number", locale, scheme)),
      ]).toEqual([]);
      other.close(1000);
    });
  }
}

test("the list is large enough for a finger", async () => {
  const ann = await browser.person(newName(), { touch: true, viewport: { width: 390, height: 800 } });
  await ann.registers();
  await opensList(ann);
  const heights = await ann.page
    .locator(".people a")
    .evaluateAll((links) => links.map((link) => link.getBoundingClientRect().height));
  expect(heights.length).toBeGreaterThan(0);
  expect(heights.filter((height) => height < 44)).toEqual([]);
  expect(await smallTargets(ann)).toEqual([]);
});
