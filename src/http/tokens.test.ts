import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import type { SessionId } from "../shared/ids.ts";
import { createTokens } from "./tokens.ts";

const KEY = "a key of thirty-two characters!!";
const SESSION = "session-of-ann" as SessionId;

afterEach(() => {
  setSystemTime();
});

describe("a session cookie's token", () => {
  test("names its session to the server that signed it, after a restart too", async () => {
    const tokens = createTokens(KEY);
    const token = await tokens.sign(SESSION);
    expect(await tokens.read(token)).toBe(SESSION);
    expect(await tokens.read(token)).toBe(SESSION);
    expect(await createTokens(KEY).read(token)).toBe(SESSION);
  });

  test("holds the session's id and nothing about a person", async () => {
    const [, payload = ""] = (await createTokens(KEY).sign(SESSION)).split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as object;
    expect(Object.keys(claims).toSorted()).toEqual(["aud", "exp", "iat", "jti"]);
  });

  test("of another key is nobody's", async () => {
    const token = await createTokens(`${KEY}!`).sign(SESSION);
    expect(await createTokens(`${KEY}!`).read(token)).toBe(SESSION);
    expect(await createTokens(KEY).read(token)).toBeNull();
  });

  test("is nobody's once it has expired", async () => {
    setSystemTime(1_795_339_770_247);
    const token = await createTokens(KEY).sign(SESSION);
    setSystemTime(1_795_339_770_247 + 14 * 24 * 60 * 60 * 1000 - 2000);
    expect(await createTokens(KEY).read(token)).toBe(SESSION);
    setSystemTime(1_795_339_770_247 + 14 * 24 * 60 * 60 * 1000 + 2000);
    expect(await createTokens(KEY).read(token)).toBeNull();
  });

  const claims = { jti: SESSION, aud: "echochat", exp: 99_999_999_999 };

  test.each([
    ["no algorithm", () => `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`],
    ["no algorithm, in capitals", () => `${part({ alg: "NONE" })}.${part(claims)}.`],
    ["another algorithm", () => signed({ alg: "HS512" }, claims, "sha512")],
    ["the wrong name for its algorithm", () => signed({ alg: "RS256" }, claims, "sha256")],
    ["another audience", () => signed({ alg: "HS256" }, { ...claims, aud: "other" }, "sha256")],
    ["no audience", () => signed({ alg: "HS256" }, { ...claims, aud: undefined }, "sha256")],
    ["an end in the past", () => signed({ alg: "HS256" }, { ...claims, exp: 1 }, "sha256")],
    ["no session", () => signed({ alg: "HS256" }, { ...claims, jti: undefined }, "sha256")],
    [
      "a session that is no text",
      () => signed({ alg: "HS256" }, { ...claims, jti: { $ne: null } }, "sha256"),
    ],
    ["a list of sessions", () => signed({ alg: "HS256" }, { ...claims, jti: [SESSION] }, "sha256")],
  ])("with %s is nobody's", async (_, forge) => {
    expect(await createTokens(KEY).read(signed({ alg: "HS256" }, claims, "sha256"))).toBe(SESSION);
    expect(await createTokens(KEY).read(forge())).toBeNull();
  });

  test("with anything changed is nobody's", async () => {
    const tokens = createTokens(KEY);
    const token = await tokens.sign(SESSION);
    expect(await tokens.read(token)).toBe(SESSION);
    const [head = "", payload = "", signature = ""] = token.split(".");
    const other = part({ ...claims, jti: "session-of-bob" });
    const changed = [
      `${head}.${other}.${signature}`,
      `${head}.${payload}.${"A".repeat(signature.length)}`,
      `${head}.${payload}.`,
      `${head}.${payload}`,
      `${token}.${payload}`,
      token.slice(1),
    ];
    for (const text of [...changed, "", ".", "..", "...", "null", "\0", "x".repeat(10_000)]) {
      expect(await tokens.read(text)).toBeNull();
    }
  });
});

function part(content: object): string {
  return Buffer.from(JSON.stringify(content)).toString("base64url");
}

function signed(head: object, claims: object, hash: "sha256" | "sha512"): string {
  const text = `${part(head)}.${part(claims)}`;
  return `${text}.${new Bun.CryptoHasher(hash, KEY).update(text).digest("base64url")}`;
}
