import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { invite, join, makeRoom, press } from "../../src/testing/rooms.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { catalogs } from "../../src/shared/locale/locale.ts";
import { fill } from "../../src/shared/locale/format.ts";
import { everyLook, faultsOf, overflow, smallTargets } from "./appearance.ts";
import { scrollUp } from "./reading.ts";

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

/** Where somebody is: `/rooms/<slug>`. */
const placeOf = (person: Person) => new URL(person.page.url()).pathname;

/** The unread messages that the page shows beside a room. */
async function unread(person: Person, room: string): Promise<string> {
  const link = person.page.locator(".room-list a", { hasText: room });
  await link.first().waitFor();
  const count = link.locator(".unread");
  return (await count.count()) > 0 ? count.innerText() : "";
}

/** The link of the newest invitation, as somebody copies it. */
async function linkOn(person: Person): Promise<string> {
  const link = await person.page.locator(".invitations input").first().inputValue();
  return link.replace(world.url, "");
}

test("what comes in elsewhere is counted beside the conversation as it comes, and gone once it is read", async () => {
  const viewport = { width: 1280, height: 800 };
  const bob = await browser.person(newName("Боб"), { viewport });
  await bob.registers("/rooms/public");
  const client = await member(world, newName("Хозяйка"));
  const name = newName("Сад");
  const slug = await makeRoom(client, name);
  await bob.opens(await invite(client, slug));
  await bob.presses(catalogs.en.invitation.join);
  await bob.opens("/");
  await bob.isLive();
  expect(await unread(bob, name)).toBe("");

  const writer = await openGateway(client, []);
  await writer.post("раз", undefined, slug);
  await eventually(() => unread(bob, name), "1");
  await writer.post("два", undefined, slug);
  await eventually(() => unread(bob, name), "2");
  const tab = await bob.opensTab();
  await tab.opens(`/rooms/${slug}`);
  await tab.isLive();
  await tab.sends("три");
  expect(await unread(bob, name)).toBe("2");

  await bob.follows(new RegExp(name));
  await bob.seesMessage("три");
  await bob.opens("/");
  expect(await unread(bob, name)).toBe("");
  writer.close();
});

describe.each(["en-US", "ru-RU"] as const)("in %s,", (locale) => {
  const t = catalogs[locale === "ru-RU" ? "ru" : "en"];
  const settings = t.roomSettings;

  for (const javaScriptEnabled of [true, false]) {
    test(`people make a room, invite, talk, part and end it, with scripts ${javaScriptEnabled ? "on" : "off"}`, async () => {
      const options = { locale, javaScriptEnabled };
      const newcomer = (name: string) => browser.person(newName(name), options);
      /** With scripts off what is new comes with the next page. */
      const look = async (person: Person) => void (javaScriptEnabled || (await person.page.reload()));
      const sends = async (person: Person, text: string) => {
        if (javaScriptEnabled) return person.sends(text);
        await person.composer.fill(text);
        await person.presses(t.composer.send);
        await person.seesMessage(text);
      };
      const enter = (person: Person, next: string) =>
        javaScriptEnabled ? person.registers(next) : person.signsUp(next);
      const act = (name: string, whom: Person) => `${name}: ${whom.name}`;

      const ann = await newcomer("Анна");
      const name = newName("Поход");
      await enter(ann, "/rooms/public");
      await ann.follows(t.nav.rooms);
      await ann.sees(t.rooms.none);
      await ann.page.getByLabel(t.rooms.name, { exact: true }).fill(name);
      await ann.presses(t.rooms.create);
      await ann.page.waitForURL(/\/rooms\/[0-9a-f]{12}$/);
      const room = placeOf(ann);
      expect(await ann.page.locator("h1").innerText()).toBe(name);
      await ann.sees(t.room.empty);

      await ann.follows(t.room.settings);
      await ann.presses(settings.invite);
      const link = await linkOn(ann);
      expect(link).toMatch(/^\/invitations\/\d+-[\w-]{22}$/);

      const bob = await newcomer("Борис");
      await bob.opens(link);
      await bob.sees(fill(t.invitation.from, { name: ann.name }));
      await bob.follows(t.invitation.register);
      await enter(bob, room);
      await ann.opens(room);
      await sends(bob, "hello from bob");
      await look(ann);
      await ann.seesMessage("hello from bob");
      await sends(ann, "hello from ann");
      await look(bob);
      await bob.seesMessage("hello from ann");

      await ann.opens("/rooms/public");
      await sends(bob, "one more");
      await sends(bob, "and another");
      await ann.page.reload();
      // Somebody whose page was open has seen the first ones; without scripts it does not tell.
      await eventually(() => unread(ann, name), "2");
      if (javaScriptEnabled) {
        await ann.opens(room);
        await ann.seesMessage("and another");
        await eventually(async () => {
          await ann.page.goto("/rooms");
          return unread(ann, name);
        }, "");
      } else {
        await ann.page.goto("/rooms");
        await ann.presses(t.rooms.readAll);
        expect(await unread(ann, name)).toBe("");
        expect(await ann.page.getByRole("button", { name: t.rooms.readAll }).count()).toBe(0);
      }

      const carl = await newcomer("Карл");
      await carl.opens(link);
      await carl.follows(t.invitation.register);
      await enter(carl, room);
      await ann.opens(`${room}/settings`);
      await ann.sees(`${settings.cameBy} ${bob.name}, ${carl.name}`);
      await ann.presses(act(settings.acts.remove, bob));
      await ann.sees(settings.roles.removed);
      if (javaScriptEnabled) {
        await bob.sees(t.live.removed);
        await bob.sends("am I still here?");
        await bob.sees(`${t.message.refused}: ${t.refusals.not_found}`);
      } else {
        bob.expects(/404/);
        await bob.composer.fill("am I still here?");
        await bob.presses(t.composer.send);
        await bob.sees(t.errors[404].title);
      }
      await sends(carl, "without bob");
      await ann.opens(room);
      await ann.seesMessage("without bob");
      expect(await ann.reads()).not.toContain("am I still here?");
      expect(await bob.reads()).not.toContain("without bob");
      bob.expects(/404/);
      await bob.page.goto(link);
      await bob.presses(t.invitation.join);
      await bob.sees(t.invitation.overTitle);

      await ann.opens(`${room}/settings`);
      await ann.presses(act(settings.acts.readmit, bob));
      await bob.page.goto(link);
      await bob.presses(t.invitation.join);
      await bob.page.waitForURL(room);
      await bob.seesMessage("without bob");

      await carl.follows(t.room.settings);
      await carl.presses(settings.leave);
      await carl.page.waitForURL("/rooms");
      await carl.sees(t.rooms.none);
      carl.expects(/404/);
      await carl.page.goto(room);
      await carl.sees(t.errors[404].title);

      await ann.opens(`${room}/settings`);
      ann.expects(/422/);
      const confirmation = ann.page.getByLabel(fill(settings.confirmation, { name }));
      await confirmation.fill("something else");
      await ann.presses(settings.delete);
      await ann.sees(t.refusals.not_confirmed);
      await confirmation.fill(name);
      await ann.presses(settings.delete);
      await ann.page.waitForURL("/rooms");
      await ann.sees(t.rooms.none);
      if (javaScriptEnabled) await bob.sees(t.live.removed);
      else {
        await bob.page.reload();
        await bob.sees(t.errors[404].title);
      }
    });
  }
});

test("a second tab is told as well when its reader is put out, and other rooms go on", async () => {
  const owner = await member(world, newName("owner"));
  const slug = await makeRoom(owner, "Hall");
  const link = await invite(owner, slug);
  const bob = await browser.person(newName("bob"));
  await bob.opens(link);
  await bob.follows("Sign up and join");
  await bob.registers(`/rooms/${slug}`);
  const [tab, elsewhere] = [await bob.opensTab(), await bob.opensTab()];
  await tab.opens(`/rooms/${slug}`);
  await elsewhere.opens("/rooms/public");
  await owner.post(`/rooms/${slug}/messages`, { text: "premise" }, { as: "form" });
  for (const one of [bob, tab]) await one.seesMessage("premise");
  await press(owner, slug, `members/${bob.name}/remove`);
  for (const one of [bob, tab]) await one.sees("You do not belong to this room any more, or it is gone.");
  await owner.post(`/rooms/${slug}/messages`, { text: "without bob" }, { as: "form" });
  await elsewhere.sends("still here");
  await elsewhere.seesMessage("still here");
  for (const one of [bob, tab]) expect(await one.reads()).toEqual(["premise"]);
  await tab.follows("To the public room");
  await tab.seesMessage("still here");
});

test("a text that somebody has in the composer stays when they are put out", async () => {
  const owner = await member(world, newName("owner"));
  const slug = await makeRoom(owner, "Hall");
  const bob = await browser.person(newName("bob"));
  await bob.opens(await invite(owner, slug));
  await bob.follows("Sign up and join");
  await bob.registers(`/rooms/${slug}`);
  await bob.writes("not yet sent");
  await press(owner, slug, `members/${bob.name}/remove`);
  await bob.sees("You do not belong to this room any more, or it is gone.");
  expect(await bob.composer.inputValue()).toBe("not yet sent");
});

test("messages that come into view are read, those further down are not yet", async () => {
  const owner = await member(world, newName("owner"));
  const slug = await makeRoom(owner, "Hall");
  const bob = await browser.person(newName("bob"));
  await bob.opens(await invite(owner, slug));
  await bob.follows("Sign up and join");
  await bob.registers(`/rooms/${slug}`);
  const count = async () => {
    const sql = `SELECT r.head - m.read_seq AS n FROM members m JOIN rooms r ON r.id = m.room_id
      JOIN users u ON u.id = m.user_id WHERE r.slug = ? AND u.name = ?`;
    return (await inDatabase<{ n: number }>(world, sql, slug, bob.name))[0]?.n;
  };
  const says = (text: string) => owner.post(`/rooms/${slug}/messages`, { text }, { as: "form" });
  for (let i = 0; i < 40; i++) await says(`${i}`);
  await bob.seesMessage("39");
  await eventually(count, 0);
  await scrollUp(bob, 500);
  await says("further down");
  await bob.sees("1 new message");
  expect(await count()).toBe(1);
  await bob.page.getByRole("button", { name: "1 new message" }).click();
  await eventually(count, 0);
});

test("a message that is removed leaves a line that says so, at once and on the next page", async () => {
  const owner = await member(world, newName("owner"));
  const slug = await makeRoom(owner, "Hall");
  for (const text of ["keep", "remove me", "keep too"])
    await owner.post(`/rooms/${slug}/messages`, { text }, { as: "form" });
  const bob = await browser.person(newName("bob"));
  await bob.opens(await invite(owner, slug));
  await bob.follows("Sign up and join");
  await bob.registers(`/rooms/${slug}`);
  const id = Number((await (await bob.seesMessage("remove me")).getAttribute("id"))?.slice(1));
  await owner.post(`/rooms/${slug}/messages/${id}/remove`, {}, { as: "form" });
  const place = bob.page.locator(`#m${id}`);
  for (const when of ["at once", "on the next page"]) {
    await eventually(async () => (await place.innerText()).includes("remove me"), false);
    expect({ when, text: await place.innerText() }).toEqual({
      when,
      text: expect.stringMatching(/removed/i),
    });
    await bob.page.reload();
  }
});

describe("the pages of rooms", () => {
  let owner: Client;
  let slug: string;
  let link: string;
  const OWNER = "Виктория_Александровна_Константинопольская";
  /** As long, and as hard to break into lines, as names may be. */
  const ROOM = "Ж".repeat(50);

  beforeAll(async () => {
    owner = await member(world, OWNER);
    slug = await makeRoom(owner, ROOM);
    const topic = "О чём мы здесь говорим, когда есть о чём говорить. ".repeat(3).trim();
    await press(owner, slug, "settings", { name: ROOM, topic });
    await invite(owner, slug, { days: "1", uses: "1" });
    const used = await invite(owner, slug, { uses: "1" });
    link = await invite(owner, slug, { days: "30" });
    const moderator = newName("Модест");
    await join(await member(world, moderator), used);
    for (const name of ["Ирина", "Олег", "Д".repeat(140)])
      await join(await member(world, newName(name)), link);
    await press(owner, slug, `members/${encodeURIComponent(moderator)}/promote`);
    for (const text of ["Первое", "Второе", "Третье"])
      await owner.post(`/rooms/${slug}/messages`, { text }, { as: "form" });
  });

  /** Everything that somebody sees of rooms, one page after the other. */
  async function walk(person: Person, host: Person, see: (name: string, who: Person) => Promise<void>) {
    await host.page.goto("/rooms");
    await see("the list of rooms", host);
    await host.page.locator("[name=name]").fill("x");
    await host.page.locator("[name=slug]").fill("no slug");
    await host.page.locator("form.card button").click();
    await host.page.locator(".problem").waitFor();
    await see("a room refused", host);
    await host.opens(`/rooms/${slug}`);
    await see("a private room", host);
    await host.page.goto(`/rooms/${slug}/settings`);
    await see("the settings, to the owner", host);
    await person.page.goto(link);
    await see("an invitation", person);
    await person.page.locator("main form button").click();
    await person.page.waitForURL(`/rooms/${slug}`);
    await person.page.goto(`/rooms/${slug}/settings`);
    await see("the settings, to a member", person);
    await person.page.goto("/invitations/1-AAAAAAAAAAAAAAAAAAAAAA");
    await see("an invitation that is over", person);
    const [last] = await inDatabase<{ id: number }>(world, "SELECT max(id) AS id FROM messages");
    await host.page.goto(`/rooms/${slug}/messages/${last?.id}`);
    await see("a message that one may remove", host);
    await person.opens(`/rooms/${slug}`);
    await press(owner, slug, `members/${encodeURIComponent(person.name)}/remove`);
    await person.page.locator(".banner").waitFor();
    await see("a room that one was put out of", person);
  }

  async function pair(options: Parameters<Browser["person"]>[1]): Promise<[Person, Person]> {
    const expects = [/status of (404|422)/];
    const host = await browser.person(OWNER, { ...options, expects });
    await host.logsIn();
    const person = await browser.person(newName("Гость"), { ...options, expects });
    await person.signsUp();
    return [person, host];
  }

  for (const { locale, scheme, width } of everyLook([320, 390, 1280])) {
    test(`are accessible, fit and speak ${locale}, ${scheme}, at ${width} pixels`, async () => {
      const [person, host] = await pair({ locale, scheme, viewport: { width, height: 800 } });
      const faults: string[] = [];
      await walk(person, host, async (name, who) => {
        faults.push(...(await faultsOf(who, name, locale, scheme)));
      });
      expect(faults).toEqual([]);
    });
  }

  test("have targets that are large enough for a finger, and nothing to scroll sideways", async () => {
    const [person, host] = await pair({ touch: true, viewport: { width: 390, height: 800 } });
    const faults: string[] = [];
    await walk(person, host, async (name, who) => {
      const small = [...(await smallTargets(who)), ...(await smallChoices(who))];
      faults.push(...small.map((target) => `${name}: ${target}`));
      const excess = await overflow(who);
      if (excess > 0) faults.push(`${name}: ${excess} pixels too wide`);
    });
    expect(faults).toEqual([]);
  });

  test("beside a conversation show what is unread, however long a room is called", async () => {
    const guest = await browser.person(newName("Гость"));
    await guest.opens(link);
    await guest.follows("Sign up and join");
    await guest.registers(`/rooms/${slug}`);
    await guest.opens("/rooms/public");
    await owner.post(`/rooms/${slug}/messages`, { text: "Новость" }, { as: "form" });
    await guest.page.reload();
    const inside = await guest.page.locator(".sidebar .unread").evaluate((count) => {
      const [own, beside] = [count, count.closest(".sidebar")].map((box) => box?.getBoundingClientRect());
      return own && beside && own.width > 0 && own.right <= beside.right;
    });
    expect(inside).toBe(true);
  });

  test("that have nothing live ship no script", async () => {
    const [person, host] = await pair({});
    for (const [who, path] of [
      [host, "/rooms"],
      [host, `/rooms/${slug}/settings`],
      [person, link],
    ] as const) {
      await who.page.goto(path);
      expect(await who.page.locator("script").count()).toBe(0);
    }
  });
});

function smallChoices({ page }: Person): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("main select, .room-list a, main form button")]
      .filter((target) => target.checkVisibility())
      .map((target) => ({ target, box: target.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 44 || box.height < 44)
      .map(({ target, box }) => `${target.tagName} ${target.textContent} ${box.width} x ${box.height}`),
  );
}
