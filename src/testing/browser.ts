/** People with a real browser. Whatever a page complains about, and whatever it asks of another host, fails the test. */
import { expect } from "bun:test";
import { chromium, type BrowserContext, type Locator, type Page, type WebSocket } from "playwright-core";
import { findChromium } from "./chromium.ts";
import { PASSWORD } from "./client.ts";
import type { Place } from "./world.ts";

export interface Browser {
  /** Somebody with a browser of their own: no cookies, one open tab. */
  person(name: string, options?: PersonOptions): Promise<Person>;
  /** Everybody goes home. Throws what their pages have complained about. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

export interface PersonOptions {
  locale?: "en-US" | "ru-RU";
  viewport?: { width: number; height: number };
  scheme?: "light" | "dark";
  zone?: string;
  touch?: boolean;
  reducedMotion?: boolean;
  javaScriptEnabled?: boolean;
  /** Complaints that belong to the journey, such as the 422 of a form that is refused. */
  expects?: RegExp[];
}

export interface Person {
  name: string;
  page: Page;
  context: BrowserContext;
  composer: Locator;
  scroller: Locator;
  /** Opens a page and, where it has a live pane, waits until that is live. */
  opens(path: string): Promise<void>;
  /** The next complaints like this are part of the journey. */
  expects(noise: RegExp): void;
  /** Resolves when the room is followed: what happens there from now on comes by itself. */
  isLive(patienceMs?: number): Promise<void>;
  /** Resolves when the page has lost its socket. */
  isCut(): Promise<void>;
  /** Fills in the form, here or on its own page, and goes on to `next`. */
  signsUp(next?: string): Promise<void>;
  /** Signs up and waits until the room is live. */
  registers(next?: string): Promise<void>;
  /** Logs in, and waits until the room is live where there is one. */
  logsIn(next?: string): Promise<void>;
  /** Where that leads to another page, waits until it is there; so does `follows`. */
  presses(name: string | RegExp): Promise<void>;
  follows(name: string | RegExp): Promise<void>;
  /** Types into the composer, as a keyboard or an emoji picker does. */
  writes(text: string): Promise<void>;
  /** Writes, then Enter. */
  sends(text: string): Promise<void>;
  sees(text: string | RegExp): Promise<void>;
  seesNot(text: string | RegExp): Promise<void>;
  /** Waits for the message with this text; there must never be two. */
  seesMessage(text: string): Promise<Locator>;
  message(text: string): Locator;
  /** The texts of all messages, from top to bottom. */
  reads(): Promise<string[]>;
  /** Another tab of the same browser. */
  opensTab(): Promise<Person>;
}

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** More than anybody would wait: the machine of a test has much else to do. */
const PATIENCE_MS = 15_000;

export async function openBrowser(place: Place): Promise<Browser> {
  const executablePath = findChromium() ?? "chromium";
  const program = await chromium.launch({ executablePath, args: FLAGS });
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];

  return {
    async person(name, options = {}) {
      const context = await program.newContext({ baseURL: place.url, ...settingsOf(options) });
      context.setDefaultTimeout(PATIENCE_MS);
      contexts.push(context);
      const expected = [...(options.expects ?? [])];
      const complain = (complaint: string) => {
        if (!expected.some((noise) => noise.test(complaint))) complaints.push(`${name}: ${complaint}`);
      };
      return personAt(name, await context.newPage(), place, expected, complain);
    },
    async empty() {
      await Promise.all(contexts.splice(0).map((context) => context.close()));
      expect(complaints.splice(0)).toEqual([]);
    },
    close: () => program.close(),
  };
}

function settingsOf({ locale, viewport, scheme, zone, touch, reducedMotion, ...options }: PersonOptions) {
  return {
    locale: locale ?? "en-US",
    viewport: viewport ?? { width: 1280, height: 800 },
    colorScheme: scheme ?? "light",
    timezoneId: zone ?? "Etc/UTC",
    hasTouch: touch ?? false,
    isMobile: touch ?? false,
    reducedMotion: reducedMotion ? "reduce" : "no-preference",
    javaScriptEnabled: options.javaScriptEnabled ?? true,
  } as const;
}

function personAt(
  name: string,
  page: Page,
  place: Place,
  expected: RegExp[],
  complain: (complaint: string) => void,
): Person {
  const composer = page.locator(".composer textarea");
  const message = (text: string) =>
    page.locator(".message").filter({ has: page.locator(".text", { hasText: whole(text) }) });
  const words = (text: string | RegExp) => page.getByText(text).filter({ visible: true }).first();
  /** The page's socket, and whether it follows the room. */
  let present: WebSocket | null = null;
  let live = false;
  const listensTo = (socket: WebSocket | null) => ([present, live] = [socket, false]);

  page.on("console", (line) => {
    if (line.type() === "error") complain(`${line.text()} (${line.location().url})`);
  });
  page.on("pageerror", (error) => complain(error.stack || String(error)));
  page.on("request", (request) => {
    if (new URL(request.url()).host !== new URL(place.url).host) complain(`asked for ${request.url()}`);
    // Whatever is said from now on to the page before is not said to the next.
    if (request.isNavigationRequest()) listensTo(null);
  });
  page.on("websocket", (socket) => {
    listensTo(socket);
    socket.on("close", () => socket === present && listensTo(null));
    socket.on("framereceived", ({ payload }) => {
      if (socket === present && String(payload).includes('"type":"caught-up"')) live = true;
    });
  });

  const settles = async () => {
    const scripted = await page.evaluate(() => customElements.get("echo-island") !== undefined);
    if (scripted && (await page.locator("[role=log]").count()) > 0) await person.isLive();
  };

  // A click resolves when the next page begins to come.
  const clicks = async (target: Locator) => {
    await target.click();
    await page.waitForLoadState();
  };

  const person: Person = {
    name,
    page,
    context: page.context(),
    composer,
    scroller: page.locator(".scroller"),

    async opens(path) {
      await page.goto(path);
      await settles();
    },

    expects: (noise) => void expected.push(noise),
    isLive: (patienceMs) => eventually(async () => live, true, patienceMs),
    isCut: () => eventually(async () => present, null),

    async signsUp(next = "/rooms/public") {
      if (!page.url().includes("/register")) await page.goto(`/register?next=${encodeURIComponent(next)}`);
      await page.locator("[name=username]").fill(name);
      await page.locator("[name=password1]").fill(PASSWORD);
      await page.locator("[name=password2]").fill(PASSWORD);
      await page.locator("main button").click();
      await page.waitForURL(next);
    },
    async registers(next = "/rooms/public") {
      await person.signsUp(next);
      await settles();
    },
    async logsIn(next = "/rooms/public") {
      if (!page.url().includes("/login")) await page.goto(`/login?next=${encodeURIComponent(next)}`);
      await page.locator("[name=username]").fill(name);
      await page.locator("[name=password]").fill(PASSWORD);
      await page.locator("main button").click();
      await page.waitForURL(next);
      await settles();
    },

    presses: (button) => clicks(page.getByRole("button", { name: button, exact: true })),
    follows: (link) => clicks(page.getByRole("link", { name: link, exact: true })),

    async writes(text) {
      await composer.focus();
      await page.keyboard.insertText(text);
    },
    async sends(text) {
      await person.writes(text);
      await page.keyboard.press("Enter");
    },

    sees: (text) => words(text).waitFor(),
    async seesNot(text) {
      await words(text).waitFor({ state: "hidden" });
    },

    message,
    async seesMessage(text) {
      await message(text).first().waitFor();
      expect(await message(text).count()).toBe(1);
      return message(text);
    },
    reads: () => page.locator(".message .text").allInnerTexts(),

    opensTab: async () => personAt(name, await page.context().newPage(), place, expected, complain),
  };
  return person;
}

function whole(text: string): RegExp {
  return new RegExp(`^${RegExp.escape(text)}$`);
}

/** Asks again and again until the answer is this one. */
export async function eventually(
  ask: () => Promise<unknown>,
  answer: unknown,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  let last = await ask();
  while (!Bun.deepEquals(last, answer) && Date.now() < deadline) {
    await Bun.sleep(20);
    last = await ask();
  }
  expect(last).toEqual(answer);
}
