import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectJson, expectRefused } from "../../src/testing/answers.ts";
import { guest, member, PASSWORD, stranger, type Answer, type Client } from "../../src/testing/client.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import {
  fault,
  BAD_CHARACTERS,
  CREDENTIALS_MISSING,
  CREDENTIALS_WRONG,
  EMPTY_BODY,
  NAME_MISSING,
  NAME_TAKEN,
  PASSWORDS_DIFFER,
  PASSWORD_MISSING,
  PASSWORD_WEAK,
} from "./texts.ts";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/;
const GUEST = { authenticated: false, user: null };

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await member(world, "ann");
});
afterAll(() => world.stop());

function user(name: string) {
  return {
    username: name,
    email: "",
    profileImage: `${world.url}/media/default.jpg`,
    bio: "",
    registeredAt: expect.stringMatching(ISO),
    is_staff: false,
    is_superuser: false,
  };
}

const signedIn = (name: string) => ({ authenticated: true, user: user(name) });
const session = (client: Client) => client.get("/api/auth/session/");
const csrfOf = (client: Client) => client.cookies.get("csrftoken") ?? "";

function expectSessionCookie(answer: Answer): void {
  expect(answer.cookie("sessionid")).toEqual({
    value: expect.stringMatching(/^[\w.-]{32,}$/),
    attributes: { path: "/", "max-age": "1209600", samesite: "Lax", httponly: "" },
  });
}

function expectCsrfCookie(answer: Answer): void {
  expect(answer.cookie("csrftoken")).toEqual({
    value: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    attributes: { path: "/", "max-age": "31449600", samesite: "Lax" },
  });
}

describe("someone logging in", () => {
  test("gets the user, a session cookie and a new CSRF token; the old token is worth nothing", async () => {
    const ann = await guest(world);
    const before = csrfOf(ann);
    const answer = await ann.post("/api/auth/login/", { username: "ann", password: PASSWORD });
    expectJson(answer, 200, signedIn("ann"));
    expectSessionCookie(answer);
    expectCsrfCookie(answer);
    expect(csrfOf(ann)).not.toBe(before);
    expectRefused(
      await ann.post("/api/auth/logout/", undefined, { headers: { "x-csrftoken": before } }),
      403,
    );
    expectJson(await session(ann), 200, signedIn("ann"));
  });

  test.each([
    ["no body", undefined, EMPTY_BODY],
    ["an empty object", "{}", EMPTY_BODY],
    ["broken JSON", '{"username":', EMPTY_BODY],
    ["null", "null", EMPTY_BODY],
    ["other fields", { other: "x" }, CREDENTIALS_MISSING],
    ["no password", { username: "ann" }, CREDENTIALS_MISSING],
    ["an empty name", { username: "", password: PASSWORD }, CREDENTIALS_MISSING],
    ["null as a password", { username: "ann", password: null }, CREDENTIALS_MISSING],
    ["a wrong password", { username: "ann", password: "wrong" }, CREDENTIALS_WRONG],
    ["an unknown name", { username: "nobody", password: PASSWORD }, CREDENTIALS_WRONG],
    ["another case", { username: "ANN", password: PASSWORD }, CREDENTIALS_WRONG],
    ["outer spaces", { username: " ann ", password: PASSWORD }, CREDENTIALS_WRONG],
  ])("with %s is told so", async (_, body, expected) => {
    const ann = await guest(world);
    const answer = await ann.post("/api/auth/login/", body);
    expectJson(answer, 400, expected);
    expect(answer.cookie("sessionid")).toBeUndefined();
    expectJson(await session(ann), 200, GUEST);
  });

  test.each([
    ["a form", "form", {}],
    ["a multipart form", "multipart", {}],
    ["JSON that says it is text", "json", { "content-type": "text/plain" }],
    ["JSON with a charset", "json", { "content-type": "Application/JSON; charset=utf-8" }],
    ["JSON of no type", "json", { "content-type": "" }],
  ] as const)("may send %s", async (_, as, headers) => {
    const ann = await guest(world);
    const bytes = new TextEncoder().encode(JSON.stringify({ username: "ann", password: PASSWORD }));
    const answer =
      as === "json"
        ? await ann.request("POST", "/api/auth/login/", {
            headers: { "x-csrftoken": csrfOf(ann), ...clean(headers) },
            body: bytes,
          })
        : await ann.post("/api/auth/login/", { username: "ann", password: PASSWORD }, { as });
    expectJson(answer, 200, signedIn("ann"));
  });

  test("again as the same person keeps the session, with a new CSRF token", async () => {
    const ann = await guest(world);
    await ann.login("ann");
    const [cookie, token] = [ann.cookies.get("sessionid"), csrfOf(ann)];
    await ann.login("ann");
    expect(csrfOf(ann)).not.toBe(token);
    expectJson(
      await stranger(world).get("/api/auth/session/", { cookie: `sessionid=${cookie}` }),
      200,
      signedIn("ann"),
    );
  });

  test("as another person, or registering, ends the session before it", async () => {
    const browser = await member(world, "before");
    const first = browser.cookies.get("sessionid");
    expectJson(await browser.login("ann"), 200, signedIn("ann"));
    expectJson(await stranger(world).get("/api/auth/session/", { cookie: `sessionid=${first}` }), 200, GUEST);
    const second = browser.cookies.get("sessionid");
    expectJson(await browser.register("after"), 201, signedIn("after"));
    expectJson(
      await stranger(world).get("/api/auth/session/", { cookie: `sessionid=${second}` }),
      200,
      GUEST,
    );
  });

  test("on two devices is independent on each", async () => {
    const [phone, desk] = [await guest(world), await guest(world)];
    await phone.login("ann");
    await desk.login("ann");
    await phone.logout();
    expectJson(await session(phone), 200, GUEST);
    expectJson(await session(desk), 200, signedIn("ann"));
  });
});

describe("someone logging out", () => {
  test("is a guest from then on, keeps the CSRF cookie, and may do it twice", async () => {
    const ann = await guest(world);
    await ann.login("ann");
    const token = csrfOf(ann);
    const answer = await ann.logout();
    expectJson(answer, 200, { ok: true });
    expect(answer.cookie("sessionid")?.value).toBe('""');
    expect(answer.cookie("sessionid")?.attributes["max-age"]).toBe("0");
    expect(csrfOf(ann)).toBe(token);
    expectJson(await session(ann), 200, GUEST);
    expectJson(await ann.logout(), 200, { ok: true });
  });
});

describe("someone registering", () => {
  const register = async (username: unknown, password1: unknown = PASSWORD, password2: unknown = password1) =>
    (await guest(world)).post("/api/auth/register/", {
      username,
      password1,
      password2,
      email: "a@example.org",
    });

  test("is told by GET how to do it", async () => {
    const detail = "Используйте POST c полями username, password1, password2";
    expectJson(await stranger(world).get("/api/auth/register/"), 200, { detail });
  });

  test("is logged in", async () => {
    const bea = await guest(world);
    const answer = await bea.register("bea");
    expectJson(answer, 201, signedIn("bea"));
    expectSessionCookie(answer);
    expectCsrfCookie(answer);
    expectJson(await session(bea), 200, signedIn("bea"));
    await bea.logout();
    expectJson(await bea.login("bea"), 200, signedIn("bea"));
  });

  test.each([
    ["  cleo  ", "cleo"],
    ["ﬁona", "fiona"],
    ["Ｄora", "Dora"],
    ["Ёлка-7", "Ёлка-7"],
    ["d.e@f+g-h_i", "d.e@f+g-h_i"],
    ["x".repeat(150), "x".repeat(150)],
  ])("as %j is logged in as %j", async (typed, name) =>
    expectJson(await register(typed), 201, signedIn(name)),
  );

  test.each([
    ["no body", undefined],
    ["an empty object", "{}"],
    ["broken JSON", "{"],
    ["null", "null"],
  ])("with %s is told so", async (_, body) => {
    expectJson(await (await guest(world)).post("/api/auth/register/", body), 400, EMPTY_BODY);
  });

  const both = (message: string) => fault(message, "username", message);
  const tooLong = (length: number) =>
    `Убедитесь, что это значение содержит не более 150 символов (сейчас ${length}).`;
  const weakAnd = (message: string) => ({
    ...PASSWORD_WEAK,
    errors: { ...PASSWORD_WEAK.errors, username: [message] },
  });
  test.each([
    ["no name, before all else", "", "", "", NAME_MISSING],
    ["a name that exists, before any password", "ann", "", "x", NAME_TAKEN],
    ["a name that exists in another case", "ANN", PASSWORD, PASSWORD, NAME_TAKEN],
    ["a name that exists but for its form", "ａnn ", PASSWORD, PASSWORD, NAME_TAKEN],
    ["no password", "new", "", PASSWORD, PASSWORD_MISSING],
    ["no second password", "new", PASSWORD, "", PASSWORD_MISSING],
    ["different passwords, before their rules", "new", "a", "b", PASSWORDS_DIFFER],
    ["a weak password", "new", "12345", "12345", PASSWORD_WEAK],
    ["a weak password and a bad name", "no space", "12345", "12345", weakAnd(BAD_CHARACTERS)],
    ["a weak password and a long name", "x".repeat(151), "12345", "12345", weakAnd(tooLong(151))],
    ["a space inside", "no space", PASSWORD, PASSWORD, both(BAD_CHARACTERS)],
    ["a slash", "a/b", PASSWORD, PASSWORD, both(BAD_CHARACTERS)],
    ["an emoji", "a😀", PASSWORD, PASSWORD, both(BAD_CHARACTERS)],
    ["NUL", "a\0b", PASSWORD, PASSWORD, both(BAD_CHARACTERS)],
    ["151 characters", "x".repeat(151), PASSWORD, PASSWORD, both(tooLong(151))],
    ["only white space", " \t ", PASSWORD, PASSWORD, both("Обязательное поле.")],
  ])("with %s is told so", async (_, username, password1, password2, expected) => {
    const answer = await register(username, password1, password2);
    expectJson(answer, 400, expected);
    expect(answer.cookie("sessionid")).toBeUndefined();
  });

  test("at the same moment as others under one name is the only one to get it", async () => {
    const answers = await Promise.all(["Ida", "ida", "IDA", "idA"].map((name) => register(name)));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(3);
    for (const answer of refused) expectJson(answer, 400, NAME_TAKEN);
  });
});

function clean(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""));
}
