/** What a first visit costs. Bytes are those of bodies as they go over the wire, compressed; headers are not counted. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member } from "../../src/testing/client.ts";
import { tags } from "../../src/testing/html.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { afternoon, said } from "./conversation.ts";

const BYTES = 30_000;
const REQUESTS = 8;

let world: World;
let browser: Browser;

beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
  const people = ["marta", "kwame", "zofia", "Ольга", "theo"];
  const [client] = await Promise.all(people.map((name) => member(world, name)));
  if (!client) throw new Error("nobody came");
  const lines = afternoon(people, Date.UTC(2026, 2, 14, 9));
  await said(world, lines.slice(0, -1));
  // Those are written through no server: the one that runs here has told of them when it tells of the last.
  const marta = await openGateway(client);
  await marta.post(lines.at(-1)?.text ?? "");
  await marta.nextOf("changes", ({ to }) => to === lines.length);
  marta.close();
});
afterEach(() => browser.empty());
afterAll(async () => {
  await browser.close();
  await world.stop();
});

interface Load {
  path: string;
  type: string;
  encoding: string;
  bytes: number;
}

test(`a guest's first view of a full room is at most ${BYTES} bytes in ${REQUESTS} requests of one host`, async () => {
  for (const viewport of [
    { width: 1280, height: 800 },
    { width: 390, height: 844 },
  ]) {
    const guest = await browser.person("guest", { viewport });
    const loads = await loadsOf(guest, "/");
    expect(await guest.page.locator(".message").count()).toBe(50);
    expect(loads.filter(({ type }) => type === "Document").map(({ encoding }) => encoding)).toEqual(["br"]);
    const within = total(loads) <= BYTES && loads.length <= REQUESTS;
    expect(within ? [] : breakdown(loads)).toEqual([]);
  }
});

test("the page, its style and all scripts that it needs are within that budget, without htmx", async () => {
  const page = await fetched("/");
  const style = await fetched(tags(page.text, "link[rel=stylesheet]")[0]?.attributes.href ?? "");
  const needed = new Map<string, Fetched>();
  for (const { attributes } of tags(page.text, "script[src]"))
    await fetchScript(attributes.src ?? "", needed);
  const later = new Map<string, Fetched>();
  for (const { text } of needed.values()) {
    for (const [, file] of text.matchAll(/import\("\.\/([^"]+)"\)/g))
      await fetchScript(`/assets/${file}`, later);
  }
  const loads = [page, style, ...needed.values()].map(({ load }) => load);
  const onlyLater = [...later].filter(([path]) => !needed.has(path)).map(([, { load }]) => load);
  expect(total(loads) <= BYTES ? [] : breakdown([...loads, ...onlyLater])).toEqual([]);
  expect(loads.map(({ encoding }) => encoding)).toEqual(loads.map(() => "br"));
  expect([...needed.values()].some(({ text }) => text.includes("hx-swap-oob"))).toBe(false);
  expect(onlyLater.length).toBeGreaterThan(0);
  expect(total(onlyLater)).toBeLessThan(BYTES);
});

test("pages without anything live ship no script at all", async () => {
  const guest = await browser.person("guest", { expects: [/status of 404/] });
  for (const path of ["/login", "/register", "/nothing-here"]) {
    const loads = await loadsOf(guest, path);
    expect(await guest.page.locator("script").count()).toBe(0);
    expect(loads.filter(({ type }) => type === "Script")).toEqual([]);
    expect(loads.some(({ type }) => type === "Stylesheet")).toBe(true);
  }
});

/** Opens a page and waits until half a second after its last request; a socket counts as one more. */
async function loadsOf(person: Person, path: string): Promise<Load[]> {
  const devtools = await person.context.newCDPSession(person.page);
  const loads = new Map<string, Load>();
  const at = (id: string): Load => {
    const load = loads.get(id) ?? { path: "", type: "", encoding: "", bytes: 0 };
    loads.set(id, load);
    return load;
  };
  devtools.on("Network.requestWillBeSent", ({ requestId, request, type = "Other" }) => {
    expect(new URL(request.url).origin).toBe(world.url);
    Object.assign(at(requestId), { path: new URL(request.url).pathname, type });
  });
  devtools.on("Network.responseReceived", ({ requestId, response }) => {
    at(requestId).encoding = new Headers(response.headers).get("content-encoding") ?? "";
    at(requestId).bytes -= response.encodedDataLength; // the headers
  });
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    at(requestId).bytes += encodedDataLength;
  });
  devtools.on("Network.webSocketCreated", ({ requestId }) => {
    Object.assign(at(requestId), { path: "/ws/", type: "WebSocket" });
  });
  devtools.on("Network.webSocketFrameReceived", ({ requestId, response }) => {
    at(requestId).bytes += Buffer.byteLength(response.payloadData);
  });
  await devtools.send("Network.enable");
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  await person.page.goto(path, { waitUntil: "networkidle" });
  await Bun.sleep(500);
  await devtools.detach();
  return [...loads.values()];
}

interface Fetched {
  text: string;
  load: Load;
}

async function fetched(path: string): Promise<Fetched> {
  const headers = { "accept-encoding": "br" };
  const raw = await fetch(world.url + path, { headers, decompress: false });
  const bytes = (await raw.arrayBuffer()).byteLength;
  const text = await (await fetch(world.url + path, { headers })).text();
  const type = raw.headers.get("content-type") ?? "";
  return { text, load: { path, type, encoding: raw.headers.get("content-encoding") ?? "", bytes } };
}

/** A script with everything that it imports at once. */
async function fetchScript(path: string, found: Map<string, Fetched>): Promise<void> {
  if (found.has(path)) return;
  const script = await fetched(path);
  found.set(path, script);
  for (const [, file] of script.text.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) {
    await fetchScript(`/assets/${file}`, found);
  }
}

function total(loads: Load[]): number {
  return loads.reduce((sum, { bytes }) => sum + bytes, 0);
}

function breakdown(loads: Load[]): string[] {
  const lines = loads.map(({ path, encoding, bytes }) => `${bytes} ${path} ${encoding}`);
  return [`${total(loads)} bytes in ${loads.length} requests`, ...lines];
}
