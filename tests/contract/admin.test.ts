import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { expectJson, expectRefused } from "../../src/testing/answers.ts";
import { guest, member, stranger, type Client } from "../../src/testing/client.ts";
import { messagesOn, tags } from "../../src/testing/html.ts";
import { openChat, openGateway, type ChatFrame } from "../../src/testing/socket.ts";
import { addPeople, someone } from "../../src/testing/staff.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

let world: World;
let staff: Client;
let superuser: Client;
let ann: Client;
let name: string;
let people = 0;

beforeAll(async () => {
  world = await startWorld();
  staff = await someone(world, "staff", "mod");
  superuser = await someone(world, "superuser", "root");
});
afterAll(() => world.stop());
beforeEach(async () => {
  name = `ann${++people}`;
  ann = await member(world, name);
});

const userOf = (answer: { json(): unknown }) => (answer.json() as { user: Record<string, unknown> }).user;
const isSignedIn = async (client: Client) =>
  ((await client.get("/api/auth/session/")).json() as { authenticated: boolean }).authenticated;

describe("the API of staff", () => {
  test("asks guests to log in, refuses others, and wants a token before either", async () => {
    const visitor = await guest(world);
    const mute = `/api/admin/users/${name}/mute/`;
    expectJson(await visitor.get("/api/admin/users/"), 401, { error: "Требуется авторизация" });
    expectJson(await visitor.post(mute), 401, { error: "Требуется авторизация" });
    expectJson(await ann.get("/api/admin/users/"), 403, { error: "Forbidden" });
    expectJson(await ann.post(mute), 403, { error: "Forbidden" });
    for (const client of [visitor, ann, staff]) {
      const refused = await client.post(mute, undefined, { headers: { "x-csrftoken": "" } });
      expectRefused(refused, 403);
      expect(refused.text).toContain("CSRF");
    }
    expect(userOf(await staff.get(`/api/admin/users/${name}/`)).is_muted).toBe(false);
  });

  test("shows a person, but no password", async () => {
    const answer = await staff.get(`/api/admin/users/${name}/`);
    expectJson(answer, 200, {
      user: {
        username: name,
        email: "",
        profileImage: `${world.url}/media/default.jpg`,
        bio: "",
        registeredAt: expect.stringMatching(/^\d{4}-/),
        lastSeenAt: null,
        is_active: true,
        is_muted: false,
        is_staff: false,
        is_superuser: false,
      },
    });
    expectRefused(await staff.get("/api/admin/users/nobody/"), 404);
    expectRefused(await staff.get("/api/admin/users/%zz/"), 404);
  });

  test("lists people newest first, found by name, page by page", async () => {
    await addPeople(
      world,
      Array.from({ length: 52 }, (_, i) => `${name}-${i}`),
    );
    const list = async (query: string) =>
      (await staff.get(`/api/admin/users/?${query}`)).json() as {
        users: { username: string }[];
        next: number | null;
      };
    const first = await list(`q=${name}-`);
    expect(first.users).toHaveLength(50);
    expect(first.users[0]?.username).toBe(`${name}-51`);
    const second = await list(`q=${name}-&page=${first.next}`);
    expect(second.users.map(({ username }) => username)).toEqual([`${name}-1`, `${name}-0`]);
    expect(second.next).toBeNull();
    for (const page of ["x", "0", "-1", "1.5", "9".repeat(30)])
      expectRefused(await staff.get(`/api/admin/users/?page=${page}`), 400);
  });

  test("mutes and unmutes, which every way of writing obeys at once", async () => {
    const [gateway, chat] = [await openGateway(ann), await openChat(ann, "public")];
    const form = await ann.openForm("/rooms/public", { fields: ["text"] });
    const say = async () => {
      const answer = await gateway.post("by the page");
      chat.send({ message: "by the original socket" });
      const own = ({ error, message }: ChatFrame) =>
        error !== undefined || message === "by the original socket";
      const frame = await chat.next(own);
      const page = await ann.sendForm(form, { text: "by the form", key: crypto.randomUUID() });
      return [answer.type === "ack" ? "ack" : answer.code, frame.error ?? "said", page.status];
    };
    expect(await say()).toEqual(["ack", "said", 303]);
    expect(userOf(await staff.post(`/api/admin/users/${name}/mute/`))).toMatchObject({ is_muted: true });
    expect(await say()).toEqual(["muted", "muted", 403]);
    expect(userOf(await staff.delete(`/api/admin/users/${name}/mute/`))).toMatchObject({ is_muted: false });
    expect(await say()).toEqual(["ack", "said", 303]);
    gateway.close();
    chat.close();
  });

  test("disables an account, whose requests and sockets are over within a second", async () => {
    const sockets = [await openGateway(ann), await openChat(ann, "public")] as const;
    expect(await isSignedIn(ann)).toBe(true);
    expect(userOf(await staff.post(`/api/admin/users/${name}/disable/`))).toMatchObject({ is_active: false });
    const disabledAt = Date.now();
    expect((await sockets[0].closed).code).toBe(4401);
    await sockets[1].closed;
    expect(Date.now() - disabledAt).toBeLessThan(1_000);
    expect(await isSignedIn(ann)).toBe(false);
    expect((await ann.login(name)).status).toBe(400);
    expect(userOf(await staff.delete(`/api/admin/users/${name}/disable/`))).toMatchObject({
      is_active: true,
    });
    expect(await isSignedIn(ann)).toBe(false);
    expect((await ann.login(name)).status).toBe(200);
  });

  test("ends all sessions, after which whoever knows the password may log in again", async () => {
    const phone = await guest(world);
    await phone.login(name);
    const socket = await openGateway(phone);
    expect((await staff.delete(`/api/admin/users/${name}/sessions/`)).status).toBe(200);
    expect((await socket.closed).code).toBe(4401);
    for (const client of [ann, phone]) expect(await isSignedIn(client)).toBe(false);
    expect((await ann.login(name)).status).toBe(200);
  });

  test("lets superusers say who is staff, at once and without a new login", async () => {
    expect((await ann.get("/api/admin/users/")).status).toBe(403);
    expectRefused(await staff.post(`/api/admin/users/${name}/staff/`), 403);
    expect(userOf(await superuser.post(`/api/admin/users/${name}/staff/`))).toMatchObject({ is_staff: true });
    expect((await ann.get("/api/admin/users/")).status).toBe(200);
    expect((await ann.get("/api/auth/session/")).json()).toMatchObject({ user: { is_staff: true } });
    expectRefused(await staff.post(`/api/admin/users/${name}/disable/`), 403);
    await superuser.post(`/api/admin/users/${name}/superuser/`);
    expect((await ann.post("/api/admin/users/mod/staff/")).status).toBe(200);
    const taken = await superuser.delete(`/api/admin/users/${name}/staff/`);
    expect(userOf(taken)).toMatchObject({ is_staff: false, is_superuser: false });
    expect((await ann.get("/api/admin/users/")).status).toBe(403);
  });

  test("closes a room to writing, and opens it again", async () => {
    const slug = `room-${name}`;
    await ann.get(`/api/chat/rooms/${slug}/`);
    const socket = await openGateway(ann);
    const say = async () => (await socket.post("hello", undefined, slug)) as { type: string; code?: string };
    expect(await say()).toMatchObject({ type: "ack" });
    const close = `/api/admin/rooms/${slug}/close/`;
    expectJson(await staff.post(close), 200, { room: { slug, name, is_closed: true } });
    expect(await say()).toMatchObject({ code: "room_closed" });
    const { rooms } = (await staff.get(`/api/admin/rooms/?q=${slug}`)).json() as { rooms: unknown[] };
    expect(rooms).toEqual([{ slug, name, owner: name, members: 1, messages: 1, is_closed: true }]);
    expectJson(await staff.delete(close), 200, { room: { slug, name, is_closed: false } });
    expect(await say()).toMatchObject({ type: "ack" });
    expectRefused(await staff.post("/api/admin/rooms/no-such-room/close/"), 404);
    socket.close();
  });

  test("shows staff nothing of what is written in a private room", async () => {
    const slug = `room-${name}`;
    await ann.get(`/api/chat/rooms/${slug}/`);
    const socket = await openGateway(ann);
    await socket.post("between us", undefined, slug);
    expect((await ann.get(`/api/chat/rooms/${slug}/messages/`)).text).toContain("between us");
    for (const client of [staff, superuser]) {
      expectRefused(await client.get(`/api/chat/rooms/${slug}/messages/`), 404);
      for (const path of [`/api/admin/rooms/?q=${slug}`, "/admin/rooms", "/admin/audit"])
        expect((await client.get(path)).text).not.toContain("between us");
    }
    socket.close();
  });

  test("renames the public room", async () => {
    const rename = (to: string) => staff.post("/api/admin/rooms/public/name/", { name: to });
    expectJson(await rename(" The hall "), 200, { room: { slug: "public", name: "The hall" } });
    expect((await ann.get("/api/chat/public-room/")).json()).toMatchObject({ name: "The hall" });
    for (const wrong of ["", " ", "x".repeat(51), "a\nb"]) expectRefused(await rename(wrong), 422);
    expect((await rename("Public Chat")).status).toBe(200);
  });

  test("removes a message for everyone, at once and for good", async () => {
    const socket = await openGateway(ann);
    const posted = await socket.post("something foul");
    const id = posted.type === "ack" ? posted.id : 0;
    expect((await stranger(world).get("/")).text).toContain("something foul");
    expectRefused(await ann.delete(`/api/admin/messages/${id}/`), 403);
    expectJson(await staff.delete(`/api/admin/messages/${id}/`), 200, { id, room: "public" });
    const isIt = ({ changes }: { changes: { id: number; text: string; deletedAt?: number | null }[] }) =>
      changes.some((change) => change.id === id && change.deletedAt);
    expect((await socket.nextOf("changes", isIt)).changes[0]?.text).toBe("");
    const page = (await stranger(world).get("/")).text;
    expect(page).not.toContain("something foul");
    expect(messagesOn(page).find((message) => message.id === id)?.text).toBe("");
    expect(tags(page, `li#m${id} p`)[0]?.text).toBe("Message removed");
    for (const wrong of [String(id), "0", "x", "%zz"])
      expectRefused(await staff.delete(`/api/admin/messages/${wrong}/`), 404);
    socket.close();
  });
});

describe("the pages of staff", () => {
  test("lead guests to the login and back, and tell others that they are not for them", async () => {
    const visitor = stranger(world);
    const led = await visitor.get("/admin/users?q=x");
    expect(led.status).toBe(303);
    expect(led.headers.get("location")).toBe("/login?next=%2Fadmin%2Fusers%3Fq%3Dx");
    const refused = await ann.get("/admin/users");
    expect(refused.status).toBe(403);
    expect(tags(refused.text, "h1")[0]?.text).toBe("Not for you");
    expect(tags(refused.text, ".lead")[0]?.text).toBe("You are not allowed to do this.");
    const forged = await ann.request("POST", "/admin/users/mod/mute");
    expect(tags(forged.text, "h1")[0]?.text).toBe("That did not come from this page");
    expect((await staff.get("/admin")).headers.get("location")).toBe("/admin/users");
  });

  test("do by forms what the API does, and show how things stand then", async () => {
    const page = `/admin/users/${name}`;
    const press = async (act: string, by = superuser) => {
      const answer = await by.sendForm(await by.openForm(page, { action: `${page}/${act}` }));
      expect({ act, status: answer.status, to: answer.headers.get("location") }).toEqual({
        act,
        status: 303,
        to: page,
      });
      return (await by.get(page)).text;
    };
    expect(await press("mute", staff)).toContain("Muted");
    expect(await press("unmute", staff)).not.toContain("Muted");
    expect(await press("end-sessions", staff)).toMatch(/Open sessions<\/dt><dd>0</);
    expect(await press("disable", staff)).toContain("Disabled");
    expect(await press("enable", staff)).toContain("Active");
    expect(await press("grant-staff")).toContain("<dd>Staff</dd>");
    expect(await press("grant-superuser")).toContain("<dd>Superuser</dd>");
    expect(await press("take-superuser")).toContain("<dd>Staff</dd>");
    expect(await press("take-staff")).toContain("<dd>Member</dd>");
  });

  test("offer no form that would be refused", async () => {
    const acts = async (client: Client, other: string) =>
      tags((await client.get(`/admin/users/${other}`)).text, "main form[method=post]").length;
    expect(await acts(staff, name)).toBe(3);
    expect(await acts(superuser, name)).toBe(5);
    expect(await acts(superuser, "mod")).toBe(5);
    expect(await acts(staff, "root")).toBe(0);
    expect(await acts(staff, "mod")).toBe(0);
    expect(await acts(superuser, "root")).toBe(0);
  });

  test("keep what was typed when a name is refused, and say why", async () => {
    const refused = await staff.submit("/admin/rooms", { name: "x".repeat(60) });
    expect(refused.status).toBe(422);
    expect(tags(refused.text, ".problem")[0]?.text).toContain("50 characters");
    expect(tags(refused.text, "input[name=name]")[0]?.attributes["value"]).toBe("x".repeat(60));
    expect((await staff.submit("/admin/rooms", { name: "Public Chat" })).status).toBe(303);
  });

  test("close and open a room from the list, and come back to it", async () => {
    await ann.get(`/api/chat/rooms/hall-${name}/`);
    const list = `/admin/rooms?q=hall-${name}`;
    for (const act of ["close", "open"]) {
      const action = `/admin/rooms/hall-${name}/${act}`;
      const answer = await staff.sendForm(await staff.openForm(list, { action }));
      expect(answer.headers.get("location")).toBe(list);
    }
    const form = await staff.openForm(list, { action: `/admin/rooms/hall-${name}/close` });
    const elsewhere = await staff.sendForm(form, { next: "//evil.example/admin/rooms" });
    expect(elsewhere.headers.get("location")).toBe("/admin/rooms");
  });

  test("find a message by its number or link, and remove it in a second step", async () => {
    const socket = await openGateway(ann);
    const posted = await socket.post("something foul");
    const id = posted.type === "ack" ? posted.id : 0;
    for (const typed of [`${id}`, ` ${id} `, `#${id}`, `${world.url}/rooms/public/messages/${id}`]) {
      const found = await staff.get(`/admin/messages?message=${encodeURIComponent(typed)}`);
      expect([typed, found.status]).toEqual([typed, 200]);
      expect(tags(found.text, "main form[method=post]")[0]?.attributes["action"]).toBe(
        `/admin/messages/${id}/remove`,
      );
    }
    expect((await stranger(world).get("/")).text).toContain("something foul");
    for (const typed of ["999999999", "x", "-1", "<script>"]) {
      const missing = await staff.get(`/admin/messages?message=${encodeURIComponent(typed)}`);
      expect([typed, missing.status]).toEqual([typed, 404]);
      expect(tags(missing.text, ".problem")[0]?.text).not.toBe("");
    }
    const form = await staff.openForm(`/admin/messages?message=${id}`, {
      action: `/admin/messages/${id}/remove`,
    });
    const removed = await staff.follow(await staff.sendForm(form));
    expect(tags(removed.text, "[role=status]")[0]?.text).toBe(`Message ${id} is removed.`);
    expect((await stranger(world).get("/")).text).not.toContain("something foul");
    socket.close();
  });

  test("let somebody whose session is over log in again, and do nothing meanwhile", async () => {
    const other = await someone(world, "staff", `mod-${name}`);
    const form = await other.openForm(`/admin/users/${name}`, { action: `/admin/users/${name}/mute` });
    await superuser.delete(`/api/admin/users/mod-${name}/sessions/`);
    const led = await other.sendForm(form);
    expect([led.status, led.headers.get("location")]).toEqual([303, "/login?next=%2Fadmin"]);
    expect(userOf(await staff.get(`/api/admin/users/${name}/`)).is_muted).toBe(false);
  });
});
