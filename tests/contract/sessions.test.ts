import { afterAll, beforeAll, describe, expect, setSystemTime, test } from "bun:test";
import { createHmac } from "node:crypto";
import { guest, member, PASSWORD, stranger, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { shakeHands } from "../../src/testing/raw.ts";
import { openChat, openGateway } from "../../src/testing/socket.ts";
import { startWatch } from "../../src/testing/stopwatch.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

const SECRET_KEY = "a secret of the tests, long enough to be one";
const HOUR = 60 * 60;
const TWO_WEEKS_MS = 14 * 24 * HOUR * 1000;

let world: World;
let ann: Client;
beforeAll(async () => {
  world = await startWorld({ SECRET_KEY });
  ann = await member(world, "ann");
  await member(world, "bob");
});
afterAll(() => world.stop());

const isSignedIn = async (client: Client) =>
  ((await client.get("/api/auth/session/")).json() as { authenticated: boolean }).authenticated;
const csrfOf = (client: Client) => client.cookies.get("csrftoken") ?? "";

describe("a session", () => {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const decode = (part: string) =>
    JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  const claimsOf = (client: Client) => decode((client.cookies.get("sessionid") ?? "").split(".")[1] ?? "");
  const sign = (header: { alg: string }, claims: object, key: string) => {
    const content = `${encode(header)}.${encode(claims)}`;
    const hash = { HS256: "sha256", HS384: "sha384", HS512: "sha512" }[header.alg];
    return `${content}.${hash ? createHmac(hash, key).update(content).digest("base64url") : ""}`;
  };
  const withToken = (token: string) => ({ cookie: `sessionid=${token}` });

  test("is known by a token of ours alone", async () => {
    const claims = claimsOf(ann);
    const now = Math.floor(Date.now() / 1000);
    const room = "/api/chat/rooms/some-room/";
    const genuine = sign({ alg: "HS256" }, claims, SECRET_KEY);
    expect((await stranger(world).get(room, withToken(genuine))).status).not.toBe(401);

    const [head = "", body = "", signature = ""] = genuine.split(".");
    const forged = {
      "no algorithm": sign({ alg: "none" }, claims, ""),
      "no algorithm, old signature": `${encode({ alg: "none" })}.${body}.${signature}`,
      "another algorithm": sign({ alg: "HS512" }, claims, SECRET_KEY),
      "another key": sign({ alg: "HS256" }, claims, "x".repeat(SECRET_KEY.length)),
      "an empty key": sign({ alg: "HS256" }, claims, ""),
      "a key of its own": sign(
        { alg: "HS256", kid: "../../dev/null", jwk: { kty: "oct", k: "" } } as { alg: string },
        claims,
        "",
      ),
      "another audience": sign({ alg: "HS256" }, { ...claims, aud: "elsewhere" }, SECRET_KEY),
      "no audience": sign({ alg: "HS256" }, { ...claims, aud: undefined }, SECRET_KEY),
      "an end in the past": sign({ alg: "HS256" }, { ...claims, exp: now - HOUR }, SECRET_KEY),
      "a beginning in the future": sign({ alg: "HS256" }, { ...claims, nbf: now + HOUR }, SECRET_KEY),
      "another session": sign({ alg: "HS256" }, { ...claims, jti: "x".repeat(32) }, SECRET_KEY),
      "a session that is no text": sign({ alg: "HS256" }, { ...claims, jti: { $ne: null } }, SECRET_KEY),
      "a changed body": `${head}.${encode({ ...claims, jti: "x" })}.${signature}`,
      "a changed signature": `${head}.${body}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`,
      "no signature": `${head}.${body}.`,
      "nothing else": "..",
    };
    for (const [kind, token] of Object.entries(forged)) {
      const answer = await stranger(world).get(room, withToken(token));
      expect({ kind, status: answer.status }).toEqual({ kind, status: 401 });
      expect((await stranger(world).get("/api/auth/session/", withToken(token))).json()).toEqual({
        authenticated: false,
        user: null,
      });
      const cookie = `sessionid=${token}`;
      expect((await shakeHands(world, "/ws/chat/some-room/", { cookie, origin: world.url })).status).toBe(
        403,
      );
    }
  });

  test("gets a new id at login, whatever cookie was planted before", async () => {
    const bob = await guest(world);
    await bob.login("bob");
    const victim = await guest(world);
    for (const planted of ["planted", bob.cookies.get("sessionid") ?? ""]) {
      victim.cookies.set("sessionid", planted);
      victim.cookies.set("csrftoken", csrfOf(bob));
      const { csrfToken } = (await victim.get("/api/auth/csrf/")).json() as { csrfToken: string };
      const body = { username: "ann", password: PASSWORD };
      expect(
        (await victim.post("/api/auth/login/", body, { headers: { "x-csrftoken": csrfToken } })).status,
      ).toBe(200);
      expect(victim.cookies.get("sessionid")).not.toBe(planted);
    }
    expect(claimsOf(victim).jti).not.toBe(claimsOf(bob).jti);
    expect(((await bob.get("/api/auth/session/")).json() as { user: unknown }).user).toBeNull();
  });

  test("that is logged out is over at once, for requests and for both kinds of socket", async () => {
    for (const leave of ["the API", "the page"]) {
      const dora = leave === "the API" ? await member(world, "dora") : await guest(world);
      if (leave === "the page") await dora.login("dora");
      const old = dora.cookies.get("sessionid") ?? "";
      const sockets = [
        await openGateway(dora),
        await openChat(dora, "public"),
        await openChat(ann, "public"),
      ] as const;
      const left =
        leave === "the API" ? dora.logout() : dora.sendForm(await dora.openForm("/", { action: "/logout" }));
      expect([200, 303]).toContain((await left).status);
      const took = startWatch();
      expect((await sockets[0].closed).code).toBe(4401);
      await sockets[1].closed;
      expect(took()).toBeLessThan(1_000);
      expect(sockets[2].isOpen()).toBe(true);
      expect((await stranger(world).get("/api/chat/rooms/some-room/", withToken(old))).status).toBe(401);
      expect(
        (await shakeHands(world, "/ws/chat/some-room/", { cookie: `sessionid=${old}`, origin: world.url }))
          .status,
      ).toBe(403);
      sockets[2].close();
    }
  });

  test("that has lasted two weeks is over for sockets that only listen as well", async () => {
    const eve = await member(world, "eve");
    const [page, original] = [await openGateway(eve), await openChat(eve, "public")];
    const visitor = await openGateway(await guest(world));
    setSystemTime(Date.now() + TWO_WEEKS_MS);
    try {
      for (const socket of [page, original]) expect((await socket.closed).code).toBe(4401);
    } finally {
      setSystemTime();
    }
    expect(visitor.isOpen()).toBe(true);
    visitor.close();
  }, 30_000);

  test("cannot be taken up from a copy of the database", async () => {
    const tables = await inDatabase<{ name: string }>(world, {
      sqlite: "SELECT name FROM sqlite_schema WHERE type = 'table'",
      postgres: "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
    });
    const rows = await Promise.all(
      tables.map(({ name }) => inDatabase<Record<string, unknown>>(world, `SELECT * FROM "${name}"`)),
    );
    const values = new Set(
      rows
        .flat()
        .flatMap((row) => Object.values(row))
        .filter((value) => typeof value === "string"),
    );
    expect(values).toContain("ann");
    expect(values).toContain(claimsOf(ann).jti as string);
    expect(values).not.toContain(ann.cookies.get("sessionid") ?? "");
    expect([...values].join("\n")).not.toContain(PASSWORD);
    expect([...values].join("\n")).not.toContain(SECRET_KEY);
    expect(await isSignedIn(ann)).toBe(true);
    for (const value of values) {
      if (/^[\x21-\x7e]+$/.test(value)) expect(await isSignedInWith(value)).toBe(false);
    }
  });

  const isSignedInWith = async (token: string) =>
    ((await stranger(world).get("/api/auth/session/", withToken(token))).json() as { authenticated: boolean })
      .authenticated;
});
