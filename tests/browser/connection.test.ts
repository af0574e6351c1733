import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { eventually, openBrowser, type Browser } from "../../src/testing/browser.ts";
import { member, PASSWORD, type Client } from "../../src/testing/client.ts";
import { freePort } from "../../src/testing/postgres.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";
import { passes, stopsClock } from "./clock.ts";
import { said } from "./conversation.ts";

const OFFLINE = "No connection. Trying to reconnect…";

/** What a browser itself says about a server that is not there. */
const NO_SERVER = /WebSocket connection to .* failed|ERR_CONNECTION_|ERR_INTERNET_DISCONNECTED/;

/** The longest wait between two attempts, and a little more. */
const RECONNECT_MS = 35_000;

const dataDir = makeDataDir();
let server: Process;
let browser: Browser;
let bob: Client;
let running = true;

beforeAll(async () => {
  server = await startProcess(dataDir, { PORT: String(await freePort()) });
  browser = await openBrowser(server);
  bob = await member(server, "bob");
});
afterEach(async () => {
  if (!running) await startAgain();
  await browser.empty();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  removeDataDir(dataDir);
});

async function crash(): Promise<void> {
  running = false;
  await server.kill("SIGKILL");
}

/** The same port and the same data. */
async function startAgain(): Promise<void> {
  server = await startProcess(dataDir, { PORT: new URL(server.url).port });
  running = true;
}

test("when the server is gone a banner says so after two seconds, and goes by itself", async () => {
  const guest = await browser.person("guest", { expects: [NO_SERVER] });
  await guest.page.clock.install();
  await guest.opens("/");
  await stopsClock(guest);
  await crash();
  await guest.isCut();
  await passes(guest, 1_900);
  expect(await guest.page.getByText(OFFLINE).count()).toBe(0);
  await passes(guest, 200);
  await guest.sees(OFFLINE);
  expect(await guest.page.getByRole("status").innerText()).toContain(OFFLINE);

  await guest.page.clock.resume();
  await startAgain();
  await guest.isLive(RECONNECT_MS);
  await guest.seesNot(OFFLINE);
});

test("an interruption shorter than that is not worth a word", async () => {
  const guest = await browser.person("guest");
  const cuts: (() => Promise<void>)[] = [];
  let followed = 0;
  await guest.page.routeWebSocket("**/ws/", (socket) => {
    socket.connectToServer().onMessage((frame) => {
      socket.send(frame);
      if (String(frame).includes('"caught-up"')) followed++;
    });
    cuts.push(() => socket.close({ code: 1006 }));
  });
  await guest.page.clock.install();
  await guest.opens("/");
  await stopsClock(guest);
  await guest.page.evaluate(() => {
    const look = () => document.querySelector(".banner") && Object.assign(globalThis, { bannerSeen: true });
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
  });
  await cuts[0]?.();
  await passes(guest, 1_900);
  await eventually(async () => followed, 2);
  await passes(guest, 2_100);
  expect(await guest.page.evaluate(() => "bannerSeen" in globalThis)).toBe(false);
  expect(cuts.length).toBe(2);
});

test("what others wrote meanwhile comes once and in order, and so does what was written here", async () => {
  const ann = await browser.person("ann", { expects: [NO_SERVER] });
  await ann.registers();
  await ann.sends("before the storm");
  await ann.seesMessage("before the storm");
  await eventually(() => ann.page.locator(".sending").count(), 0);

  await crash();
  const meanwhile = Array.from({ length: 120 }, (_, i) => `meanwhile ${i}`);
  await said(
    { dataDir },
    meanwhile.map((text) => ({ by: "bob", text, at: Date.now() })),
  );
  await ann.sends("into the void");
  await ann.sends("and once more");
  expect((await ann.reads()).slice(-3)).toEqual(["before the storm", "into the void", "and once more"]);
  expect(await ann.page.locator(".sending").count()).toBe(2);
  await ann.sees(OFFLINE);

  await startAgain();
  await ann.isLive(RECONNECT_MS);
  const all = ["before the storm", ...meanwhile, "into the void", "and once more"];
  await eventually(async () => (await ann.reads()).slice(-all.length), all);
  await eventually(() => ann.page.locator(".sending").count(), 0);
  await ann.opens("/rooms/public");
  expect(await ann.reads()).toEqual(all.slice(-50));
});

test("when the acknowledgement is lost the message goes out again, and is there once", async () => {
  const ann = await browser.person("carol");
  const sent: string[] = [];
  let sockets = 0;
  await ann.page.routeWebSocket("**/ws/", (socket) => {
    const isFirst = ++sockets === 1;
    const onward = socket.connectToServer();
    socket.onMessage((frame) => {
      if (String(frame).includes('"type":"send"')) sent.push(String(frame));
      onward.send(frame);
    });
    // The first one hears nothing after its message, and is cut when that has been stored.
    onward.onMessage((frame) => {
      if (!isFirst || sent.length === 0) socket.send(frame);
      else if (String(frame).includes('"type":"ack"')) void socket.close({ code: 1006 });
    });
  });
  await ann.registers();
  await ann.sends("said once");
  await eventually(async () => sent.length, 2);
  expect(sent[1]).toBe(sent[0] as string);
  await eventually(() => ann.page.locator(".sending").count(), 0);
  await ann.seesMessage("said once");
  await ann.opens("/rooms/public");
  await ann.seesMessage("said once");
});

test("what has not gone out yet survives a reload", async () => {
  const ann = await browser.person("flo");
  let held = true;
  await ann.page.routeWebSocket("**/ws/", (socket) => {
    const onward = socket.connectToServer();
    socket.onMessage((frame) => {
      if (!held || !String(frame).includes('"type":"send"')) onward.send(frame);
    });
  });
  await ann.registers();
  await ann.sends("do not lose me");
  await ann.sees("Sending");
  held = false;
  await ann.page.reload();
  await ann.seesMessage("do not lose me");
  await eventually(() => ann.page.locator(".sending").count(), 0);
});

test("without a network the page says so, and catches up when it is back", async () => {
  const ann = await browser.person("dora");
  await ann.registers();
  ann.expects(NO_SERVER);
  const post = await openGateway(bob.moveTo(server));
  await ann.context.setOffline(true);
  await post.post("you are missing this");
  post.close();
  await ann.sends("I hope this arrives");
  await ann.sees("Sending");
  await ann.sees(OFFLINE);

  await ann.context.setOffline(false);
  await eventually(
    async () => (await ann.reads()).slice(-2),
    ["you are missing this", "I hope this arrives"],
  );
  await ann.seesNot(OFFLINE);
  await eventually(() => ann.page.locator(".sending").count(), 0);
  await ann.seesMessage("I hope this arrives");
});

test("logging out in one tab is known to the other at once, which keeps its text", async () => {
  const ann = await browser.person("eve");
  await ann.page.clock.install();
  await ann.registers();
  const tab = await ann.opensTab();
  await tab.opens("/rooms/public");
  await tab.writes("half a thought");

  // It does not ask again and again: it is told.
  await stopsClock(tab);
  await ann.presses("Log out");
  await tab.sees("You have been signed out. Your text is kept.");
  await tab.page.clock.resume();
  expect(await tab.composer.inputValue()).toBe("half a thought");
  await tab.page.keyboard.press("Enter");
  await Bun.sleep(500);
  expect(await tab.composer.inputValue()).toBe("half a thought");

  await tab.follows("Log in again");
  await tab.logsIn("/rooms/public");
  await tab.isLive();
  expect(await tab.composer.inputValue()).toBe("half a thought");
  await tab.page.keyboard.press("End");
  await tab.sends(", finished");
  await tab.seesMessage("half a thought, finished");
});

test("what one person was writing is not found by the next on the same tab", async () => {
  const ann = await browser.person("gus");
  await ann.registers();
  await ann.writes("for my eyes only");
  await ann.page.reload();
  await ann.isLive();
  expect(await ann.composer.inputValue()).toBe("for my eyes only");
  await ann.presses("Log out");
  await ann.page.waitForURL("/");
  await ann.page.goto("/register?next=/rooms/public");
  await ann.page.locator("[name=username]").fill("hal");
  for (const name of ["password1", "password2"]) await ann.page.locator(`[name=${name}]`).fill(PASSWORD);
  await ann.page.locator("main button").click();
  await ann.page.waitForURL("/rooms/public");
  expect(await ann.composer.inputValue()).toBe("");
});
