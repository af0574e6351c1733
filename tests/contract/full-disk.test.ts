import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { expectJson } from "../../src/testing/answers.ts";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { messagesOn, tags } from "../../src/testing/html.ts";
import { mountDisk, type SmallDisk } from "../../src/testing/small-disk.ts";
import { newKey, openChat, openGateway, type Gateway } from "../../src/testing/socket.ts";
import { startProcess, type Process } from "../../src/testing/world.ts";

// Processes take their time to start where many tests run at once.
setDefaultTimeout(60_000);

const ENGLISH = { headers: { "accept-language": "en" } };
const SORRY = "The server cannot store anything right now. Try again soon.";

let disk: SmallDisk;
let server: Process;
let ann: Client;
let page: Gateway;

beforeAll(async () => {
  disk = mountDisk(4);
  server = await startProcess(disk.path);
  ann = await member(server, "ann", ENGLISH);
  page = await openGateway(ann);
  expect(await page.post("before")).toMatchObject({ type: "ack" });
  disk.fill();
  // What is left in files that have room inside is used up first.
  while ((await page.post("x".repeat(900))).type === "ack");
});
afterAll(async () => {
  await server.stop();
  disk.remove();
});

const shown = async (client: Client) =>
  messagesOn((await client.get("/rooms/public", { accept: "text/html" })).text).map(({ text }) => text);

test("on a full disk a message is refused in words, by whatever door, and its text is not lost", async () => {
  const before = await shown(ann);
  const key = newKey();
  expect(await page.post("by the socket", key)).toEqual({
    type: "refusal",
    key,
    code: "unavailable",
    retryable: true,
  });
  const old = await openChat(ann, "public");
  old.send({ message: "by the old socket" });
  expect(await old.next()).toEqual({ error: "unavailable" });
  old.close();

  const form = await ann.openForm("/rooms/public", { fields: ["text"] });
  const refused = await ann.sendForm(form, { text: "by the form" });
  expect(refused.status).toBe(503);
  expect(tags(refused.text, ".problem").map(({ text }) => text.trim())).toEqual([SORRY]);
  expect(tags(refused.text, "textarea[name=text]")[0]?.text).toBe("by the form");
  expect(tags(refused.text, "input[name=key]")[0]?.attributes.value).toBe(form.filled.key ?? "none");
  expect(await shown(ann)).toEqual(before);
});

test("on a full disk everybody reads on, live pages too, and a watcher is told", async () => {
  const visitor = await guest(server, ENGLISH);
  const before = await shown(visitor);
  expect(before.length).toBeGreaterThan(0);
  const reader = await openGateway(visitor);
  reader.send({ type: "resume", room: "public", epoch: reader.epoch, rev: 0 });
  expect((await reader.nextOf("changes")).changes[0]?.text).toBe("before");
  await reader.nextOf("caught-up");
  reader.close();
  expect((await ann.get("/api/auth/session/")).json()).toMatchObject({ authenticated: true });
  expect((await visitor.get("/api/health/live/")).status).toBe(200);
  const ready = await visitor.get("/api/health/ready/");
  expect([ready.status, ready.json()]).toMatchObject([503, { components: { database: "error" } }]);
});

test("on a full disk nobody comes in, and is told why", async () => {
  const phone = await guest(server, ENGLISH);
  expectJson(await phone.login("ann"), 503, { error: "Temporarily unavailable" });
  const form = await phone.submit("/login", { username: "ann", password: "correct horse" });
  expect(form.status).toBe(503);
  expect(tags(form.text, "h1").map(({ text }) => text)).toEqual(["Not just now"]);
  expect(form.text).toContain(SORRY);
  expect(form.headers.getSetCookie().filter((cookie) => cookie.startsWith("sessionid="))).toEqual([]);
  expect(await shown(ann)).not.toEqual([]);
});

test("when there is space again all goes on, on the same sockets, with the same keys", async () => {
  const key = newKey();
  expect(await page.post("once more", key)).toMatchObject({ code: "unavailable" });
  disk.empty();
  expect(await page.post("once more", key)).toMatchObject({ type: "ack", repeat: false });
  expect((await ann.submit("/rooms/public", { text: "by the form" })).status).toBe(303);
  const phone = await guest(server);
  expect((await phone.login("ann")).status).toBe(200);
  expect((await shown(phone)).slice(-2)).toEqual(["once more", "by the form"]);
  const numbers = (await page.quiet(50)).flatMap((frame) => (frame.type === "changes" ? frame.changes : []));
  expect(numbers.map(({ rev }) => rev)).toEqual(numbers.map((_, i) => (numbers[0]?.rev ?? 0) + i));
  expect(await server.kill("SIGTERM")).toBe(0);
});
