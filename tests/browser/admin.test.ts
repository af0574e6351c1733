import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { eventually, openBrowser, type Browser, type Person } from "../../src/testing/browser.ts";
import { member } from "../../src/testing/client.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { addPeople, standAs } from "../../src/testing/staff.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { everyLook, faultsOf, overflow, smallTargets } from "./appearance.ts";

let world: World;
let browser: Browser;
let foul: number;

beforeAll(async () => {
  world = await startWorld();
  browser = await openBrowser(world);
  const eva = await member(world, "ева");
  await eva.get("/api/chat/rooms/a-quiet-room/");
  const socket = await openGateway(eva);
  const posted = await socket.post("что-то гадкое");
  foul = posted.type === "ack" ? posted.id : 0;
  socket.close();
  await member(world, "модератор_2");
  await standAs(world, "staff", "модератор_2");
  await addPeople(
    world,
    Array.from({ length: 60 }, (_, i) => `житель_${i}`),
  );
});
afterEach(() => browser.empty());
afterAll(async () => {
  await browser.close();
  await world.stop();
});

/** Somebody who looks after people, signed in. */
async function moderator(
  name: string,
  options: Parameters<Browser["person"]>[1],
  rank: "staff" | "superuser",
) {
  await member(world, name);
  await standAs(world, rank, name);
  const person = await browser.person(name, options);
  await person.logsIn("/admin/users");
  return person;
}

const stands = ({ page }: Person, words: string) => page.locator("dd", { hasText: words }).waitFor();

for (const javaScriptEnabled of [false, true]) {
  const scripts = javaScriptEnabled ? "on" : "off";

  test(`staff find somebody, mute, disable and let them back in, and read of it in the log, scripts ${scripts}`, async () => {
    const name = `злодей_${scripts === "on" ? 1 : 2}`;
    const mod = await moderator(`мод_${scripts === "on" ? 1 : 2}`, { javaScriptEnabled }, "staff");
    const eve = await browser.person(name, { javaScriptEnabled, expects: [/status of 403/, /WebSocket/] });
    await eve.registers();
    await eve.composer.fill(`first words, ${scripts}`);
    await eve.presses("Send");
    await eve.seesMessage(`first words, ${scripts}`);

    await mod.page.getByRole("searchbox", { name: "User name" }).fill("лоде");
    await mod.presses("Search");
    await mod.follows(name);
    await stands(mod, "Active");
    await mod.presses("Mute");
    await stands(mod, "Muted");
    await eve.composer.fill(`more words, ${scripts}`);
    await eve.presses("Send");
    await eve.sees("You may read, but not write at the moment.");

    await mod.presses("Disable the account");
    await stands(mod, "Disabled");
    await eve.page.goto("/rooms/public");
    await eve.sees("You are reading as a guest.");

    await mod.presses("Enable the account");
    await mod.presses("Unmute");
    await stands(mod, "Active");
    await eve.logsIn();
    await eve.composer.fill(`better words, ${scripts}`);
    await eve.presses("Send");
    await eve.seesMessage(`better words, ${scripts}`);

    await mod.follows("Audit log");
    await mod.page.getByRole("searchbox").fill(`user:${name}`);
    await mod.presses("Search");
    const entries = await mod.page.locator(".records li").allInnerTexts();
    const acts = [
      "Unmuted a person",
      "Enabled an account",
      "Disabled an account",
      "Muted a person",
      "Signed up",
    ];
    expect(entries).toHaveLength(acts.length);
    for (const [i, act] of acts.entries()) expect(entries[i]).toContain(act);
    await mod.page.getByRole("combobox", { name: "Action" }).selectOption("account.muted");
    await mod.presses("Search");
    await eventually(() => mod.page.locator(".records li").count(), 1);
  });
}

test("staff page through all people, and come back to the first page", async () => {
  const mod = await moderator("мод_3", { javaScriptEnabled: false }, "staff");
  const names = () => mod.page.locator(".records a").allInnerTexts();
  await mod.page.getByRole("searchbox").fill("житель");
  await mod.presses("Search");
  const first = await names();
  await mod.follows("Next page");
  const second = await names();
  expect([first.length, second.length, new Set([...first, ...second]).size]).toEqual([50, 10, 60]);
  await mod.follows("First page");
  expect(await names()).toEqual(first);
  await mod.page.getByRole("searchbox").fill("nobody at all");
  await mod.presses("Search");
  await mod.sees("Nothing found.");
});

test("staff remove a message in two steps, and readers see at once that it is gone", async () => {
  const reader = await browser.person("читатель");
  await reader.opens("/");
  await reader.seesMessage("что-то гадкое");
  const mod = await moderator("мод_4", {}, "staff");
  await mod.follows("Messages");
  await mod.page.getByLabel("Number of the message").fill(`${world.url}/rooms/public/messages/${foul}`);
  await mod.presses("Find");
  await mod.sees("This cannot be undone.");
  await mod.presses("Remove for good");
  await mod.sees(`Message ${foul} is removed.`);
  await reader.seesNot("что-то гадкое");
  await reader.page.locator(`#m${foul}`, { hasText: "Message removed" }).waitFor();
  await reader.page.reload();
  await reader.sees("Message removed");
});

test("superusers make staff and unmake them; staff are not offered to", async () => {
  const root = await moderator("корень", { javaScriptEnabled: false }, "superuser");
  const mod = await moderator("мод_5", { javaScriptEnabled: false }, "staff");
  await mod.opens(`/admin/users/${encodeURIComponent("ева")}`);
  expect(await mod.page.getByRole("button", { name: "Make staff" }).count()).toBe(0);
  await mod.opens(`/admin/users/${encodeURIComponent("корень")}`);
  await mod.sees("Only superusers act on staff.");
  await root.opens(`/admin/users/${encodeURIComponent("ева")}`);
  await root.presses("Make staff");
  await stands(root, "Staff");
  await root.presses("Take staff rank away");
  await stands(root, "Member");
});

for (const { locale, scheme, width } of everyLook([390, 1280])) {
  test(`staff's pages are accessible, fit and speak ${locale}, ${scheme}, at ${width} pixels`, async () => {
    const viewport = { width, height: 800 };
    const expects = [/status of (403|404)/];
    const name = `мод_${locale}_${scheme}_${width}`.replaceAll(/[a-z]{2,}/gi, (word) => word.slice(0, 1));
    const mod = await moderator(name, { locale, scheme, viewport, expects }, "superuser");
    const faults: string[] = [];
    for (const [page, path] of Object.entries(PAGES)) {
      await mod.opens(path());
      faults.push(...(await faultsOf(mod, page, locale, scheme)));
    }
    expect(faults).toEqual([]);
  });
}

test("staff's pages fit into 320 pixels and suit a finger", async () => {
  for (const locale of ["en-US", "ru-RU"] as const) {
    const options = {
      locale,
      viewport: { width: 320, height: 568 },
      touch: true,
      expects: [/status of 404/],
    };
    const mod = await moderator(`мод_320_${locale.slice(0, 1)}`, options, "superuser");
    for (const [page, path] of Object.entries(PAGES)) {
      await mod.opens(path());
      expect([page, await overflow(mod), await smallTargets(mod)]).toEqual([page, 0, []]);
    }
  }
});

const PAGES: Record<string, () => string> = {
  people: () => "/admin/users",
  "one of them": () => `/admin/users/${encodeURIComponent("ева")}`,
  "one of staff": () => `/admin/users/${encodeURIComponent("модератор_2")}`,
  rooms: () => "/admin/rooms",
  messages: () => "/admin/messages",
  "a message that is not there": () => "/admin/messages?message=999999",
  "the audit log": () => "/admin/audit",
  "the second page of the audit log": () => "/admin/audit?before=9&action=session.opened",
};
