import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member } from "../../src/testing/client.ts";
import { openGateway, type Gateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { said } from "./conversation.ts";
import { daysOf, fourDays, goToTop, loadOlder, timesIn } from "./reading.ts";

let world: World;
let browser: Browser;
let bob: Gateway;
let ids: number[];

beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
  const people = ["ann", "bob"];
  const [, client] = await Promise.all(people.map((name) => member(world, name)));
  if (!client) throw new Error("nobody came");
  ids = await said(world, fourDays(people));
  bob = await openGateway(client);
});
afterEach(() => browser.empty());
afterAll(async () => {
  bob.close();
  await browser.close();
  await world.stop();
});

const PAGES = {
  "the newest messages": () => "/",
  "older messages": () => `/rooms/public?before=${ids[100]}`,
  "a permalink": () => `/rooms/public/messages/${ids[60]}`,
};

for (const zone of ["Asia/Tokyo", "America/New_York"]) {
  describe(`a reader in ${zone} sees times and days of that zone`, () => {
    for (const [name, path] of Object.entries(PAGES)) {
      test(`on a first visit to ${name}, and on the next as the server sends it`, async () => {
        const visitor = await browser.person("visitor", { zone });
        await visitor.opens(path());
        await eventually(() => wrongTimes(visitor, zone), []);
        await eventually(async () => (await daysOf(visitor)).misplaced, []);
        expect(await namedTwice(visitor)).toEqual([]);

        const html = await (await visitor.context.request.get(path())).text();
        const sent = await visitor.page.evaluate(timesIn, { zone, html });
        expect(sent).toEqual({ right: 50, wrong: [] });
      });
    }

    test("in what is loaded later and in what comes live", async () => {
      const visitor = await browser.person("visitor", { zone });
      await visitor.opens("/");
      await visitor.opens("/");
      await goToTop(visitor);
      await loadOlder(visitor, (await visitor.reads()).length + 50);
      await bob.post(`good morning ${zone}`);
      await visitor.seesMessage(`good morning ${zone}`);
      expect(await wrongTimes(visitor, zone)).toEqual([]);
      expect((await daysOf(visitor)).misplaced).toEqual([]);
      expect(await namedTwice(visitor)).toEqual([]);
    });
  });
}

test("every time is there for machines, and to the second for people who ask", async () => {
  const zone = "America/New_York";
  const visitor = await browser.person("visitor", { zone });
  await visitor.opens(PAGES["a permalink"]());
  await eventually(() => wrongTimes(visitor, zone), []);
  const link = visitor.page.locator(".target .byline a[title]");
  const at = fourDays(["ann"])[60]?.at ?? 0;
  expect(await link.locator("time").getAttribute("datetime")).toBe(new Date(at).toISOString());
  expect(await link.getAttribute("title")).toMatch(/March 14, 2026 at 10:\d\d:\d\d\sPM$/);
});

async function wrongTimes(person: Person, zone: string): Promise<string[]> {
  return (await person.page.evaluate(timesIn, { zone })).wrong;
}

async function namedTwice(person: Person): Promise<string[]> {
  const { named } = await daysOf(person);
  return named.filter((day, i) => named.indexOf(day) !== i);
}
