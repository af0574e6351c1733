import { describe, expect, test } from "bun:test";
import {
  clearedSessionCookie,
  csrfCookie,
  preferenceCookie,
  readCookie,
  sessionCookie,
  sessionCookieName,
} from "./cookies.ts";

describe("a cookie of a request", () => {
  test.each([
    ["a=1", "1"],
    ["b=2; a=1", "1"],
    ["b=2;a=1;c=3", "1"],
    ["aa=2; a=1", "1"],
    ["b=a=2; a=1", "1"],
    ["a=1=2", "1=2"],
    ['a="1"', "1"],
    ["a=", ""],
    ["a=first; a=second", "first"],
  ])("is read from %j", (cookie, value) => {
    expect(readCookie(request(cookie), "a")).toBe(value);
  });

  test.each(["", "aa=1", "A=1", "b=1; c=a", "a", "=1", ";", "__proto__=1"])(
    "is not found in %j",
    (cookie) => {
      expect(readCookie(request("a=1"), "a")).toBe("1");
      expect(readCookie(request(cookie), "a")).toBeNull();
    },
  );
});

describe("the cookies that we set", () => {
  const attributes = (cookie: string) => cookie.split("; ").slice(1).toSorted();

  test("keep the session from scripts and from other sites, for two weeks", () => {
    const cookie = sessionCookie("token", false);
    expect(cookie).toStartWith("sessionid=token; ");
    expect(attributes(cookie)).toEqual(["HttpOnly", "Max-Age=1209600", "Path=/", "SameSite=Lax"]);
  });

  test("are bound to this very host under TLS", () => {
    expect(sessionCookieName(true)).toBe("__Host-sessionid");
    const cookie = sessionCookie("token", true);
    expect(cookie).toStartWith("__Host-sessionid=token; ");
    // Browsers take the prefix only with Secure, the path "/" and no Domain.
    expect(attributes(cookie)).toEqual(["HttpOnly", "Max-Age=1209600", "Path=/", "SameSite=Lax", "Secure"]);
    expect(attributes(csrfCookie("secret", true))).toContain("Secure");
    expect(attributes(preferenceCookie("locale", "ru", true))).toContain("Secure");
  });

  test("end a session under the name that it has", () => {
    expect(clearedSessionCookie(false)).toStartWith('sessionid=""; ');
    expect(clearedSessionCookie(true)).toStartWith('__Host-sessionid=""; ');
    expect(attributes(clearedSessionCookie(true))).toEqual([
      "HttpOnly",
      "Max-Age=0",
      "Path=/",
      "SameSite=Lax",
      "Secure",
    ]);
  });

  test("let scripts read the CSRF secret, which existing clients send back", () => {
    expect(csrfCookie("secret", false)).toBe("csrftoken=secret; Path=/; Max-Age=31449600; SameSite=Lax");
  });
});

function request(cookie: string): Request {
  return new Request("http://localhost/", { headers: { cookie } });
}
