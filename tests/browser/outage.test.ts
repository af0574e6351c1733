/** Pulled plugs, sleep and restarts: pages come back by themselves, with everything, in order and once. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import type { ServerFrame } from "../../src/shared/protocol.ts";
import { newKey, openGateway, type Gateway } from "../../src/testing/socket.ts";
import { freePort } from "../../src/testing/postgres.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";
import { layCable, type Cable } from "./cable.ts";
import { goToTop, loadOlder } from "./reading.ts";

// Outages take their time, and some of what is awaited is that nothing happens.
setDefaultTimeout(60_000);

const OFFLINE = "No connection. Trying to reconnect…";

/** What a browser itself says about a server that is not there. */
const NO_SERVER =
  /WebSocket connection to .* failed|ERR_CONNECTION_|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED|status of 503/;

/** From the end of an outage until everybody has everything: the longest wait between two attempts, and a little more. */
const RECOVERY_MS = 35_000;

const dataDir = makeDataDir();
let server: Process;
let cable: Cable;
let browser: Browser;
let bob: Client;
let people = 0;

beforeAll(async () => {
  server = await startProcess(dataDir, { PORT: String(await freePort()) });
  cable = await layCable(server);
  browser = await openBrowser(cable);
  bob = await member(server, "bob");
});
afterEach(async () => {
  cable.isMended();
  await browser.empty();
});
afterAll(async () => {
  await browser.close();
  cable.close();
  await server.stop();
  removeDataDir(dataDir);
});

async function startAgain(): Promise<void> {
  server = await startProcess(dataDir, { PORT: new URL(server.url).port });
}

async function newcomer(): Promise<Person> {
  const person = await browser.person(`person${++people}`, { expects: [NO_SERVER] });
  await person.page.clock.install();
  await person.registers();
  return person;
}

/** Messages in one go, as many people write them together; answers with their ids. */
async function postAll(from: Gateway, texts: readonly string[]): Promise<number[]> {
  const ids: number[] = [];
  for (let at = 0; at < texts.length; at += 500) {
    const acks = texts.slice(at, at + 500).map((text) => from.post(text));
    for (const answer of await Promise.all(acks)) if (answer.type === "ack") ids.push(answer.id);
  }
  expect(ids.length).toBe(texts.length);
  return ids;
}

const settled = ({ page }: Person) =>
  eventually(() => page.locator(".sending, .refused").count(), 0, RECOVERY_MS);
const numbered = (count: number, name: string) => Array.from({ length: count }, (_, i) => `${name} ${i + 1}`);

test("two people who go on writing while the server is killed and started again lose nothing", async () => {
  const [ann, eve] = [await newcomer(), await newcomer()];
  const written: string[] = [];
  for (let round = 1; round <= 2; round++) {
    for (const person of [ann, eve]) {
      const text = `${person.name} before ${round}`;
      await person.sends(text);
      written.push(text);
    }
    await server.kill("SIGKILL");
    for (const text of numbered(3, `round ${round}, ${ann.name}`)) await ann.sends(text);
    for (const text of numbered(3, `round ${round}, ${eve.name}`)) await eve.sends(text);
    for (const { name } of [ann, eve]) written.push(...numbered(3, `round ${round}, ${name}`));
    await startAgain();
    for (const person of [ann, eve]) await settled(person);
  }
  for (const person of [ann, eve])
    await eventually(async () => (await person.reads()).toSorted(), written.toSorted(), RECOVERY_MS);
  const [shown, other] = [await ann.reads(), await eve.reads()];
  expect(shown).toEqual(other);
  for (const { name } of [ann, eve]) {
    const own = (texts: string[]) => texts.filter((text) => text.includes(name));
    expect(own(shown)).toEqual(own(written));
  }
});

test("a server that says goodbye is met again when it has said, and hears what was written meanwhile", async () => {
  const ann = await newcomer();
  const heard: string[] = [];
  const sockets: number[] = [];
  ann.page.on("websocket", (socket) => {
    sockets.push(Date.now());
    socket.on("framereceived", ({ payload }) => void heard.push(String(payload)));
  });
  await ann.opens("/rooms/public");
  const gone = Date.now();
  expect(await server.kill("SIGTERM")).toBe(0);
  const frames = () => heard.map((frame) => JSON.parse(frame) as ServerFrame);
  const goodbye = () => frames().find((frame) => frame.type === "bye");
  await eventually(async () => goodbye() !== undefined, true);
  const after = goodbye()?.after ?? NaN;
  await ann.sends("said to a closed door");
  await startAgain();
  await ann.isLive(RECOVERY_MS);
  await settled(ann);
  // Everybody has another time, so that they do not come all at once.
  const returned = (sockets[1] ?? NaN) - gone;
  expect(returned).toBeGreaterThan(after - 100);
  await ann.seesMessage("said to a closed door");
});

test("a connection that has fallen silent is noticed, and left for another", async () => {
  const ann = await newcomer();
  await ann.sends("can you hear me?");
  await settled(ann);
  cable.goesSilent();
  const gateway = await openGateway(bob.moveTo(server));
  await postAll(gateway, numbered(3, "unheard"));
  gateway.close();
  await ann.sends("hello?");
  expect((await ann.reads()).slice(-2)).toEqual(["can you hear me?", "hello?"]);
  // The first attempts of the page end in the same silence.
  await ann.page.clock.fastForward(26_000);
  await ann.sees(OFFLINE);
  cable.isMended();
  await ann.page.clock.fastForward(16_000);
  await eventually(
    async () => (await ann.reads()).slice(-5),
    ["can you hear me?", ...numbered(3, "unheard"), "hello?"],
    RECOVERY_MS,
  );
  await settled(ann);
  await ann.seesNot(OFFLINE);
  // Whoever was away for that long sees where it began.
  expect(await ann.page.locator(".unread-line + .message .text").allInnerTexts()).toEqual(["unheard 1"]);
});

test("a page out of view leaves a connection on which its message has no answer", async () => {
  const ann = await newcomer();
  await ann.page.evaluate(() => Object.defineProperty(document, "hidden", { get: () => true }));
  cable.goesSilent();
  await ann.sends("still there?");
  // Two attempts.
  for (let attempts = 1; attempts <= 2; attempts++) {
    expect(await ann.page.locator(".sending").count()).toBe(1);
    await ann.page.clock.fastForward(10_000);
  }
  cable.isMended();
  await settled(ann);
  await ann.seesMessage("still there?");
});

test("a quiet room keeps its connection", async () => {
  const ann = await newcomer();
  let sockets = 0;
  ann.page.on("websocket", () => sockets++);
  await ann.opens("/rooms/public");
  const frames: string[] = [];
  ann.page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => frames.push(String(payload))));
  for (let beats = 0; beats < 3; beats++) {
    await Bun.sleep(10_500);
    await ann.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  }
  expect(sockets).toBe(1);
  expect(frames).toEqual([]);
});

test("a page that slept for hours has everything it missed, once and in order, with edits and removals", async () => {
  const ann = await newcomer();
  const gateway = await openGateway(bob.moveTo(server));
  const [edited = 0, removed = 0] = await postAll(gateway, [
    "before the edit",
    "before the removal",
    "untouched",
  ]);
  await ann.seesMessage("untouched");

  const devtools = await ann.context.newCDPSession(ann.page);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  cable.goesSilent();
  const missed = numbered(1_050, "missed");
  const ids = await postAll(gateway, missed);
  const change = async (type: "edit" | "remove", id: number, text?: string) => {
    const key = newKey();
    gateway.send({ type, room: "public", key, id, text });
    await gateway.nextOf("ack", (ack) => ack.key === key);
  };
  await change("edit", edited, "after the edit");
  await change("remove", removed);
  await change("edit", ids.at(-3) ?? 0, "missed and edited");
  await change("remove", ids.at(-2) ?? 0);
  gateway.close();

  cable.isMended();
  await devtools.send("Page.setWebLifecycleState", { state: "active" });
  await ann.page.clock.fastForward("03:00:00");
  await eventually(async () => (await ann.reads()).at(-1), "missed 1050", RECOVERY_MS);
  await eventually(async () => (await ann.reads()).at(-2), "missed and edited", RECOVERY_MS);
  const now = [...missed.slice(0, -3), "missed and edited", missed.at(-1) as string];
  const shown = await ann.reads();
  expect(shown).toEqual(now.slice(-shown.length));
  expect(await ann.page.locator(".message.removed").count()).toBe(1);
  // What has no place in the window any more stands in history, without a gap between the two.
  for (let pages = 1; pages <= 2; pages++) {
    await goToTop(ann);
    await loadOlder(ann, shown.length + pages * 50);
  }
  const more = await ann.reads();
  expect(more).toEqual(now.slice(-more.length));
  await ann.opens("/rooms/public");
  expect((await ann.reads()).at(-2)).toBe("missed and edited");
});

test("what was written is still in order when the page is loaded anew in the middle of sending it", async () => {
  const ann = await newcomer();
  await server.kill("SIGKILL");
  const written = numbered(6, "in order");
  for (const text of written) await ann.sends(text);
  await startAgain();
  // Somewhere between the first and the last of them.
  await eventually(async () => (await ann.page.locator(".sending").count()) < 6, true, RECOVERY_MS);
  await ann.page.reload();
  await settled(ann);
  await eventually(async () => (await ann.reads()).slice(-6), written);
});

test("while nothing can be stored the reason shows, and everything goes out in order when it can", async () => {
  const ann = await newcomer();
  await ann.sends("before");
  await settled(ann);
  await inDatabase(
    { dataDir },
    {
      sqlite: `CREATE TRIGGER disk_full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
      postgres: `CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RAISE EXCEPTION USING ERRCODE = ''disk_full''; END';
        CREATE TRIGGER disk_full BEFORE INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION disk_full()`,
    },
  );
  for (const text of ["one", "two", "three"]) await ann.sends(text);
  await ann.sees("Not sent: The server cannot store anything right now. Try again soon.");
  expect(await ann.page.locator(".refused").count()).toBe(1);
  expect(await ann.page.locator(".sending").count()).toBe(2);
  await inDatabase(
    { dataDir },
    { sqlite: "DROP TRIGGER disk_full", postgres: "DROP TRIGGER disk_full ON messages" },
  );
  await settled(ann);
  expect((await ann.reads()).slice(-4)).toEqual(["before", "one", "two", "three"]);
});

describe("a page that cannot go on from what it holds", () => {
  const anotherEpoch = async () => {
    await server.kill("SIGKILL");
    await inDatabase({ dataDir }, "UPDATE installation SET epoch = ?", newKey());
    await startAgain();
  };

  test("says so and is loaded anew by itself, with what was being written", async () => {
    const ann = await newcomer();
    await ann.writes("half a thought");
    let loads = 0;
    ann.page.on("load", () => loads++);
    await anotherEpoch();
    const banner = ann.page.getByText("Too much has happened since this page was opened. It is loaded anew.");
    await banner.waitFor({ timeout: RECOVERY_MS });
    await eventually(async () => loads, 1, RECOVERY_MS);
    await ann.isLive();
    expect(await ann.composer.inputValue()).toBe("half a thought");
    await ann.sends(", finished");
    await ann.seesMessage("half a thought, finished");
    await settled(ann);
    expect(loads).toBe(1);
  });

  test("is not loaded again and again", async () => {
    const ann = await newcomer();
    let loads = 0;
    ann.page.on("load", () => loads++);
    // Whatever the page holds is of no use.
    await ann.page.routeWebSocket("**/ws/", (socket) => {
      const onward = socket.connectToServer();
      socket.onMessage((frame) => {
        onward.send(frame);
        if (String(frame).includes('"hello"'))
          socket.send(JSON.stringify({ type: "reset", room: "public", reason: "epoch" }));
      });
    });
    await ann.page.reload();
    await eventually(async () => loads, 2, RECOVERY_MS);
    await ann.sees("Reload the room");
    await Bun.sleep(6_000);
    expect(loads).toBe(2);
  });
});
