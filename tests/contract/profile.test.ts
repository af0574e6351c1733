import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectJson, expectRefused } from "../../src/testing/answers.ts";
import { guest, member, stranger, type Answer, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { jpeg, photograph, png, SECRET } from "../../src/testing/pictures.ts";
import { ask } from "../../src/testing/raw.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { BAD_CHARACTERS } from "./texts.ts";

const PROFILE = "/api/auth/profile/";
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/;
const LOGIN_REQUIRED = { error: "Требуется авторизация" };
const REQUIRED = "Обязательное поле.";
const NUL = "Данные содержат запрещённый символ: ноль-байт";
const tooLong = (most: number, length: number) =>
  `Убедитесь, что это значение содержит не более ${most} символов (сейчас ${length}).`;
const EXTENSIONS = /^bmp, dib, gif, [a-z0-9, ]*\bjpg, [a-z0-9, ]*\bpng, [a-z0-9, ]*\bwebp, [a-z0-9, ]*xpm\.$/;

let world: World;
beforeAll(async () => {
  world = await startWorld();
  const ann = await member(world, "ann");
  await ann.post(PROFILE, { username: "ann", email: "Ann@Example.org" });
});
afterAll(() => world.stop());

let people = 0;
const somebody = async () => {
  const name = `person${++people}`;
  return { name, client: await member(world, name) };
};

function user(name: string, more: object = {}) {
  const image = `${world.url}/media/default.jpg`;
  const registeredAt = expect.stringMatching(ISO);
  return { user: { username: name, email: "", profileImage: image, bio: "", registeredAt, ...more } };
}

const file = (bytes: BlobPart, name: string) => new File([bytes], name);
const send = (client: Client, fields: object) => client.post(PROFILE, fields, { as: "multipart" });
const imageOf = (answer: Answer) => (answer.json() as { user: { profileImage: string } }).user.profileImage;
const stored = () => readdirSync(join(world.dataDir, "media/profile_pics")).toSorted();

describe("a guest", () => {
  test("has no profile", async () => {
    const visitor = await guest(world);
    expectJson(await visitor.get(PROFILE), 401, LOGIN_REQUIRED);
    for (const as of ["json", "form", "multipart"] as const)
      expectJson(await visitor.post(PROFILE, { username: "x" }, { as }), 401, LOGIN_REQUIRED);
  });

  test("without a token is told that first", async () => {
    const visitor = await guest(world);
    for (const as of ["json", "form", "multipart"] as const) {
      const without = { as, headers: { "x-csrftoken": "" } };
      expectRefused(await visitor.post(PROFILE, { username: "x" }, without), 403);
      const csrfmiddlewaretoken = visitor.cookies.get("csrftoken") ?? "";
      if (as !== "json")
        expectJson(await visitor.post(PROFILE, { csrfmiddlewaretoken }, without), 401, LOGIN_REQUIRED);
    }
  });
});

describe("somebody's profile", () => {
  test("has five keys", async () => {
    const { name, client } = await somebody();
    expectJson(await client.get(PROFILE), 200, user(name));
  });

  test.each(["json", "form", "multipart"] as const)("is replaced by what is sent as %s", async (as) => {
    const { name, client } = await somebody();
    const username = `${name}.new`;
    const fields = { username, email: `${name}@example.org`, bio: "hello" };
    expectJson(await client.post(PROFILE, fields, { as }), 200, user(username, { ...fields, username }));
    expectJson(await client.get(PROFILE), 200, user(username, { ...fields, username }));
    expectJson(await client.post(PROFILE, { username }, { as }), 200, user(username));
  });

  test("may have its token inside the form", async () => {
    const { name, client } = await somebody();
    const csrfmiddlewaretoken = client.cookies.get("csrftoken") ?? "";
    for (const as of ["form", "multipart"] as const) {
      const headers = { "x-csrftoken": "" };
      expectRefused(await client.post(PROFILE, { username: "forged" }, { as, headers }), 403);
      const answer = await client.post(PROFILE, { username: name, csrfmiddlewaretoken }, { as, headers });
      expectJson(answer, 200, user(name));
    }
  });

  test("without a token is refused before its body is looked at", async () => {
    const { name, client } = await somebody();
    const headers = { "x-csrftoken": "" };
    for (const body of ["[]", '{"username":"forged"}', "{"]) {
      expectRefused(await client.post(PROFILE, body, { headers }), 403);
    }
    expectJson(await client.get(PROFILE), 200, user(name));
  });

  const values: [string, Record<string, string>, Record<string, string>][] = [
    ["an address with a large host", { email: " Ann.Bee@EXAMPLE.Org " }, { email: "Ann.Bee@example.org" }],
    ["an address in another script", { email: "ann@почта.рф" }, { email: "ann@почта.рф" }],
    ["an address at home", { email: "ann@localhost" }, { email: "ann@localhost" }],
    ["markup in the words", { bio: "<b>hi</b> & 1 < 2" }, { bio: "hi & 1 < 2" }],
    ["entities in the words", { bio: "&lt;b&gt; &amp;" }, { bio: "&lt;b&gt; &amp;" }],
    ["markup inside of markup", { bio: "<<b>script>x</<b>script>" }, { bio: "x" }],
    ["a script", { bio: "a<script>alert(1)</script>b" }, { bio: "aalert(1)b" }],
    ["a comment", { bio: "a<!-- <b> -->b" }, { bio: "ab" }],
    ["a bracket in an attribute", { bio: 'a<a title="x>y">b</a>' }, { bio: "ab" }],
    ["no end to the markup", { bio: "a <b" }, { bio: "a <b" }],
    ["line breaks", { bio: "  a\r\nb\n\n c  " }, { bio: "a\r\nb\n\n c" }],
    ["a thousand emoji", { bio: "🦆".repeat(1000) }, { bio: "🦆".repeat(1000) }],
    ["a thousand after trimming", { bio: ` ${"x".repeat(1000)} ` }, { bio: "x".repeat(1000) }],
    ["an image that is text", { image: "x" }, {}],
    ["a wish to clear the image", { "image-clear": "on" }, {}],
  ];
  test.each(values)("is stored well with %s", async (_, typed, expected) => {
    const { name, client } = await somebody();
    expectJson(await client.post(PROFILE, { username: name, ...typed }), 200, user(name, expected));
    expectJson(await client.get(PROFILE), 200, user(name, expected));
    // The address is this person's: the next row may have it.
    await client.post(PROFILE, { username: name });
  });

  test("keeps its name trimmed and in one form", async () => {
    const { name, client } = await somebody();
    expectJson(await client.post(PROFILE, { username: `  ﬁ${name} ` }), 200, user(`fi${name}`));
    expectJson(await client.post(PROFILE, { username: `FI${name}` }), 200, user(`FI${name}`));
  });

  const faults: [string, Record<string, unknown> | string | undefined, Record<string, string>][] = [
    ["no body", undefined, { username: REQUIRED }],
    ["an empty object", "{}", { username: REQUIRED }],
    ["broken JSON", "{", { username: REQUIRED }],
    ["no name", { email: "", bio: "x" }, { username: REQUIRED }],
    ["a blank name", { username: " \t " }, { username: REQUIRED }],
    ["bad characters in the name", { username: "a b" }, { username: BAD_CHARACTERS }],
    ["an emoji in the name", { username: "a😀" }, { username: BAD_CHARACTERS }],
    ["151 characters", { username: "x".repeat(151) }, { username: tooLong(150, 151) }],
    ["somebody's name", { username: "ann" }, { username: "Имя пользователя уже занято" }],
    ["somebody's name in spaces", { username: " ann " }, { username: "Имя пользователя уже занято" }],
    ["somebody's name but for case", { username: "ANN" }, { username: "Имя пользователя уже занято" }],
    ["a name that looks like somebody's", { username: "аnn" }, { username: "Имя пользователя уже занято" }],
    ["NUL in the name", { username: "a\0b" }, { username: NUL }],
    ["no address", { email: "ann" }, { email: "Введите правильный адрес электронной почты." }],
    ["an address of nobody", { email: "@a.b" }, { email: "Введите правильный адрес электронной почты." }],
    ["an address nowhere", { email: "ann@a" }, { email: "Введите правильный адрес электронной почты." }],
    ["two addresses", { email: "a@b.cc, d@e.ff" }, { email: "Введите правильный адрес электронной почты." }],
    [
      "a long address",
      { email: `a@${"b.".repeat(140)}cc` },
      { email: "Введите правильный адрес электронной почты." },
    ],
    ["somebody's address", { email: "ANN@example.ORG" }, { email: "Email уже используется" }],
    ["NUL in the address", { email: "a\0@b.cc" }, { email: NUL }],
    ["1001 characters", { bio: "x".repeat(1001) }, { bio: tooLong(1000, 1001) }],
    ["1001 with markup", { bio: `<b>${"x".repeat(998)}` }, { bio: tooLong(1000, 1001) }],
    ["1001 with a line break", { bio: `a\r\n${"x".repeat(998)}` }, { bio: tooLong(1000, 1001) }],
    ["NUL in the words", { bio: "a\0b" }, { bio: NUL }],
    ["half a pair in the words", '{"bio":"\\ud83d"}', { bio: NUL }],
    [
      "everything wrong",
      { username: "a b", email: "x", bio: "x".repeat(1002) },
      {
        username: BAD_CHARACTERS,
        email: "Введите правильный адрес электронной почты.",
        bio: tooLong(1000, 1002),
      },
    ],
  ];
  test.each(faults)("with %s is refused, and nothing changes", async (_, typed, expected) => {
    const { name, client } = await somebody();
    const before = { username: name, email: `${name}@example.org`, bio: "before" };
    expectJson(await client.post(PROFILE, before), 200, user(name, before));
    const asked =
      typeof typed === "object" && !("username" in expected) ? { username: name, ...typed } : typed;
    const body =
      typeof asked === "string" && asked.includes("bio")
        ? asked.replace("{", `{"username":"${name}",`)
        : asked;
    const answer = await client.post(PROFILE, body);
    const errors = Object.fromEntries(Object.entries(expected).map(([field, text]) => [field, [text]]));
    expectJson(answer, 400, { errors });
    expectJson(await client.get(PROFILE), 200, user(name, before));
  });

  test.each(["[]", '"text"', "1", '{"username":1}', '{"username":["ann"]}', '{"username":{}}'])(
    "is never %s",
    async (body) => {
      const { name, client } = await somebody();
      expectRefused(await client.post(PROFILE, body), 400);
      expectJson(await client.get(PROFILE), 200, user(name));
    },
  );

  test("takes no rank, no id and no date from the form", async () => {
    const { name, client } = await somebody();
    const wishes = { is_staff: "true", isStaff: "1", is_superuser: "true", id: "1", registeredAt: "0" };
    expectJson(await client.post(PROFILE, { username: name, ...wishes }), 200, user(name));
    expect((await client.get("/api/auth/session/")).json()).toMatchObject({
      user: { is_staff: false, is_superuser: false },
    });
  });

  test("gives one name to one of ten who ask at once", async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, somebody));
    const answers = await Promise.all(
      clients.map(({ client }) => client.post(PROFILE, { username: "wanted" })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe("a picture", () => {
  test("is drawn anew, shown to everybody, and told of nothing that was in it", async () => {
    const { name, client } = await somebody();
    const answer = await send(client, { username: name, image: file(await photograph(900, 600), "me.JPG") });
    const image = imageOf(answer);
    expectJson(answer, 200, user(name, { profileImage: image }));
    expect(image).toMatch(new RegExp(`^${world.url}/media/profile_pics/[0-9a-f]{32}\\.webp$`));

    const shown = await fetch(image);
    expect(Object.fromEntries(shown.headers)).toMatchObject({
      "content-type": "image/webp",
      "cache-control": "public, max-age=2592000, immutable",
      "content-security-policy": "sandbox; default-src 'none'",
      "content-disposition": "inline",
      "x-content-type-options": "nosniff",
    });
    const bytes = Buffer.from(await shown.arrayBuffer());
    expect(await new Bun.Image(bytes).metadata()).toEqual({ width: 256, height: 384, format: "webp" });
    expect(bytes.includes(SECRET)).toBe(false);
    expect((await fetch(image.replace(".webp", ".64.webp"))).status).toBe(200);
  });

  test("stays when none is sent, and is gone when another takes its place", async () => {
    const { name, client } = await somebody();
    const before = stored();
    const first = imageOf(await send(client, { username: name, image: file(png(300, 300), "a.png") }));
    expect(stored()).toHaveLength(before.length + 2);
    for (const fields of [
      { username: name },
      { username: name, image: "x" },
      { username: name, "image-clear": "on" },
    ])
      expect(imageOf(await send(client, fields))).toBe(first);
    const second = imageOf(await send(client, { username: name, image: file(png(300, 300), "a.png") }));
    expect(second).not.toBe(first);
    expect(stored()).toHaveLength(before.length + 2);
    expect((await fetch(first)).status).toBe(404);
    expect((await fetch(second)).status).toBe(200);
    expect((await fetch(`${world.url}/media/default.jpg`)).status).toBe(200);
  });

  test("may be called by any extension that was ever known, whatever is inside", async () => {
    const { name, client } = await somebody();
    for (const called of ["a.png", "a.jpeg", "A.GIF", "a.b.Tiff", "картинка.webp", "../../a.png", "a;b.png"])
      expect((await send(client, { username: name, image: file(png(30, 30), called) })).status).toBe(200);
  });

  const INVALID =
    "Загрузите правильное изображение. Файл, который вы загрузили, поврежден или не является изображением.";
  const nameTooLong = (length: number) =>
    `Убедитесь, что это имя файла содержит не более 100 символов (сейчас ${length}).`;
  const wrong = (extension: string) =>
    expect.stringMatching(
      new RegExp(`^Расширение файлов “${extension}” не поддерживается. Разрешенные расширения: bmp`),
    );
  const faults: [string, () => Promise<File>, unknown][] = [
    ["is text", async () => file("hello", "a.png"), INVALID],
    ["is HTML", async () => file("<script>alert(1)</script>", "a.png"), INVALID],
    ["is SVG", async () => file('<svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg"), INVALID],
    ["is cut off", async () => file((await jpeg(300, 300)).slice(0, 500), "a.jpg"), INVALID],
    ["is empty", async () => file("", "a.png"), "Отправленный файл пуст."],
    ["is called .txt", async () => file(png(9, 9), "a.TXT"), wrong("txt")],
    ["has no extension", async () => file(png(9, 9), "picture"), wrong("")],
    ["is only an extension", async () => file(png(9, 9), ".png"), wrong("")],
    ["has a name of 124", async () => file(png(9, 9), `${"x".repeat(120)}.png`), nameTooLong(124)],
    ["has a name of 101 letters", async () => file(png(9, 9), `${"й".repeat(97)}.png`), nameTooLong(101)],
  ];
  test.each(faults)("that %s is refused, and nothing is kept", async (_, make, message) => {
    const { name, client } = await somebody();
    const before = stored();
    const answer = await send(client, { username: name, bio: "changed", image: await make() });
    expectJson(answer, 400, { errors: { image: [message] } });
    expectJson(await client.get(PROFILE), 200, user(name));
    expect(stored()).toEqual(before);
  });

  test("is refused with all extensions named", async () => {
    const { name, client } = await somebody();
    const answer = await send(client, { username: name, image: file(png(9, 9), "a.exe") });
    const { errors } = answer.json() as { errors: { image: [string] } };
    expect(errors.image[0].split("расширения: ")[1]).toMatch(EXTENSIONS);
  });

  test("with another field wrong is not kept, and both are told", async () => {
    const { client } = await somebody();
    const before = stored();
    const answer = await send(client, { username: "ann", image: file(png(30, 30), "a.png") });
    expectJson(answer, 400, { errors: { username: ["Имя пользователя уже занято"] } });
    const both = await send(client, { username: "ann", image: file("", "a.png") });
    expectJson(both, 400, {
      errors: { username: ["Имя пользователя уже занято"], image: ["Отправленный файл пуст."] },
    });
    expect(stored()).toEqual(before);
  });

  test("too many in a while are refused, and say when to come back", async () => {
    const strict = await startWorld({ UPLOAD_RATE_LIMIT: "2", UPLOAD_RATE_WINDOW: "60" });
    const [bob, eve] = [await member(strict, "bob"), await member(strict, "eve")];
    const upload = (client: Client, username: string) =>
      send(client, { username, image: file(png(30, 30), "a.png") });
    for (let i = 0; i < 4; i++) expect((await send(bob, { username: "bob" })).status).toBe(200);
    for (let i = 0; i < 2; i++) expect((await upload(bob, "bob")).status).toBe(200);
    const refused = await upload(bob, "bob");
    expectJson(refused, 429, { error: "Too many attempts" });
    expect(Number(refused.headers.get("retry-after"))).toBeWithin(1, 61);
    expect((await send(bob, { username: "bob" })).status).toBe(200);
    expect((await upload(eve, "eve")).status).toBe(200);
    await strict.stop();
  });
});

describe("anybody", () => {
  const users = (name: string, client: Client = stranger(world)) =>
    client.get(`/api/auth/users/${encodeURIComponent(name)}/`);

  test("may see somebody, but not their address, not even their own", async () => {
    const { name, client } = await somebody();
    await client.post(PROFILE, { username: name, email: `${name}@example.org`, bio: "hello" });
    expectJson(await users(name), 200, user(name, { bio: "hello" }));
    expectJson(await users(name, client), 200, user(name, { bio: "hello" }));
  });

  test.each(["a@b+c.d-e_f", "Ёлка-7", "x".repeat(150)])("is found by the name %s", async (name) => {
    await member(world, name);
    expectJson(await users(name), 200, user(name));
  });

  test.each(["nobody", "ANN", " ann", "ann ", "%", "'--", "__proto__", "a/b", "ann/x"])(
    "is not found by %j",
    async (name) => expectJson(await users(name), 404, { error: "Not found" }),
  );

  test.each([
    "/api/auth/users//",
    "/api/auth/users/",
    "/api/auth/users/%ff/",
    "/api/auth/users/%/",
    "/api/auth/users/ann/x/",
  ])("is not found at %s", async (path) => expect((await ask(world, { path })).status).toBe(404));

  test("who is renamed is found by the new name at once, and not by the old", async () => {
    const { name, client } = await somebody();
    await client.post(PROFILE, { username: `${name}.b` });
    expectJson(await users(`${name}.b`), 200, user(`${name}.b`));
    expectJson(await users(name), 404, { error: "Not found" });
    expect((await client.get("/api/auth/session/")).json()).toMatchObject({ authenticated: true });
  });
});

describe("media", () => {
  const image = async (client: Client, name: string) =>
    imageOf(await send(client, { username: name, image: file(png(30, 30), "a.png") }));

  test("have addresses under the name by which a client sees us", async () => {
    const { name, client } = await somebody();
    const path = (await image(client, name)).slice(world.url.length);
    const seen = async (headers: Record<string, string>) =>
      imageOf(await stranger(world).get(`/api/auth/users/${name}/`, headers));
    expect(await seen({})).toBe(world.url + path);
    expect(await seen({ host: "chat.example.org" })).toBe(`http://chat.example.org${path}`);
    expect(await seen({ host: "chat.example.org", "x-forwarded-proto": "https" })).toBe(
      `https://chat.example.org${path}`,
    );
    const forwarded = { "x-forwarded-host": "chat.example.org", "x-forwarded-proto": "https" };
    expect(await seen(forwarded)).toBe(`https://chat.example.org${path}`);
    expect(await seen({ "x-forwarded-host": "chat.example.org" })).toBe(`http://chat.example.org${path}`);
  });

  test("have addresses under the public one, where that is known", async () => {
    const known = await startWorld({ PUBLIC_BASE_URL: "https://chat.example.org/" });
    const bob = stranger(known);
    await bob.get("/api/auth/csrf/");
    const headers = { origin: "https://chat.example.org" };
    const body = { username: "bob", password1: "correct horse", password2: "correct horse" };
    expect(imageOf(await bob.post("/api/auth/register/", body, { headers }))).toBe(
      "https://chat.example.org/media/default.jpg",
    );
    await known.stop();
  });

  test("hold the default picture", async () => {
    const answer = await fetch(`${world.url}/media/default.jpg`);
    expect(answer.headers.get("content-type")).toBe("image/jpeg");
    expect(await new Bun.Image(await answer.arrayBuffer()).metadata()).toMatchObject({ format: "jpeg" });
  });

  test("that were imported are shown by what they are", async () => {
    const { name } = await somebody();
    const folder = join(world.dataDir, "media/profile_pics");
    writeFileSync(join(folder, "meme2.png"), await jpeg(30, 30));
    writeFileSync(join(folder, "page.png"), "<script>alert(1)</script>");
    await inDatabase(world, "UPDATE users SET avatar = 'profile_pics/meme2.png' WHERE name = ?", name);
    const url = imageOf(await stranger(world).get(`/api/auth/users/${name}/`));
    expect(url).toBe(`${world.url}/media/profile_pics/meme2.png`);
    expect((await fetch(url)).headers.get("content-type")).toBe("image/jpeg");
    expect((await fetch(url.replace("meme2", "page"))).status).toBe(404);
  });

  test.each([
    "/media/profile_pics/",
    "/media/profile_pics/nothing.webp",
    "/media/profile_pics/../../echochat.sqlite",
    "/media/profile_pics/..%2f..%2fechochat.sqlite",
    "/media/profile_pics/%2e%2e/%2e%2e/echochat.sqlite",
    "/media/profile_pics/..%5c..%5cechochat.sqlite",
    "/media/profile_pics/%00.webp",
    "/media/profile_pics/%ff",
    "/media/profile_pics/.hidden.webp",
    "/media/echochat.sqlite",
    "/media/",
  ])("are nothing else: %s", async (path) => {
    writeFileSync(join(world.dataDir, "media/profile_pics/.hidden.webp"), await jpeg(9, 9));
    expect((await ask(world, { path })).status).toBe(404);
  });
});
