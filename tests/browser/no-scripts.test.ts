import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member, PASSWORD } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { said } from "./conversation.ts";
import { fourDays } from "./reading.ts";

let world: World;
let browser: Browser;
let ids: number[];
const past = fourDays(["ann", "bob"]);
const newest = past.at(-1)?.text ?? "";

beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
  await Promise.all(["ann", "bob"].map((name) => member(world, name)));
  ids = await said(world, past);
});
afterEach(() => browser.empty());
afterAll(async () => {
  await browser.close();
  await world.stop();
});

describe("with scripts off", () => {
  let dora: Person;
  let visits = 0;

  beforeEach(async () => {
    dora = await browser.person(`dora${++visits}`, { javaScriptEnabled: false });
  });

  test("people sign up, write, log out, log in and read on", async () => {
    await dora.opens("/");
    await dora.follows("Sign up");
    await dora.signsUp("/");
    await dora.seesMessage(newest);
    await dora.composer.fill("hello\nfrom a text browser");
    await dora.presses("Send");
    await eventually(async () => (await dora.reads()).at(-1), "hello\nfrom a text browser");
    expect(await dora.composer.inputValue()).toBe("");

    await dora.presses("Log out");
    await dora.sees("You are reading as a guest.");
    await dora.follows("Log in");
    await dora.logsIn("/");
    await dora.page.getByRole("button", { name: "Log out" }).waitFor();
    expect((await dora.reads()).at(-1)).toBe("hello\nfrom a text browser");
  });

  test("a refused message comes back with its text and the reason", async () => {
    dora.expects(/422/);
    await dora.registers();
    const long = `${"word ".repeat(200)}end`;
    await dora.composer.fill(long);
    await dora.presses("Send");
    await dora.sees("3 characters too many");
    expect(await dora.composer.inputValue()).toBe(long);
    await dora.composer.fill("shorter");
    await dora.presses("Send");
    await dora.seesMessage("shorter");
  });

  test("a message whose writer had been signed out waits for the login, and is sent by them", async () => {
    dora.expects(/401/);
    await dora.registers();
    await dora.composer.fill("a long\nthought");
    await inDatabase(world, "DELETE FROM sessions WHERE user_id = (SELECT max(id) FROM users)");
    await dora.presses("Send");
    await dora.sees("Your text is kept");
    await dora.page.locator("[name=username]").fill(dora.name);
    await dora.page.locator("[name=password]").fill(PASSWORD);
    await dora.page.locator("main button").click();
    await dora.sees("It has not been sent yet.");
    expect(await dora.composer.inputValue()).toBe("a long\nthought");
    expect(await dora.reads()).not.toContain("a long\nthought");
    await dora.presses("Send");
    await dora.seesMessage("a long\nthought");
    expect(await dora.composer.inputValue()).toBe("");
  });

  test("a refused login or registration keeps the name and says why", async () => {
    dora.expects(/422/);
    await dora.opens("/login");
    await dora.page.locator("[name=username]").fill("ann");
    await dora.page.locator("[name=password]").fill("wrong horse");
    await dora.page.locator("main button").click();
    await dora.sees("Wrong user name or password.");
    expect(await dora.page.locator("[name=username]").inputValue()).toBe("ann");

    await dora.opens("/register");
    await dora.page.locator("[name=username]").fill("ann");
    for (const field of ["password1", "password2"]) {
      await dora.page.locator(`[name=${field}]`).fill("correct horse");
    }
    await dora.page.locator("main button").click();
    await dora.sees("This name is already taken.");
    expect(await dora.page.locator("[name=username]").inputValue()).toBe("ann");
  });

  test("a permalink and the pages of history are ordinary pages", async () => {
    await dora.opens(`/rooms/public/messages/${ids[60]}`);
    await dora.seesMessage(past[60]?.text ?? "");
    await dora.follows("Jump to the latest messages");
    await dora.seesMessage(newest);
    for (let pages = 0; pages < 4 && !(await dora.reads()).includes(past[0]?.text ?? ""); pages++) {
      const before = dora.page.url();
      await dora.follows("Older messages");
      await dora.page.waitForURL((url) => url.href !== before);
    }
    await dora.seesMessage(past[0]?.text ?? "");
    await dora.sees("This is where the room begins.");
  });

  test("language and theme are changed by a form, on the page where one is", async () => {
    const path = `/rooms/public?before=${ids[100]}`;
    await dora.opens(path);
    await dora.page.locator(".preferences summary").click();
    await dora.presses("Русский");
    await dora.sees("Вы читаете более ранние сообщения.");
    await dora.page.locator(".preferences summary").click();
    await dora.presses("Тёмная");
    await dora.page.locator("html[lang=ru][data-theme=dark]").waitFor();
    expect(dora.page.url()).toEndWith(path);
  });
});

/** Scripts as they fail in the wild: not loaded, half loaded, or without the socket that they count on. */
const failures: Record<string, (person: Person) => Promise<void>> = {
  "the script does not load": async (person) => {
    person.expects(/ERR_FAILED/);
    await person.page.route("**/assets/*.js", (route) => route.abort());
  },
  "htmx does not load": async (person) => {
    person.expects(/ERR_FAILED|dynamically imported module/);
    const main = /src="(\/assets\/main-[^"]+\.js)"/.exec(await (await fetch(world.url)).text())?.[1] ?? "";
    const needed = await scriptsOf(main);
    await person.page.route("**/assets/*.js", (route) =>
      needed.has(new URL(route.request().url()).pathname) ? route.continue() : route.abort(),
    );
  },
  "the socket opens and stays silent": async (person) => {
    await person.page.routeWebSocket("**/ws/", () => {});
  },
  "the socket is cut at once": async (person) => {
    await person.page.routeWebSocket("**/ws/", (socket) => socket.close({ code: 1006 }));
  },
};

for (const [failure, happen] of Object.entries(failures)) {
  test(`when ${failure}, reading, paging, writing and leaving still work`, async () => {
    const eve = await browser.person(failure.replaceAll(" ", "-"));
    await happen(eve);
    await getByWithForms(eve);
  });
}

test("behind a proxy that knows no sockets, reading, paging, writing and leaving still work", async () => {
  const proxy = startProxyWithoutSockets();
  const behind = await openBrowser(proxy);
  try {
    const eve = await behind.person("behind-a-proxy", { expects: [/WebSocket connection to .* failed/] });
    await getByWithForms(eve);
    await behind.empty();
  } finally {
    await behind.close();
    await proxy.stop();
  }
});

test("without a socket the composer is empty and in focus after each message", async () => {
  const eve = await browser.person("eve");
  await eve.page.routeWebSocket("**/ws/", () => {});
  await eve.signsUp();
  await eve.page.locator(".composer[data-htmx-powered]").waitFor();
  for (const text of ["typed and sent", "and another"]) {
    await eve.sends(text);
    await eve.seesMessage(text);
    await eventually(() => eve.composer.inputValue(), "");
    await eventually(() => eve.composer.evaluate((field) => document.activeElement === field), true);
  }
});

async function getByWithForms(eve: Person): Promise<void> {
  await eve.signsUp();
  for (const text of [`first of ${eve.name}`, `second of ${eve.name}`]) {
    await eve.composer.fill(text);
    await eve.presses("Send");
    await eve.seesMessage(text);
    await eventually(() => eve.composer.inputValue(), "");
  }
  expect((await eve.reads()).slice(-2)).toEqual([`first of ${eve.name}`, `second of ${eve.name}`]);

  await eve.scroller.evaluate((scroller) => scroller.scrollTo(0, -scroller.scrollHeight));
  await eve.follows("Older messages");
  await eve.seesMessage(past[100]?.text ?? "");
  await eve.page.goto(`/rooms/public/messages/${ids[60]}`);
  await eve.seesMessage(past[60]?.text ?? "");
  await eve.presses("Log out");
  await eve.sees("You are reading as a guest.");
}

function startProxyWithoutSockets(): { url: string; stop(): Promise<void> } {
  const server = Bun.serve({
    port: 0,
    fetch(request) {
      const { pathname, search, host } = new URL(request.url);
      if (pathname.startsWith("/ws/")) return new Response(null, { status: 502 });
      const headers = new Headers(request.headers);
      headers.set("x-forwarded-host", host);
      const { method, body } = request;
      return fetch(world.url + pathname + search, {
        method,
        headers,
        body,
        redirect: "manual",
        decompress: false,
      });
    },
  });
  return { url: `http://localhost:${server.port}`, stop: () => server.stop(true) };
}

/** A script and everything that it imports at once. */
async function scriptsOf(path: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(path)) return found;
  found.add(path);
  const text = await (await fetch(world.url + path)).text();
  for (const [, file] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) {
    await scriptsOf(`/assets/${file}`, found);
  }
  return found;
}
