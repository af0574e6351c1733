import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { ServerFrame } from "../../src/shared/protocol.ts";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member, PASSWORD, type Client } from "../../src/testing/client.ts";
import { freePort } from "../../src/testing/postgres.ts";
import { invite, join, makeRoom } from "../../src/testing/rooms.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { makeDataDir, removeDataDir, startProcess, type Process } from "../../src/testing/world.ts";
import { passes, stopsClock } from "./clock.ts";
import { said } from "./conversation.ts";

const OFFLINE = "No connection. Trying to reconnect…";
const SIGNED_OUT = "You have been signed out. Your text is kept.";

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

interface Line {
  /** Loses the socket, and waits until the server has welcomed the page again. */
  reconnects(): Promise<void>;
  /** Resolves when the page has been welcomed so many times. */
  isWelcome(times: number): Promise<void>;
}

/** The socket of a person's page; `change` is what becomes of a frame for the page. */
async function lineOf({ page }: Person, change = (frame: ServerFrame) => frame): Promise<Line> {
  let cut = async () => {};
  let welcomes = 0;
  const isWelcome = (times: number) => eventually(async () => welcomes >= times, true, RECONNECT_MS);
  await page.routeWebSocket("**/ws/", (socket) => {
    cut = () => socket.close({ code: 1006 });
    socket.connectToServer().onMessage((text) => {
      const frame = change(JSON.parse(String(text)) as ServerFrame);
      socket.send(JSON.stringify(frame));
      if (frame.type === "welcome") welcomes++;
    });
  });
  return {
    isWelcome,
    async reconnects() {
      const next = welcomes + 1;
      await cut();
      await isWelcome(next);
    },
  };
}

async function renames({ page }: Person, name: string): Promise<void> {
  await page.goto("/profile");
  await page.locator("[name=username]").fill(name);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
}

/** In a tab of somebody's: the browser is another account's from now on. */
async function logsInAs({ page }: Person, name: string): Promise<void> {
  await page.goto("/login?next=/rooms/public");
  await page.locator("[name=username]").fill(name);
  await page.locator("[name=password]").fill(PASSWORD);
  await page.locator("main button").click();
  await page.waitForURL("/rooms/public");
}

const settled = ({ page }: Person) => eventually(() => page.locator(".sending, .refused").count(), 0);

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

test("whoever changes their name in another tab goes on writing where they were", async () => {
  const ann = await browser.person("ivy");
  const line = await lineOf(ann);
  await ann.registers();
  await ann.writes("half a thought");
  await renames(await ann.opensTab(), "ivy.new");
  await line.reconnects();
  await ann.page.keyboard.press("Enter");
  await ann.seesMessage("half a thought");
  await settled(ann);
  expect(await ann.message("half a thought").locator(".byline b").innerText()).toBe("ivy.new");
  expect(await ann.page.getByText(SIGNED_OUT).count()).toBe(0);
});

test("what waits, a draft and an unsaved edit are found again after a change of name in the same tab", async () => {
  const ann = await browser.person("jon");
  await ann.registers();
  for (const text of ["to be edited", "the last one"]) await ann.sends(text);
  await settled(ann);
  let held = true;
  await ann.page.routeWebSocket("**/ws/", (socket) => {
    const onward = socket.connectToServer();
    socket.onMessage((frame) => {
      if (!held || !String(frame).includes('"type":"send"')) onward.send(frame);
    });
  });
  await ann.page.reload();
  await ann.isLive();
  await ann.sends("do not lose me either");
  await ann.writes("half a thought");
  await ann.message("to be edited").getByRole("link", { name: "Edit this message" }).focus();
  await ann.page.keyboard.press("Enter");
  const editor = ann.page.getByRole("textbox", { name: "New text of the message" });
  await editor.fill("half an edit");

  await renames(ann, "jon.new");
  held = false;
  await ann.page.goto("/rooms/public");
  await eventually(() => editor.inputValue(), "half an edit");
  await ann.seesMessage("do not lose me either");
  await settled(ann);
  await ann.presses("Cancel");
  await eventually(() => ann.composer.inputValue(), "half a thought");
});

test("a page that meets a server of the version before goes by the name", async () => {
  const ann = await browser.person("kay");
  let user = "kay";
  const line = await lineOf(ann, (frame) =>
    frame.type === "welcome" ? { type: "welcome", epoch: frame.epoch, user } : frame,
  );
  await ann.registers();
  await line.reconnects();
  await ann.sends("still me");
  await ann.seesMessage("still me");
  await settled(ann);
  user = "somebody else";
  await line.reconnects();
  await ann.sees(SIGNED_OUT);
});

for (const kind of ["the public room", "a private room"]) {
  test(`whoever logs in again in another tab goes on writing in ${kind}`, async () => {
    const name = `lou${kind.length}`;
    const text = `half a thought in ${kind}`;
    const client = await member(server, name);
    const host = bob.moveTo(server);
    const slug = kind === "a private room" ? await makeRoom(host, "Hall") : "public";
    if (slug !== "public") await join(client, await invite(host, slug));
    const ann = await browser.person(name);
    const line = await lineOf(ann);
    await ann.logsIn(`/rooms/${slug}`);
    await ann.writes(text);
    const tab = await ann.opensTab();
    await tab.opens("/rooms/public");
    await tab.presses("Log out");
    await ann.sees(SIGNED_OUT);
    await line.isWelcome(2);
    await tab.logsIn("/rooms/public");
    await line.reconnects();
    await ann.seesNot(SIGNED_OUT);
    await ann.composer.focus();
    await ann.page.keyboard.press("Enter");
    await ann.seesMessage(text);
    await settled(ann);
    expect(await ann.page.locator(".banner").count()).toBe(0);
  });
}

test("an edit on its way is not made in the name of somebody else who has signed in since", async () => {
  const ann = await browser.person("mia");
  await ann.registers();
  await ann.sends("mine alone");
  await settled(ann);
  const edits: string[] = [];
  let users: (string | null)[] = [];
  let isOpen = true;
  await ann.page.routeWebSocket("**/ws/", (socket) => {
    if (!isOpen) return void socket.close({ code: 1006 });
    const onward = socket.connectToServer();
    // What edits say is not heard by anybody.
    socket.onMessage((frame) => {
      if (String(frame).includes('"type":"edit"')) edits.push(String(frame));
      else onward.send(frame);
    });
    onward.onMessage((text) => {
      socket.send(text);
      const frame = JSON.parse(String(text)) as ServerFrame;
      if (frame.type === "welcome") users.push(frame.user);
    });
  });
  await ann.page.reload();
  await ann.isLive();
  await ann.message("mine alone").getByRole("link", { name: "Edit this message" }).focus();
  await ann.page.keyboard.press("Enter");
  await ann.page.getByRole("textbox", { name: "New text of the message" }).fill("changed");
  await ann.page.keyboard.press("Enter");
  await eventually(async () => edits.length, 1);

  [isOpen, users] = [false, []];
  const tab = await ann.opensTab();
  await tab.opens("/rooms/public");
  await tab.presses("Log out");
  await logsInAs(tab, "bob");
  isOpen = true;
  await eventually(async () => users.includes("bob"), true, RECONNECT_MS);
  await ann.sees("Log in to write.");
  expect(edits.length).toBe(1);
  expect(await ann.page.getByRole("textbox", { name: "New text of the message" }).inputValue()).toBe(
    "changed",
  );
});

test("what a form could not bring to the server is kept, and says so", async () => {
  const ann = await browser.person("ned", { expects: [NO_SERVER, /Failed to fetch/] });
  await ann.page.routeWebSocket("**/ws/", (socket) => socket.close({ code: 1006 }));
  await ann.signsUp();
  const driven = ann.page.locator(".composer[data-htmx-powered]");
  await driven.waitFor();
  await crash();
  await ann.sends("important words");
  await ann.sees("Not sent: the server cannot be reached. Your text is kept, try again soon.");
  expect(await ann.composer.inputValue()).toBe("important words");
  await startAgain();
  await ann.page.reload();
  await driven.waitFor();
  expect(await ann.composer.inputValue()).toBe("important words");
  await ann.composer.focus();
  await ann.page.keyboard.press("Enter");
  await ann.seesMessage("important words");
  await eventually(() => ann.composer.inputValue(), "");
  await ann.page.reload();
  await driven.waitFor();
  expect(await ann.composer.inputValue()).toBe("");
});

test("a proxy's word that the server is away takes neither the room nor the text", async () => {
  const ann = await browser.person("obi", { expects: [NO_SERVER, /status of 502/] });
  await ann.page.routeWebSocket("**/ws/", (socket) => socket.close({ code: 1006 }));
  await ann.signsUp();
  await ann.page.locator(".composer[data-htmx-powered]").waitFor();
  const body = "<h1>Bad Gateway</h1>";
  await ann.page.route("**/rooms/public/messages", (route) =>
    route.fulfill({ status: 502, contentType: "text/html", body }),
  );
  await ann.sends("words for later");
  await ann.sees("Not sent: the server cannot be reached.");
  await ann.page.unroute("**/rooms/public/messages");
  await ann.composer.focus();
  await ann.page.keyboard.press("Enter");
  await ann.seesMessage("words for later");
  await eventually(() => ann.composer.inputValue(), "");
});

test("what a form brought without an answer goes out again over the socket, and is there once", async () => {
  const ann = await browser.person("ole", { expects: [NO_SERVER, /ERR_FAILED|Failed to fetch/] });
  let isOpen = false;
  await ann.page.routeWebSocket("**/ws/", (socket) => {
    if (isOpen) socket.connectToServer();
    else void socket.close({ code: 1006 });
  });
  await ann.page.route("**/rooms/public/messages", async (route) => {
    await route.fetch({ maxRedirects: 0 });
    await route.abort();
  });
  await ann.signsUp();
  await ann.page.locator(".composer[data-htmx-powered]").waitFor();
  await ann.sends("said once, twice");
  await ann.sees("Not sent: the server cannot be reached.");
  isOpen = true;
  await ann.isLive(RECONNECT_MS);
  await ann.seesMessage("said once, twice");
  await ann.composer.focus();
  await ann.page.keyboard.press("Enter");
  await eventually(() => ann.composer.inputValue(), "");
  await settled(ann);
  await ann.seesMessage("said once, twice");
});

test("whoever was signed out without a socket finds their text after logging in", async () => {
  const ann = await browser.person("pia", { expects: [NO_SERVER] });
  await ann.page.routeWebSocket("**/ws/", (socket) => socket.close({ code: 1006 }));
  await ann.signsUp();
  await ann.page.locator(".composer[data-htmx-powered]").waitFor();
  const tab = await ann.opensTab();
  await tab.opens("/rooms/public");
  await tab.presses("Log out");
  await ann.sends("half a thought");
  await ann.page.waitForURL("**/login?*");
  await logsInAs(ann, "pia");
  await eventually(() => ann.composer.inputValue(), "half a thought");
});
