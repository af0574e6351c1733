/** What a reader has not seen yet, and who is writing just now. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { ClientFrame } from "../../src/shared/protocol.ts";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member, type Client } from "../../src/testing/client.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
import { openGateway, type Gateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { faultsOf } from "./appearance.ts";
import { passes, stopsClock } from "./clock.ts";
import { goToTop, loadOlder, scrollUp } from "./reading.ts";

let world: World;
let browser: Browser;
let bob: Client;
let writer: Gateway;
let people = 0;

beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
  bob = await member(world, "боб");
  writer = await openGateway(bob);
});
afterEach(() => browser.empty());
afterAll(async () => {
  writer.close();
  await browser.close();
  await world.stop();
});

const say = async (texts: readonly string[], room = "public") => {
  for (const text of texts) await writer.post(text, undefined, room);
};
const numbered = (count: number, name: string) => Array.from({ length: count }, (_, i) => `${name} ${i + 1}`);

/** The text of the message below each unread line that shows. */
function belowLines({ page }: Person): Promise<(string | undefined)[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll(".unread-line")]
      .filter((line) => line.checkVisibility())
      .map((line) => line.nextElementSibling?.querySelector(".text")?.textContent),
  );
}

/** The window loses the focus, as the browsers of tests never do. */
const looksAway = ({ page }: Person) => page.evaluate(() => void (document.hasFocus = () => false));
const looksBack = ({ page }: Person) =>
  page.evaluate(() => {
    Reflect.deleteProperty(document, "hasFocus");
    dispatchEvent(new Event("focus"));
  });

async function newcomer(options?: Parameters<Browser["person"]>[1]): Promise<Person> {
  const person = await browser.person(`Мария_${++people}`, options);
  await person.registers();
  return person;
}

describe("in a private room", () => {
  /** A room with bob and somebody new, who has read the first two messages. */
  async function roomWith(options?: Parameters<Browser["person"]>[1]) {
    const slug = await makeRoom(bob, `Сад ${++people}`);
    const link = await invite(bob, slug);
    const name = `Мария_${people}`;
    const client = await member(world, name);
    await say(["first", "second"], slug);
    await join(client, link);
    const person = await browser.person(name, options);
    await person.logsIn("/rooms/public");
    return { person, slug, path: `/rooms/${slug}` };
  }

  test("what was read into a connection that was just lost is told again on the next one", async () => {
    const { person, slug, path } = await roomWith();
    let isLost = true;
    let cut = async () => {};
    const told: number[] = [];
    await person.page.routeWebSocket("**/ws/", (socket) => {
      const onward = socket.connectToServer();
      cut = () => socket.close({ code: 1006 });
      socket.onMessage((text) => {
        const frame = JSON.parse(String(text)) as ClientFrame;
        if (frame.type === "read") told.push(frame.seq);
        if (frame.type !== "read" || !isLost) onward.send(text);
      });
    });
    await person.opens(path);
    await say(["third"], slug);
    await person.seesMessage("third");
    await eventually(async () => told.at(-1), 3);
    isLost = false;
    told.length = 0;
    await cut();
    await eventually(async () => told.at(-1), 3);
    const tab = await person.opensTab();
    await tab.opens("/rooms/public");
    await eventually(async () => {
      await tab.page.reload();
      return tab.page.locator(".sidebar .unread").count();
    }, 0);
  });

  test("the line stands above the first unread message, without scripts too", async () => {
    for (const javaScriptEnabled of [true, false]) {
      const { person, slug, path } = await roomWith({ javaScriptEnabled });
      await say(["third", "fourth"], slug);
      await person.opens(path);
      expect(await belowLines(person)).toEqual(["third"]);
    }
  });

  test("the line stays until the room is left, and is gone when one is back", async () => {
    const { person, slug, path } = await roomWith();
    await say(["third", "fourth"], slug);
    await person.opens(path);
    expect(await belowLines(person)).toEqual(["third"]);
    expect(await person.message("third").locator(".face").count()).toBe(1);
    await say(["fifth"], slug);
    await person.seesMessage("fifth");
    await person.sends("answer");
    await person.seesMessage("answer");
    await eventually(() => person.page.locator(".sending").count(), 0);
    expect(await belowLines(person)).toEqual(["third"]);

    await person.opens("/rooms/public");
    await person.opens(path);
    await person.seesMessage("answer");
    expect(await belowLines(person)).toEqual([]);
  });

  test("the line is found in older pages when more is unread than fits the page", async () => {
    const { person, slug, path } = await roomWith();
    await say(numbered(70, "unread"), slug);
    await person.opens(path);
    expect(await belowLines(person)).toEqual(["unread 21"]);
    await goToTop(person);
    await loadOlder(person, 72);
    expect(await belowLines(person)).toEqual(["unread 1"]);
  });
});

describe("in the public room", () => {
  test("what is read as it comes gets no line", async () => {
    const ann = await newcomer();
    await say(["read at once", "and this"]);
    await ann.seesMessage("and this");
    expect(await belowLines(ann)).toEqual([]);
  });

  test("the line stands above what came while nobody looked, and moves when more comes unseen", async () => {
    const ann = await newcomer();
    const name = ann.name;
    await say([`${name} read`]);
    await ann.seesMessage(`${name} read`);
    await looksAway(ann);
    await say([`${name} unseen`, `${name} unseen too`]);
    await ann.seesMessage(`${name} unseen too`);
    expect(await belowLines(ann)).toEqual([`${name} unseen`]);
    await looksBack(ann);
    await say([`${name} seen`]);
    await ann.seesMessage(`${name} seen`);
    expect(await belowLines(ann)).toEqual([`${name} unseen`]);
    await looksAway(ann);
    await say([`${name} later`]);
    await ann.seesMessage(`${name} later`);
    expect(await belowLines(ann)).toEqual([`${name} later`]);
  });

  test("the line stands above what came below while somebody read further up", async () => {
    const guest = await browser.person("guest");
    await say(numbered(40, "a past"));
    await guest.opens("/");
    await scrollUp(guest, 500);
    await say(["below"]);
    await guest.presses("1 new message");
    await guest.seesMessage("below");
    expect(await belowLines(guest)).toEqual(["below"]);
  });

  test("the line is no news of its own to a screen reader", async () => {
    const ann = await newcomer();
    await looksAway(ann);
    await say(["unseen"]);
    await eventually(async () => (await belowLines(ann)).length, 1);
    expect(await ann.page.locator(".unread-line").getAttribute("aria-live")).toBe("off");
  });
});

describe("who is writing", () => {
  const shown = ({ page }: Person) => page.locator(".typing").allInnerTexts();
  const writes = (gateway: Gateway) => gateway.send({ type: "typing", room: "public" });

  test("shows to the others, not to oneself, and goes when the message comes", async () => {
    const [ann, eve] = [await newcomer(), await newcomer()];
    await ann.writes("I have");
    await eve.sees(`${ann.name} is writing…`);
    expect(await shown(ann)).toEqual([]);
    await ann.sends(" a question");
    await eve.seesMessage("I have a question");
    expect(await shown(eve)).toEqual([]);
  });

  test("is told every three seconds at most, and goes after six", async () => {
    const [ann, eve] = [await browser.person(`Мария_${++people}`), await browser.person(`Ева_${people}`)];
    let told = 0;
    eve.page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => void (String(payload).includes('"typing"') && told++));
    });
    for (const person of [ann, eve]) {
      await person.page.clock.install();
      await person.registers();
      await stopsClock(person);
    }
    await eve.writes("a");
    await ann.sees(`${eve.name} is writing…`);
    await passes(ann, 5_900);
    expect(await shown(ann)).toEqual([`${eve.name} is writing…`]);
    await passes(ann, 200);
    expect(await shown(ann)).toEqual([]);

    const writesFor = async (milliseconds: number) => {
      for (let at = 0; at < milliseconds; at += 290) {
        await passes(eve, 290);
        await eve.writes("a");
      }
      // Whatever was told before has been heard of with this.
      await eve.page.keyboard.press("Enter");
      await eventually(() => eve.page.locator(".sending").count(), 0);
    };
    await writesFor(2_900);
    expect(told).toBe(1);
    await writesFor(1_100);
    expect(told).toBe(2);
  });

  test("names two at most, and moves nothing", async () => {
    const ann = await newcomer();
    const others = await Promise.all(
      ["вера", "глеб", "даша"].map(async (name) => openGateway(await member(world, `${name}${++people}`))),
    );
    const [one, two, three] = others as [Gateway, Gateway, Gateway];
    await say(["the last line"]);
    const places = async () => [
      await (await ann.seesMessage("the last line")).boundingBox(),
      await ann.composer.boundingBox(),
    ];
    const before = await places();
    writes(one);
    await ann.sees(`${one.user} is writing…`);
    writes(two);
    await ann.sees(`${one.user} and ${two.user} are writing…`);
    writes(three);
    await ann.sees("Several people are writing…");
    expect(await places()).toEqual(before);
    const isHeard = await ann.page
      .locator(".typing")
      .evaluate((typing) => typing.closest("[role=log], [role=status], [aria-live]") !== null);
    expect(isHeard).toBe(false);
    for (const gateway of others) gateway.close();
  });

  for (const [width, scheme] of [
    [390, "dark"],
    [1280, "light"],
  ] as const) {
    test(`is said in Russian, and fits, at ${width} pixels`, async () => {
      const options = { locale: "ru-RU", scheme, viewport: { width, height: 800 } } as const;
      await say(Array.from({ length: 50 }, (_, i) => `прочитанное ${i + 1}`));
      const мария = await newcomer(options);
      const long = await openGateway(await member(world, `${"Длинное_имя_".repeat(8)}${++people}`));
      await looksAway(мария);
      await say(["непрочитанное"]);
      // A socket of its own: one is heard once in two seconds.
      const another = await openGateway(bob);
      writes(another);
      await мария.sees("боб пишет…");
      writes(long);
      await мария.sees(/^боб и Длинное_имя_.* пишут…$/);
      await мария.sees("Новые сообщения");
      expect(await faultsOf(мария, "typing", "ru-RU", scheme)).toEqual([]);
      for (const socket of [another, long]) socket.close();
    });
  }
});
