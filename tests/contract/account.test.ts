import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { guest, member, PASSWORD, stranger, type Answer, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { forms, messagesOn, tags } from "../../src/testing/html.ts";
import { png } from "../../src/testing/pictures.ts";
import { openChat, openGateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

const PROFILE = "/api/auth/profile/";
const NEW_PASSWORD = "another horse entirely";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

let people = 0;

/** Somebody at their desk, and the same person on a phone. */
async function somebody() {
  const name = `person${++people}`;
  const desk = await member(world, name);
  const phone = await guest(world);
  await phone.login(name);
  return { name, desk, phone };
}

const isSignedIn = async (client: Client) =>
  ((await client.get("/api/auth/session/")).json() as { authenticated: boolean }).authenticated;

/** Fills in one of the forms of the profile, and presses its button. */
const submit = async (client: Client, action: string, typed: Record<string, string>) =>
  client.sendForm(await client.openForm("/profile", { action }), typed);
const changePassword = (client: Client, typed: Record<string, string> = {}) =>
  submit(client, "/profile/password", {
    current: PASSWORD,
    password1: NEW_PASSWORD,
    password2: NEW_PASSWORD,
    ...typed,
  });
const problemOn = ({ text }: Answer) => tags(text, ".problem").map((problem) => problem.text);

describe("whoever changes the password", () => {
  test("stays signed in, and every other session is over within a second, with its sockets", async () => {
    const { name, desk, phone } = await somebody();
    const bystander = await member(world, `${name}-bystander`);
    const closing = [await openGateway(phone), await openChat(phone, "public")] as const;
    const staying = [await openGateway(desk), await openGateway(bystander)];
    const answer = await changePassword(desk);
    const changedAt = Date.now();
    expect(answer.headers.get("location")).toBe("/profile?done=password#password");
    expect((await closing[0].closed).code).toBe(4401);
    expect((await closing[1].closed).code).toBe(4401);
    expect(Date.now() - changedAt).toBeLessThan(1_000);
    expect(staying.every((socket) => socket.isOpen())).toBe(true);
    expect(await isSignedIn(phone)).toBe(false);
    expect((await phone.get(PROFILE)).status).toBe(401);
    expect(await isSignedIn(desk)).toBe(true);
    expect(await isSignedIn(bystander)).toBe(true);
    for (const socket of staying) socket.close();

    expect((await phone.login(name)).status).toBe(400);
    expect((await phone.login(name, NEW_PASSWORD)).status).toBe(200);
  });

  test.each([
    ["a wrong current password", { current: "wrong" }, "This is not your current password."],
    ["no current password", { current: "" }, "This is not your current password."],
    ["nothing new", { password1: "", password2: "" }, "Enter the password twice."],
    ["two that differ", { password2: `${NEW_PASSWORD}x` }, "The two passwords differ."],
    ["a weak one", { password1: "12345", password2: "12345" }, "This password is too weak."],
  ])("with %s is told so, and nothing changes", async (_, typed, words) => {
    const { name, desk, phone } = await somebody();
    const answer = await changePassword(desk, typed);
    expect(answer.status).toBe(422);
    expect(problemOn(answer)).toEqual([words]);
    for (const secret of [PASSWORD, NEW_PASSWORD]) expect(answer.text).not.toContain(secret);
    expect(await isSignedIn(phone)).toBe(true);
    expect((await (await guest(world)).login(name)).status).toBe(200);
  });

  test("may not guess on and on, and guesses only their own", async () => {
    const strict = await startWorld({ AUTH_RATE_LIMIT: "3" });
    const [ann, bob] = [await member(strict, "ann"), await member(strict, "bob")];
    for (let i = 0; i < 3; i++) expect((await changePassword(ann, { current: "wrong" })).status).toBe(422);
    const refused = await changePassword(ann);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const closing = { password: PASSWORD, confirmation: "ann" };
    expect((await submit(ann, "/profile/delete", closing)).status).toBe(429);
    expect((await changePassword(bob)).status).toBe(303);
    await strict.stop();
  });
});

describe("the list of sessions", () => {
  test("shows where and with what each was opened, and which is this one", async () => {
    const name = `person${++people}`;
    const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    const headers = { "user-agent": firefox, "x-forwarded-for": "203.0.113.7" };
    await member(world, name, { headers });
    const desk = await guest(world, { headers: { "user-agent": "<script>alert(1)</script>" } });
    await desk.login(name);
    const shown = tags((await desk.get("/profile")).text, ".sessions li").map(({ text }) => text);
    expect(shown).toHaveLength(2);
    expect(shown[0]).toMatch(/^Unknown browserSince .*, from (127\.0\.0\.1|::1)This session$/);
    expect(shown[1]).toMatch(/^Firefox on LinuxSince .*, from 203\.0\.113\.7End$/);
  });

  test("ends one session and leaves the others", async () => {
    const { name, desk, phone } = await somebody();
    const tablet = await guest(world);
    await tablet.login(name);
    const socket = await openGateway(tablet);
    const newest = sessionButtons((await desk.get("/profile")).text)[0] ?? "";
    const answer = await submit(desk, "/profile/sessions", { session: newest });
    expect(answer.headers.get("location")).toBe("/profile?done=sessions#sessions");
    expect((await socket.closed).code).toBe(4401);
    expect([await isSignedIn(tablet), await isSignedIn(phone), await isSignedIn(desk)]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test("ends all others at once", async () => {
    const { desk, phone } = await somebody();
    await submit(desk, "/profile/sessions", { session: "others" });
    expect([await isSignedIn(phone), await isSignedIn(desk)]).toEqual([false, true]);
  });

  test("ends nobody else's", async () => {
    const [ann, bob] = [await somebody(), await somebody()];
    const theirs = sessionButtons((await bob.desk.get("/profile")).text)[0] ?? "";
    await submit(ann.desk, "/profile/sessions", { session: theirs });
    expect(await isSignedIn(bob.phone)).toBe(true);
    await submit(bob.desk, "/profile/sessions", { session: theirs });
    expect(await isSignedIn(bob.phone)).toBe(false);
  });

  function sessionButtons(html: string): string[] {
    return tags(html, "button[name=session]").map(({ attributes }) => attributes["value"] ?? "");
  }
});

describe("whoever deletes the account", () => {
  const close = (client: Client, typed: Record<string, string>) => submit(client, "/profile/delete", typed);

  test("is out everywhere at once; messages stay, and the name is nobody else's", async () => {
    const { name, desk, phone } = await somebody();
    await desk.post(PROFILE, { username: name, email: `${name}@example.org`, bio: "hello" });
    const image = new File([png(30, 30)], "a.png");
    await desk.post(PROFILE, { username: name, bio: "hello", image }, { as: "multipart" });
    const kept = files().length;
    await desk.get("/api/chat/rooms/room-of-one/");
    const socket = await openGateway(phone);
    await socket.post(`the last words of ${name}`);

    const answer = await close(desk, { password: PASSWORD, confirmation: name });
    expect(answer.headers.get("location")).toBe("/");
    expect((await socket.closed).code).toBe(4401);
    expect([await isSignedIn(desk), await isSignedIn(phone)]).toEqual([false, false]);
    expect(desk.cookies.has("sessionid")).toBe(false);

    const visitor = await guest(world);
    expect((await visitor.login(name)).status).toBe(400);
    for (const password of ["!", "", "none"]) expect((await visitor.login(name, password)).status).toBe(400);
    expect((await visitor.register(name.toUpperCase())).status).toBe(400);
    expect((await visitor.get(`/users/${name}`)).status).toBe(404);
    expect((await visitor.get(`/api/auth/users/${name}/`)).status).toBe(404);
    const last = messagesOn((await visitor.get("/")).text).at(-1);
    expect(last).toMatchObject({ author: name, text: `the last words of ${name}` });
    expect(files()).toHaveLength(kept - 2);

    const row = await rowOf(name);
    expect(row).toMatchObject({ email: "", bio: "", avatar: null, password_hash: "!" });
    expect(Boolean(row["is_active"])).toBe(false);
    expect(row["deleted_at"]).toBeGreaterThan(0);
    expect(await rooms()).not.toContain("room-of-one");
  });

  test.each([
    ["a wrong password", { password: "wrong" }, "This is not your current password."],
    ["no password", { password: "" }, "This is not your current password."],
    ["no confirmation", { confirmation: "" }, "Type your user name exactly as it is."],
    ["another name", { confirmation: "PERSON" }, "Type your user name exactly as it is."],
  ])("with %s is told so, and nothing happens", async (_, typed, words) => {
    const { name, desk, phone } = await somebody();
    const answer = await close(desk, { password: PASSWORD, confirmation: name, ...typed });
    expect(answer.status).toBe(422);
    expect(problemOn(answer)).toEqual([words]);
    expect([await isSignedIn(desk), await isSignedIn(phone)]).toEqual([true, true]);
    expect((await desk.get(`/users/${name}`)).status).toBe(200);
  });

  test("leaves the name taken for those who rename themselves, too", async () => {
    const [ann, bob] = [await somebody(), await somebody()];
    await close(ann.desk, { password: PASSWORD, confirmation: ann.name });
    expect((await bob.desk.post(PROFILE, { username: ann.name })).status).toBe(400);
  });
});

describe("a new name and picture", () => {
  test("stand at once in history, live frames and the pages that guests share", async () => {
    const { name, desk } = await somebody();
    const [reader, visitor] = [await member(world, `${name}-reader`), await guest(world)];
    const socket = await openGateway(desk);
    await socket.post("before");
    // Twice, so that the page is one that guests share.
    for (let i = 0; i < 2; i++) expect(authorsOn(await visitor.get("/"))).toContain(name);

    const [listening, chat] = [await openGateway(reader), await openChat(reader, "public")];
    const username = `${name}.new`;
    const image = new File([png(30, 30)], "a.png");
    const answer = await desk.post(PROFILE, { username, image }, { as: "multipart" });
    const { profileImage } = (answer.json() as { user: { profileImage: string } }).user;
    const avatar = profileImage.replace(`${world.url}/media/`, "");

    for (const client of [visitor, reader, desk]) {
      const page = await client.get("/");
      expect(authorsOn(page)).toContain(username);
      expect(authorsOn(page)).not.toContain(name);
      expect(page.text).toContain(`/media/${avatar.replace(".webp", ".64.webp")}`);
      expect(page.text).toContain(`href="/users/${username}"`);
    }
    const { messages } = (await visitor.get("/api/chat/rooms/public/messages/?limit=1")).json() as {
      messages: unknown[];
    };
    expect(messages).toEqual([expect.objectContaining({ username, profilePic: profileImage })]);

    // The socket was opened under the old name.
    await socket.post("after");
    expect((await listening.nextOf("changes")).changes).toEqual([
      expect.objectContaining({ author: username, avatar, text: "after" }),
    ]);
    expect(await chat.next()).toMatchObject({ message: "after", username, profile_pic: profileImage });
    for (const open of [socket, listening, chat]) open.close();
  });

  test("stand in shared pages however quickly they follow one another", async () => {
    const { name, desk } = await somebody();
    const socket = await openGateway(desk);
    await socket.post("hello");
    socket.close();
    const visitor = await guest(world);
    for (let i = 0; i < 20; i++) {
      const username = `${name}.${i}`;
      const reading = Promise.all(Array.from({ length: 5 }, () => visitor.get("/")));
      expect((await desk.post(PROFILE, { username })).status).toBe(200);
      expect(authorsOn(await visitor.get("/")).at(-1)).toBe(username);
      await reading;
      expect(authorsOn(await visitor.get("/")).at(-1)).toBe(username);
    }
  });

  const authorsOn = ({ text }: Answer) => messagesOn(text).map(({ author }) => author);
});

describe("the pages of people", () => {
  test("are for those who are signed in, where it is their own", async () => {
    const visitor = stranger(world);
    const answer = await visitor.get("/profile");
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/login?next=%2Fprofile"]);
    for (const path of ["/profile", "/profile/password", "/profile/sessions", "/profile/delete"]) {
      const forged = await visitor.request("POST", path, { headers: { origin: world.url } });
      expect(forged.status).toBe(403);
    }
  });

  test("lead to the login when the session has ended meanwhile", async () => {
    const { desk, phone } = await somebody();
    const form = await phone.openForm("/profile", { action: "/profile/password" });
    const cookie = phone.cookieHeader();
    await submit(desk, "/profile/sessions", { session: "others" });
    for (const path of ["/profile", "/profile/password", "/profile/sessions", "/profile/delete"]) {
      const headers = { cookie, origin: world.url };
      const answer = await phone.request("POST", path, { headers, body: new URLSearchParams(form.filled) });
      expect(answer.headers.get("location")).toBe("/login?next=%2Fprofile");
    }
  });

  test("show what everybody may know, and no address", async () => {
    const { name, desk } = await somebody();
    const email = `${name}@example.org`;
    await desk.post(PROFILE, { username: name, email, bio: "one\nsee https://example.org/?a=1. & more" });
    for (const client of [stranger(world), await member(world, `${name}-reader`), desk]) {
      const { status, text } = await client.get(`/users/${name}`);
      expect(status).toBe(200);
      expect(text).not.toContain(email);
      expect(tags(text, "h1")[0]?.text).toBe(name);
      expect(tags(text, ".bio")[0]?.text).toBe("one\nsee https://example.org/?a=1. & more");
      expect(tags(text, ".bio a")[0]?.attributes).toEqual({
        href: "https://example.org/?a=1",
        rel: "noopener nofollow ugc",
      });
      expect(tags(text, "main script, script[src]")).toEqual([]);
    }
  });

  test("offer a direct message to others who are signed in, and say who is staff", async () => {
    const { name, desk } = await somebody();
    const path = `/users/${name}`;
    const direct = ({ text }: Answer) => forms(text).some(({ action }) => action === `${path}/direct`);
    const other = await member(world, `${name}-other`);
    expect(direct(await other.get(path))).toBe(true);
    expect(direct(await desk.get(path))).toBe(false);
    expect(direct(await stranger(world).get(path))).toBe(false);
    expect(tags((await other.get(path)).text, ".badge")).toEqual([]);
    // Who has asked for nothing yet: when others were here is written again and again.
    const absent = `${name}-absent`;
    await member(world, absent);
    await inDatabase(world, "UPDATE users SET is_staff = true, last_seen_at = 1000 WHERE name = ?", absent);
    const { text } = await other.get(`/users/${absent}`);
    expect(tags(text, ".badge")[0]?.text).toBe("Staff");
    expect(text).toContain("Last seen January 1, 1970");
  });

  test.each(["/users/nobody", "/users/%ff", "/users/%", "/users/", "/users/a%2fb", "/users/__proto__"])(
    "of nobody are not there: %s",
    async (path) => expect((await stranger(world).get(path)).status).toBe(404),
  );

  test("of people with any name are there", async () => {
    for (const name of ["Ёлка-8", "a@b+c.d_e"]) {
      await member(world, name);
      expect((await stranger(world).get(`/users/${encodeURIComponent(name)}`)).status).toBe(200);
    }
  });
});

function files(): string[] {
  return readdirSync(join(world.dataDir, "media/profile_pics"));
}

async function rowOf(name: string): Promise<Record<string, unknown>> {
  const sql = "SELECT * FROM users WHERE name = ?";
  return (await inDatabase<Record<string, unknown>>(world, sql, name))[0] ?? {};
}

async function rooms(): Promise<string[]> {
  const slugs = await inDatabase<{ slug: string }>(world, "SELECT slug FROM rooms WHERE name <> ''");
  return slugs.map(({ slug }) => slug);
}
