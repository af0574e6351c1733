import { afterAll, describe, expect, test } from "bun:test";
import { expectJson, expectRefused, expectSecurityHeaders } from "../../src/testing/answers.ts";
import { guest, member, PASSWORD, stranger, type Client } from "../../src/testing/client.ts";
import { startWorld, type Environment, type World } from "../../src/testing/world.ts";

const worlds: World[] = [];
const start = async (env: Environment) => {
  const world = await startWorld(env);
  worlds.push(world);
  return world;
};
afterAll(async () => {
  for (const world of worlds) await world.stop();
});

const WEAK = { error: "Пароль слишком слабый", errors: { password: ["Пароль слишком слабый"] } };

describe("whoever tries too often", () => {
  const tryLogin = (client: Client) =>
    client.post("/api/auth/login/", { username: "nobody", password: "wrong" });
  const tryRegister = (client: Client) => client.post("/api/auth/register/", {});

  test("is refused the eleventh time within a minute, separately for login and register", async () => {
    const world = await start({ AUTH_RATE_LIMIT: undefined });
    const visitor = await guest(world);
    const forged = { headers: { "x-csrftoken": "" } };
    for (let i = 0; i < 12; i++) expectRefused(await visitor.post("/api/auth/login/", {}, forged), 403);
    const bodies = ["{}", "{broken", { username: "x", password: "y" }, { username: "x" }];
    for (let i = 0; i < 10; i++)
      expect((await visitor.post("/api/auth/login/", bodies[i % 4])).status).toBe(400);

    const refused = await tryLogin(visitor);
    expectJson(refused, 429, { error: "Too many attempts" });
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(60);
    expect((await visitor.post("/api/auth/login/", "[]")).status).toBe(429);
    expectRefused(await visitor.post("/api/auth/login/", {}, forged), 403);

    for (let i = 0; i < 10; i++) expect((await tryRegister(visitor)).status).toBe(400);
    expectJson(await tryRegister(visitor), 429, { error: "Too many attempts" });
    expect((await visitor.get("/api/auth/register/")).status).toBe(200);
  });

  test("is counted by address: a new session, a form and success change nothing, another address does", async () => {
    const world = await start({ AUTH_RATE_LIMIT: "3" });
    const ann = await member(world, "ann");
    expect((await ann.login("ann")).status).toBe(200);
    const typed = { username: "ann", password: "wrong" };
    expect((await stranger(world).submit("/login", typed)).status).toBe(422);
    expect((await tryLogin(await guest(world))).status).toBe(400);
    expect((await tryLogin(await guest(world))).status).toBe(429);
    const page = await stranger(world).submit("/login", typed);
    expect(page.status).toBe(429);
    expect(Number(page.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await ann.login("ann")).status).toBe(429);
    const elsewhere = await guest(world, { headers: { "x-forwarded-for": "203.0.113.7" } });
    expect((await elsewhere.login("ann")).status).toBe(200);
  });

  test("is let in again when the window is over, however often refused meanwhile", async () => {
    const world = await start({ AUTH_RATE_LIMIT: "2", AUTH_RATE_WINDOW: "2" });
    const visitor = await guest(world);
    expect((await tryRegister(visitor)).status).toBe(400);
    expect((await tryRegister(visitor)).status).toBe(400);
    let refusals = 0;
    while ((await tryRegister(visitor)).status === 429) {
      refusals++;
      await Bun.sleep(50);
    }
    expect(refusals).toBeGreaterThan(0);
  });

  test("cannot hide behind an address that no trusted proxy has seen", async () => {
    const world = await start({ AUTH_RATE_LIMIT: "1" });
    const from = async (forwarded: string) =>
      (await tryLogin(await guest(world, { headers: { "x-forwarded-for": forwarded } }))).status;
    expect(await from("203.0.113.1")).toBe(400);
    expect(await from("203.0.113.2")).toBe(400);
    expect(await from("198.51.100.9, 203.0.113.1")).toBe(429);
    expect(await from("203.0.113.1, 10.0.0.5")).toBe(429);
    expect(await from("198.51.100.9, 203.0.113.2, 192.168.1.1")).toBe(429);

    const exposed = await start({ AUTH_RATE_LIMIT: "1", TRUSTED_PROXIES: "10.0.0.0/8" });
    const directly = async (forwarded: string) =>
      (
        await tryLogin(
          await guest(exposed, { headers: { "x-forwarded-for": forwarded, "x-real-ip": forwarded } }),
        )
      ).status;
    expect(await directly("203.0.113.1")).toBe(400);
    expect(await directly("203.0.113.2")).toBe(429);
  });
});

describe("a limit", () => {
  const from = (world: World, address: string) => guest(world, { headers: { "x-forwarded-for": address } });
  const wrong = (client: Client, username: string) =>
    client.post("/api/auth/login/", { username, password: "wrong" });

  test("counts a whole /64 of IPv6 as one, and IPv4 in its dress as IPv4", async () => {
    const world = await start({ AUTH_RATE_LIMIT: "2" });
    const attempt = async (address: string, name: string) =>
      (await wrong(await from(world, address), name)).status;
    expect(await attempt("2001:db8:1:2::1", "one")).toBe(400);
    expect(await attempt("2001:db8:1:2:ffff::9", "two")).toBe(400);
    expect(await attempt("2001:db8:1:2:1:2:3:4", "three")).toBe(429);
    expect(await attempt("2001:db8:1:3::1", "three")).toBe(400);
    expect(await attempt("203.0.113.9", "four")).toBe(400);
    expect(await attempt("::ffff:203.0.113.9", "five")).toBe(400);
    expect(await attempt("::ffff:cb00:7109", "six")).toBe(429);
  });

  test("protects one account from many networks, known or not, and lets its owner in on a known device", async () => {
    const world = await start({ AUTH_RATE_LIMIT: "5" });
    const ann = await member(world, "ann");
    await member(world, "bob");
    for (const name of ["ann", "nobody"]) {
      const statuses: number[] = [];
      for (let i = 0; i < 12; i++) {
        statuses.push((await wrong(await from(world, `198.51.100.${i}`), name)).status);
        const typed = i % 2 === 0 ? name : name.toUpperCase();
        if (i === 5) expect((await wrong(await from(world, "198.51.100.99"), typed)).status).toBe(400);
      }
      expect(statuses).toEqual([...Array<number>(9).fill(400), 429, 429, 429]);
    }
    const stolen = await from(world, "203.0.113.1");
    const refused = await stolen.login("ann");
    expectJson(refused, 429, { error: "Too many attempts" });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const page = await (
      await from(world, "203.0.113.2")
    ).submit("/login", {
      username: "ann",
      password: PASSWORD,
    });
    expect(page.status).toBe(429);
    expect((await ann.login("ann")).status).toBe(200);
    expect((await (await from(world, "203.0.113.3")).login("bob")).status).toBe(200);
    // Somebody else's living session is no known device.
    const bob = await guest(world, { headers: { "x-forwarded-for": "203.0.113.4" } });
    await bob.login("bob");
    expect((await bob.login("ann")).status).toBe(429);
  });
});

describe("password rules", () => {
  const tryPassword = async (world: World, username: string, password: string) =>
    (await guest(world)).register(username, password);

  test("are relaxed by default: six characters", async () => {
    const world = await start({});
    const rules = ["Ваш пароль должен содержать как минимум 6 символов."];
    expectJson(await stranger(world).get("/api/auth/password-rules/"), 200, { rules });
    expectJson(await tryPassword(world, "ann", "12345"), 400, WEAK);
    expect((await tryPassword(world, "ann", "123456")).status).toBe(201);
  });

  describe("in production", () => {
    let world: World;
    test("are strict, and said in order", async () => {
      world = await start({ NODE_ENV: "production" });
      const rules = [
        "Пароль не должен быть слишком похож на другую вашу личную информацию.",
        "Ваш пароль должен содержать как минимум 8 символов.",
        "Пароль не должен быть слишком простым и распространенным.",
        "Пароль не может состоять только из цифр.",
      ];
      expectJson(await stranger(world).get("/api/auth/password-rules/"), 200, { rules });
    });

    test.each([
      ["too short", "ann", "x7$kQ2z"],
      ["only digits", "ann", "8392017465"],
      ["a common one", "ann", "password"],
      ["a common one", "ann", "iloveyou"],
      ["a common one", "ann", "Football1"],
      ["a common one", "ann", "password123"],
      ["the user name", "annabelle", "annabelle"],
      ["the user name and a digit", "annabelle", "Annabelle1"],
      ["the user name with a letter changed", "annabelle", "annabel1e"],
      ["a part of the user name", "zebulon.archer", "zebulon7"],
    ])("refuse %s for %s: %s", async (_, name, password) =>
      expectJson(await tryPassword(world, name, password), 400, WEAK),
    );

    test.each([
      ["one", "tulip-anvil-93"],
      ["two", "пароль не для всех"],
      ["three", "🦆🦆🐢🐢🦩🦩🦑🦑"],
      ["four", "long ".repeat(100)],
    ])("let %s have %s, who can log in with it", async (name, password) => {
      expect((await tryPassword(world, name, password)).status).toBe(201);
      expect((await (await guest(world)).login(name, password)).status).toBe(200);
      expect((await (await guest(world)).login(name, `${password}x`)).status).toBe(400);
    });
  });
});

describe("someone whose TLS ends at a proxy", () => {
  test("gets secure cookies, a session that no other host can set, and HSTS on every answer", async () => {
    const world = await start({});
    const ann = await guest(world, { tls: true });
    const answer = await ann.register("ann");
    expect(answer.status).toBe(201);
    expect(answer.json()).toMatchObject({ user: { profileImage: expect.stringMatching(/^https:/) } });
    expect(answer.cookie("sessionid")).toBeUndefined();
    expect(answer.cookie("__Host-sessionid")?.attributes).toEqual({
      path: "/",
      "max-age": "1209600",
      samesite: "Lax",
      secure: "",
      httponly: "",
    });
    expect(answer.cookie("csrftoken")?.attributes).toEqual({
      path: "/",
      "max-age": "31449600",
      samesite: "Lax",
      secure: "",
    });
    expect((await ann.get("/api/auth/session/")).json()).toMatchObject({ authenticated: true });

    const style = /href="(\/assets\/[^"]+\.css)"/.exec((await ann.get("/")).text)?.[1] ?? "";
    for (const path of [
      "/",
      "/login",
      "/nothing-here",
      style,
      "/icon.svg",
      "/api/auth/session/",
      "/api/auth/session",
      "/api/nothing/",
    ]) {
      const secured = await ann.get(path);
      expect({ path, hsts: secured.headers.get("strict-transport-security") }).toEqual({
        path,
        hsts: expect.stringMatching(/^max-age=\d{8,}/),
      });
      expectSecurityHeaders(secured);
    }
    const preference = await ann.submit("/", { locale: "ru" });
    expect(preference.cookie("locale")?.attributes.secure).toBe("");
    expect(preference.headers.get("strict-transport-security")).not.toBeNull();

    expect((await ann.post("/api/auth/logout/", undefined, { headers: { origin: world.url } })).status).toBe(
      403,
    );
    const out = await ann.logout();
    expect(out.cookie("__Host-sessionid")?.attributes).toMatchObject({
      "max-age": "0",
      path: "/",
      secure: "",
    });
  });

  test("must show where a request comes from", async () => {
    const world = await start({});
    const visitor = await guest(world, { tls: true });
    const login = (headers: Record<string, string>) =>
      visitor.post("/api/auth/login/", {}, { headers: { "sec-fetch-site": "", ...headers } });
    expect((await login({})).status).toBe(400);
    expect((await login({ origin: "", referer: `${visitor.origin}/login` })).status).toBe(400);
    expectRefused(await login({ origin: "", referer: "https://evil.example/login" }), 403);
    expectRefused(await login({ origin: "" }), 403);
  });

  test("gets none of it from a proxy that is not trusted", async () => {
    const world = await start({ TRUSTED_PROXIES: "10.0.0.0/8" });
    const ann = stranger(world, { headers: { "x-forwarded-proto": "https" } });
    const answer = await ann.register("ann", PASSWORD);
    expect(answer.status).toBe(201);
    expect(answer.cookie("sessionid")?.attributes.secure).toBeUndefined();
    expect(answer.cookie("__Host-sessionid")).toBeUndefined();
    expect(answer.headers.get("strict-transport-security")).toBeNull();
  });

  test("gets all of it where the public address says https", async () => {
    const world = await start({
      PUBLIC_BASE_URL: "https://chat.example.org/",
      TRUSTED_PROXIES: "10.0.0.0/8",
    });
    const visitor = stranger(world);
    await visitor.get("/api/auth/csrf/");
    const headers = { origin: "https://chat.example.org" };
    const body = { username: "ann", password1: PASSWORD, password2: PASSWORD };
    const answer = await visitor.post("/api/auth/register/", body, { headers });
    expect(answer.json()).toMatchObject({
      user: { profileImage: "https://chat.example.org/media/default.jpg" },
    });
    expect(answer.cookie("__Host-sessionid")?.attributes.secure).toBe("");
    expect(answer.headers.get("strict-transport-security")).not.toBeNull();
  });
});
