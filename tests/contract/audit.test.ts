import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { expectRefused } from "../../src/testing/answers.ts";
import { guest, member, PASSWORD, stranger, type Client } from "../../src/testing/client.ts";
import { tags } from "../../src/testing/html.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { someone } from "../../src/testing/staff.ts";
import { startWorld, type Environment, type World } from "../../src/testing/world.ts";

interface Entry {
  id: number;
  at: string;
  action: string;
  actorId: number | null;
  actorName: string;
  subject: string;
  detail: string;
  address: string;
}

const worlds: World[] = [];
let world: World;
let staff: Client;

async function start(env: Environment = {}): Promise<World> {
  const started = await startWorld(env);
  worlds.push(started);
  return started;
}

beforeAll(async () => {
  world = await start();
  staff = await someone(world, "superuser", "root");
});
afterEach(async () => {
  for (const other of worlds.splice(0)) if (other !== world) await other.stop();
});
afterAll(() => world.stop());

/** The newest first. */
async function entries(by: Client, query = ""): Promise<Entry[]> {
  const answer = await by.get(`/api/admin/audit/?${query}`);
  expect(answer.status).toBe(200);
  return (answer.json() as { entries: Entry[] }).entries;
}

/** What the log has about somebody, the oldest first. */
async function actionsOf(name: string, by = staff): Promise<string[]> {
  return (await entries(by, `q=${encodeURIComponent(name)}`)).map(({ action }) => action).toReversed();
}

const ways = ["the API", "the pages"] as const;

describe.each(ways)("by %s", (way) => {
  const suffix = way === "the API" ? "api" : "pages";
  const from = { headers: { "x-forwarded-for": "203.0.113.7" } };
  const logIn = (client: Client, username: string, password: string) =>
    way === "the API"
      ? client.post("/api/auth/login/", { username, password })
      : client.submit("/login", { username, password });

  test("signing up, in, out and failing to is recorded, each once and from where", async () => {
    const name = `ann-${suffix}`;
    const ann = await guest(world, from);
    const fields = { username: name, password1: PASSWORD, password2: PASSWORD };
    if (way === "the API") await ann.post("/api/auth/register/", fields);
    else await ann.submit("/register", fields);
    if (way === "the API") await ann.logout();
    else await ann.sendForm(await ann.openForm("/", { action: "/logout" }));
    const again = await guest(world, from);
    await logIn(again, name, "wrong horse");
    await logIn(again, name, PASSWORD);
    const found = (await entries(staff, `q=${name}`)).toReversed();
    expect(found.map(({ action }) => action)).toEqual([
      "account.registered",
      "session.opened",
      "session.closed",
      "session.refused",
      "session.opened",
    ]);
    const id = expect.any(Number);
    for (const { actorId, actorName, address, action } of found) {
      const known = action === "session.refused" ? null : id;
      expect({ actorId, actorName, address }).toEqual({
        actorId: known,
        actorName: name,
        address: "203.0.113.7",
      });
    }
  });

  test("only the first refusal of a window is recorded of whoever tries too often", async () => {
    const limited = await start({ AUTH_RATE_LIMIT: "3" });
    const elsewhere = { headers: { "x-forwarded-for": "198.51.100.1" } };
    const visitor = await guest(limited, elsewhere);
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await logIn(visitor, "nobody", "wrong")).status);
    expect(statuses.slice(3)).toEqual([429, 429, 429]);
    const root = await someone(limited, "staff", "root");
    expect(await actionsOf("198.51.100.1", root)).toEqual([
      "session.refused",
      "session.refused",
      "session.refused",
      "session.limited",
    ]);
  });

  test("a name of control characters is harmless", async () => {
    const name = `evil-${suffix}\u0000\u001b[2J\n\u202e<script>alert(1)</script>`;
    await logIn(await guest(world), name, "wrong");
    const [found] = await entries(staff, `q=evil-${suffix}`);
    expect(found?.actorName).toBe(`evil-${suffix}\\u{0}\\u{1b}[2J\\u{a}\\u{202e}<script>alert(1)</script>`);
    const page = (await staff.get(`/admin/audit?q=evil-${suffix}`)).text;
    expect(tags(page, "script")).toEqual([]);
    for (const character of ["\0", "\u001b", "\u202e"]) expect(page).not.toContain(character);
  });

  test("whoever is signed in and denied what is staff's is recorded, with what they wanted", async () => {
    const name = `eve-${suffix}`;
    const eve = await member(world, name);
    const root = way === "the API" ? "/api/admin" : "/admin";
    expect((await eve.get(`${root}/users/`)).status).toBe(403);
    const as = way === "the API" ? "json" : "form";
    expect((await eve.post(`${root}/users/root/mute/`, {}, { as })).status).toBe(403);
    const mod = await someone(world, "staff", `mod-${suffix}`);
    expect((await mod.post(`${root}/users/root/mute/`, {}, { as })).status).toBe(403);
    const denied = async (who: string) =>
      (await entries(staff, `q=${who}&action=access.denied`)).map(({ subject }) => subject).toReversed();
    expect(await denied(name)).toEqual([`GET ${root}/users/`, `POST ${root}/users/root/mute/`]);
    expect(await denied(`mod-${suffix}`)).toEqual([`POST ${root}/users/root/mute/`]);
    const before = (await entries(staff, "action=access.denied")).length;
    await (await guest(world)).get(`${root}/users/`);
    expect((await entries(staff, "action=access.denied")).length).toBe(before);
  });
});

test("every act of staff is recorded", async () => {
  const ann = await member(world, "ann");
  const socket = await openGateway(ann);
  const posted = await socket.post("something foul");
  const id = posted.type === "ack" ? posted.id : 0;
  socket.close();
  const [before] = await entries(staff);
  for (const standing of ["mute", "disable", "staff"]) {
    await staff.post(`/api/admin/users/ann/${standing}/`);
    await staff.delete(`/api/admin/users/ann/${standing}/`);
  }
  await staff.delete("/api/admin/users/ann/sessions/");
  await staff.delete(`/api/admin/messages/${id}/`);
  await staff.post("/api/admin/rooms/public/close/");
  await staff.delete("/api/admin/rooms/public/close/");
  await staff.post("/api/admin/rooms/public/name/", { name: "Public Chat" });
  const acts = (await entries(staff)).filter((entry) => entry.id > (before?.id ?? 0)).toReversed();
  expect(acts.map(({ action, subject, detail }) => [action, subject, detail].join(" ").trim())).toEqual([
    "account.muted user:ann",
    "account.unmuted user:ann",
    "account.disabled user:ann",
    "account.enabled user:ann",
    "account.promoted user:ann staff",
    "account.demoted user:ann user",
    "account.sessions_ended user:ann",
    `message.removed message:${id} room:public`,
    "room.closed room:public",
    "room.opened room:public",
    "room.renamed room:public Public Chat",
  ]);
  for (const { actorName, address } of acts) expect([actorName, address]).toEqual(["root", "127.0.0.1"]);
});

test("no password and no token ever appears", async () => {
  const ann = await member(world, "secretive", {});
  await (await guest(world)).login("secretive", "a wrong password");
  await ann.get("/admin/users?token=hidden");
  const all = JSON.stringify(await entries(staff));
  expect(all).toContain("secretive");
  const secrets = [
    PASSWORD,
    "a wrong password",
    "hidden",
    ...ann.cookies.values(),
    ...staff.cookies.values(),
  ];
  for (const secret of secrets) expect(all).not.toContain(secret);
});

test("the log is read page by page, and searched", async () => {
  for (let i = 0; i < 60; i++) await (await guest(world)).login(`pager-${i}`, "wrong");
  const first = (await staff.get("/api/admin/audit/?q=pager-")).json() as { entries: Entry[]; next: number };
  expect(first.entries.map(({ actorName }) => actorName)).toEqual(
    Array.from({ length: 50 }, (_, i) => `pager-${59 - i}`),
  );
  const rest = await entries(staff, `q=pager-&before=${first.next}`);
  expect(rest.map(({ actorName }) => actorName)).toEqual(
    Array.from({ length: 10 }, (_, i) => `pager-${9 - i}`),
  );
  expectRefused(await staff.get("/api/admin/audit/?before=x"), 400);

  const page = await staff.get("/admin/audit?q=pager-&action=session.refused");
  const next = tags(page.text, ".paging a").map(({ attributes }) => attributes["href"]);
  expect(next).toEqual([`/admin/audit?q=pager-&action=session.refused&before=${first.next}`]);
  const second = await staff.get(next[0] ?? "");
  expect(tags(second.text, ".records li")).toHaveLength(10);
  expect(tags(second.text, ".paging a")[0]?.attributes["href"]).toBe(
    "/admin/audit?q=pager-&action=session.refused",
  );
  expect((await stranger(world).get("/admin/audit")).status).toBe(303);
});
