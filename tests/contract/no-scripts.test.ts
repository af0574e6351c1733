import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { guest, member, PASSWORD, stranger, type Client } from "../../src/testing/client.ts";
import { formTo, messagesOn, tags } from "../../src/testing/html.ts";
import { makeRoom } from "../../src/testing/rooms.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

const STORED = 120;

let world: World;
let ann: Client;
beforeAll(async () => {
  world = await startWorld();
  ann = await member(world, "ann");
  const socket = await openGateway(ann);
  for (let i = 1; i <= STORED; i++) await socket.post(`message ${i}`);
  socket.close();
});
afterAll(() => world.stop());

const roomOf = async (client: Client, path = "/rooms/public") =>
  (await client.get(path, { accept: "text/html" })).text;
const lastTexts = async (count: number) =>
  messagesOn(await roomOf(ann))
    .slice(-count)
    .map(({ text }) => text);
const texts = (html: string) => messagesOn(html).map(({ text }) => text);
const problem = (html: string) =>
  tags(html, ".problem")
    .map(({ text }) => text.trim())
    .join("");
const typed = (html: string) =>
  tags(html, "textarea")
    .map(({ text }) => text)
    .join("");
/** It ends while the browser goes on sending it. */
async function loseSession(browser: Client): Promise<void> {
  const session = browser.cookies.get("sessionid") ?? "";
  await browser.logout();
  browser.cookies.set("sessionid", session);
}
const language = (html: string) => tags(html, "html")[0]?.attributes.lang;
const heading = (html: string) =>
  tags(html, "h1")
    .map(({ text }) => text)
    .join("");

describe("somebody new, with plain HTML", () => {
  test("registers, writes, logs out, and logs in again", async () => {
    const browser = stranger(world);
    const registered = await browser.submit("/register", {
      username: "bea",
      password1: PASSWORD,
      password2: PASSWORD,
    });
    expect([registered.status, registered.headers.get("location")]).toEqual([303, "/"]);
    expect((await browser.follow(registered)).text).toContain("bea");

    const posted = await browser.submit("/", { text: "hello from bea" });
    expect(posted.status).toBe(303);
    const page = (await browser.follow(posted)).text;
    expect(messagesOn(page).at(-1)).toMatchObject({ author: "bea", text: "hello from bea" });

    const left = await browser.sendForm(await browser.openForm("/", { action: "/logout" }));
    expect([left.status, left.headers.get("location")]).toEqual([303, "/"]);
    expect(browser.cookies.has("sessionid")).toBe(false);
    expect((await browser.follow(left)).text).not.toContain('action="/logout"');

    const back = await browser.submit("/login?next=%2Frooms%2Fpublic", {
      username: "bea",
      password: PASSWORD,
    });
    expect([back.status, back.headers.get("location")]).toEqual([303, "/rooms/public"]);
    expect((await browser.follow(back)).text).toContain('action="/logout"');
  });

  const english = { "accept-language": "en" };
  test.each([
    [
      "/register",
      { username: "ann", password1: PASSWORD, password2: PASSWORD },
      "This name is already taken.",
    ],
    [
      "/register",
      { username: "a b", password1: PASSWORD, password2: PASSWORD },
      "Use only letters, digits and @ . + - _ in your name.",
    ],
    ["/register", { username: "new", password1: PASSWORD, password2: "other" }, "The two passwords differ."],
    ["/register", { username: "new", password1: "a", password2: "a" }, "This password is too weak."],
    ["/login", { username: "ann", password: "wrong" }, "Wrong user name or password."],
    ["/login", { username: "ann", password: "" }, "Enter your user name and password."],
  ])("is told at %s what is wrong with %j, and keeps the name", async (path, fields, words) => {
    const browser = stranger(world, { headers: english });
    const answer = await browser.submit(path, fields);
    expect(answer.status).toBe(422);
    expect(problem(answer.text)).toBe(words);
    expect(tags(answer.text, "input[name=username]")[0]?.attributes.value).toBe(fields.username);
    expect(answer.text).not.toContain(`value="${PASSWORD}"`);
    expect(browser.cookies.has("sessionid")).toBe(false);
  });
});

describe("a reader with plain HTML", () => {
  test.each(["guest", "member"])(
    "goes back by links from the newest message to the first: a %s",
    async (who) => {
      const reader = who === "guest" ? await guest(world) : ann;
      let html = await roomOf(reader);
      let collected = texts(html).filter((text) => text.startsWith("message"));
      expect(collected.at(-1)).toBe(`message ${STORED}`);
      for (let pages = 1; ; pages++) {
        const [older] = tags(html, "li.older a[href]");
        if (!older) break;
        expect(pages).toBeLessThan(10);
        html = await roomOf(reader, older.attributes.href);
        collected = [...texts(html), ...collected];
      }
      expect(collected).toEqual(Array.from({ length: STORED }, (_, i) => `message ${i + 1}`));
      expect(tags(html, "li.older").map(({ text }) => text)).toEqual(["This is where the room begins."]);
      expect(tags(html, "a[href='/rooms/public']").length).toBeGreaterThan(0);
    },
  );

  test("finds a message by its link, among its neighbours", async () => {
    const target = messagesOn(await roomOf(ann)).find(({ text }) => text === "message 90");
    const path = `/rooms/public/messages/${target?.id}`;
    expect(tags(await roomOf(ann), `.byline a[href="${path}"]`)).toHaveLength(1);
    const html = await roomOf(await guest(world), path);
    expect(tags(html, "li.target").map(({ attributes }) => attributes.id)).toEqual([`m${target?.id}`]);
    const around = texts(html);
    const at = around.indexOf("message 90");
    expect(around.slice(at - 10, at + 11)).toEqual(Array.from({ length: 21 }, (_, i) => `message ${80 + i}`));
  });

  test.each([
    "/rooms/public/messages/999999",
    "/rooms/public/messages/abc",
    "/rooms/public?before=abc",
    "/rooms/public?before=0",
    "/rooms/nowhere",
    "/rooms/nowhere?before=1",
    "/nowhere",
  ])("is told politely that %s does not exist", async (path) => {
    for (const reader of [await guest(world), ann]) {
      const answer = await reader.get(path, { accept: "text/html" });
      expect(answer.status).toBe(404);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(heading(answer.text)).toBe("Nothing here");
    }
  });

  test("sees text as text", async () => {
    const odd = `<img src=x onerror=alert(1)> & "quotes" 'single' </script><script>alert(1)</script>`;
    await ann.submit("/", { text: odd });
    const html = await roomOf(await guest(world));
    expect(texts(html).at(-1)).toBe(odd);
    expect(tags(html, "img[src=x]")).toEqual([]);
    expect(tags(html, "script").filter(({ text }) => text.startsWith("alert"))).toEqual([]);
  });
});

describe("a writer with plain HTML", () => {
  test("gets back a text that is too long, with the reason", async () => {
    const text = `${"x".repeat(1001)}<&"`;
    const answer = await ann.submit("/", { text });
    expect(answer.status).toBe(422);
    expect(typed(answer.text)).toBe(text);
    expect(problem(answer.text)).not.toBe("");
    expect(texts(answer.text).at(-1)).not.toContain("xxx");
  });

  test("gets back an empty form with the reason", async () => {
    const answer = await ann.submit("/", { text: "  " });
    expect([answer.status, problem(answer.text)]).toEqual([422, "Write something first."]);
  });

  test("writes lines as lines, each counted once", async () => {
    const lines = `${"x".repeat(499)}\r\n${"y".repeat(500)}`;
    expect((await ann.submit("/", { text: lines })).status).toBe(303);
    expect(await lastTexts(1)).toEqual([lines.replace("\r\n", "\n")]);
  });

  test("stores once what was sent twice from one form", async () => {
    const form = await ann.openForm("/", { fields: ["text"] });
    const answers = [
      await ann.sendForm(form, { text: "twice" }),
      await ann.sendForm(form, { text: "twice" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    const both = await Promise.all([1, 2, 3].map(() => ann.sendForm(form, { text: "twice" })));
    expect(both.map(({ status }) => status)).toEqual([303, 303, 303]);
    expect((await lastTexts(5)).filter((text) => text === "twice")).toHaveLength(1);
  });

  test("who goes back and sends another text from the old form keeps it, and can send it again", async () => {
    const form = await ann.openForm("/", { fields: ["text"] });
    await ann.sendForm(form, { text: "the first" });
    const refused = await ann.sendForm(form, { text: "the second" });
    expect(refused.status).toBe(409);
    expect(typed(refused.text)).toBe("the second");
    expect(problem(refused.text)).not.toBe("");
    const key = tags(refused.text, 'input[name="key"]')[0]?.attributes.value ?? "";
    expect(key).not.toBe(form.filled.key);
    expect((await ann.sendForm(form, { text: "the second", key })).status).toBe(303);
    expect(await lastTexts(2)).toEqual(["the first", "the second"]);
  });

  test("who writes too fast keeps the text, and is told how long to wait", async () => {
    const strict = await startWorld({ CHAT_MESSAGE_RATE_LIMIT: "1", CHAT_MESSAGE_RATE_WINDOW: "30" });
    const writer = await member(strict, "ann");
    expect((await writer.submit("/", { text: "one" })).status).toBe(303);
    const refused = await writer.submit("/", { text: "two" });
    expect(refused.status).toBe(429);
    expect(typed(refused.text)).toBe("two");
    const seconds = refused.headers.get("retry-after");
    expect(Number(seconds)).toBeGreaterThan(20);
    expect(problem(refused.text)).toContain(`${seconds} s`);
    expect(texts(await roomOf(writer))).toEqual(["one"]);
    await strict.stop();
  });

  test("must be logged in, and in a room that exists", async () => {
    const form = await ann.openForm("/", { fields: ["text"] });
    expect(
      (await ann.sendForm({ ...form, action: "/rooms/nowhere/messages" }, { text: "lost" })).status,
    ).toBe(404);
    const visitor = await guest(world);
    expect(tags(await roomOf(visitor), "textarea")).toEqual([]);
    const token = visitor.cookies.get("csrftoken") ?? "";
    const filled = { ...form.filled, csrfmiddlewaretoken: token };
    const refused = await visitor.sendForm({ ...form, filled }, { text: "let me in" });
    expect(refused.status).toBe(401);
    expect(formTo(refused.text, "/login").filled).toMatchObject({ next: "/rooms/public", text: "let me in" });

    const headers = { origin: visitor.origin, "hx-request": "true" };
    const body = new URLSearchParams({ ...filled, text: "let me in" });
    const byHtmx = await visitor.request("POST", "/rooms/public/messages", { headers, body });
    expect(byHtmx.headers.get("hx-redirect")).toBe("/login?next=%2Frooms%2Fpublic");
    expect(await lastTexts(3)).not.toContain("let me in");
  });

  test("is in its place again, to be sent once, when its writer had been signed out and has logged in", async () => {
    const browser = await member(world, "signed-out");
    const form = await browser.openForm("/rooms/public", { fields: ["text"] });
    await loseSession(browser);
    const TEXT = 'two\nlines & a "quote" <b>';
    const asked = await browser.sendForm(form, { text: TEXT.replace("\n", "\r\n") });
    expect([asked.status, problem(asked.text)]).toEqual([
      401,
      "You are signed out. Your text is kept: log in, and it is in its place again.",
    ]);
    const wrong = await browser.sendForm(formTo(asked.text, "/login"), {
      username: "ann",
      password: "wrong",
    });
    expect([wrong.status, problem(wrong.text)]).toEqual([422, "Wrong user name or password."]);
    const known = { username: "signed-out", password: PASSWORD };
    const back = await browser.sendForm(formTo(wrong.text, "/login"), known);
    expect([back.status, problem(back.text)]).toEqual([
      200,
      "Here is your text again. It has not been sent yet.",
    ]);
    expect(typed(back.text).replaceAll("\r\n", "\n")).toBe(TEXT);
    expect(await lastTexts(1)).not.toEqual([TEXT]);
    const again = formTo(back.text, form.action);
    expect(again.filled["key"]).toBe(form.filled["key"]);
    for (let i = 0; i < 2; i++) expect((await browser.sendForm(again)).status).toBe(303);
    expect((await lastTexts(2)).filter((text) => text === TEXT)).toHaveLength(1);
  });

  test("is in no form for somebody else who logs in and may not write there, nor by a link", async () => {
    const owner = await member(world, "den-owner");
    const room = `/rooms/${await makeRoom(owner, "A den")}`;
    const form = await owner.openForm(room, { fields: ["text"] });
    await loseSession(owner);
    const login = formTo((await owner.sendForm(form, { text: "of the den" })).text, "/login");
    const elsewhere = await owner.sendForm(login, { username: "ann", password: PASSWORD });
    expect([elsewhere.status, elsewhere.headers.get("location")]).toEqual([303, room]);
    expect((await owner.get("/api/auth/session/")).text).toContain('"ann"');
    expect((await owner.follow(elsewhere)).status).toBe(404);
    const link = (await stranger(world).get("/login?next=/rooms/public&text=put+into+my+mouth")).text;
    expect(Object.keys(formTo(link, "/login").filled)).not.toContain("text");
  });
});

describe("a Russian reader", () => {
  test("is understood from the browser's wish, with weights", async () => {
    for (const wish of ["ru", "ru-RU,ru;q=0.9,en;q=0.8", "de, ru;q=0.5, en;q=0.4"]) {
      const html = (await stranger(world).get("/login", { "accept-language": wish })).text;
      expect([language(html), heading(html)]).toEqual(["ru", "Вход"]);
    }
    for (const wish of ["", "de", "en;q=0.9,ru;q=0.1", "*", "ru;q=0, en"]) {
      expect(language((await stranger(world).get("/login", { "accept-language": wish })).text)).toBe("en");
    }
  });

  test("may choose the language and comes back to the same place", async () => {
    const reader = stranger(world);
    const chosen = await reader.submit("/rooms/public?before=60", { locale: "ru" });
    expect([chosen.status, chosen.headers.get("location")]).toEqual([303, "/rooms/public?before=60"]);
    const html = (await reader.follow(chosen)).text;
    expect(language(html)).toBe("ru");
    expect(heading(html)).toBe("Общая комната");
    expect(html).toContain("Более ранние сообщения");
    const english = await reader.submit("/", { locale: "en" });
    expect(language((await reader.follow(english)).text)).toBe("en");
  });

  test("is refused in Russian", async () => {
    const browser = stranger(world, { headers: { "accept-language": "ru" } });
    const wrong = await browser.submit("/login", { username: "ann", password: "wrong" });
    expect(problem(wrong.text)).toBe("Неверное имя пользователя или пароль.");
    expect(heading((await browser.get("/nowhere")).text)).toBe("Здесь ничего нет");
    await browser.submit("/login", { username: "ann", password: PASSWORD });
    expect(problem((await browser.submit("/", { text: " " })).text)).toBe("Сначала напишите что-нибудь.");
  });
});

test("somebody may choose a theme, which all pages then have", async () => {
  const reader = stranger(world);
  const theme = async (path: string) => tags(await roomOf(reader, path), "html")[0]?.attributes["data-theme"];
  expect(await theme("/")).toBeUndefined();
  for (const name of ["dark", "light"]) {
    await reader.submit("/", { theme: name });
    for (const path of ["/", "/rooms/public", "/login", "/nowhere"]) expect(await theme(path)).toBe(name);
  }
  await reader.submit("/", { theme: "system" });
  expect(await theme("/")).toBeUndefined();
  expect(await lastTexts(1)).toHaveLength(1);
});
