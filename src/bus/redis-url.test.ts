import { describe, expect, test } from "bun:test";
import { parseRedisUrl } from "./redis-url.ts";

describe("REDIS_URL names", () => {
  test.each([
    ["redis://cache", { kind: "server", addresses: [{ host: "cache", port: 6379 }], tls: false, db: 0 }],
    ["redis://cache:7000/3", { addresses: [{ host: "cache", port: 7000 }], db: 3 }],
    ["redis://cache/", { addresses: [{ host: "cache", port: 6379 }], db: 0 }],
    ["rediss://cache", { kind: "server", tls: true }],
    ["redis://[2001:db8::1]:7000", { addresses: [{ host: "2001:db8::1", port: 7000 }] }],
  ])("one server: %s", (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  test.each([
    ["redis+sentinel://s1:26380,s2/mymaster", { db: 0, tls: false }],
    ["redis+sentinel://s1:26380,s2/mymaster/2", { db: 2, tls: false }],
    ["rediss+sentinel://s1:26380,s2/mymaster", { db: 0, tls: true }],
  ])("the master that Sentinels know: %s", (url, expected) => {
    const addresses = [
      { host: "s1", port: 26_380 },
      { host: "s2", port: 26_379 },
    ];
    expect(parseRedisUrl(url)).toMatchObject({
      kind: "sentinel",
      master: "mymaster",
      addresses,
      ...expected,
    });
  });

  test("some servers of a Cluster", () => {
    const addresses = [
      { host: "r1", port: 7000 },
      { host: "r2", port: 6379 },
    ];
    expect(parseRedisUrl("redis+cluster://r1:7000,r2")).toMatchObject({ kind: "cluster", addresses });
  });

  test.each([
    ["redis://:secret@cache", { password: "secret" }],
    ["redis://ann:secret@cache", { username: "ann", password: "secret" }],
    ["redis://ann:p%40ss%3Aw%2Fd%25@cache", { username: "ann", password: "p@ss:w/d%" }],
    ["redis+sentinel://ann:p%40ss@s1,s2/m", { username: "ann", password: "p@ss" }],
    ["redis+cluster://:a:b@r1,r2", { password: "a:b" }],
  ])("who asks: %s", (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  test("nobody who asks where it does not say", () => {
    expect(parseRedisUrl("redis://cache")).not.toContainKeys(["username", "password"]);
  });
});

test.each([
  "cache:6379",
  "http://cache",
  "redis:/cache",
  "redis://",
  "redis://:secret@",
  "redis://one,two",
  "redis://cache:port",
  "redis://cache:70000",
  "redis://cache/zero",
  "redis://cache/0/1",
  "redis://:sec%ret@cache",
  "redis+sentinel://s1",
  "redis+sentinel://s1/master/0/1",
  "redis+cluster://r1/0",
  "redis+other://secret",
])("%s is refused in one line that names the variable and hides what it says", (url) => {
  const complaint = thrownBy(() => parseRedisUrl(url));
  expect(complaint).toMatch(/^REDIS_URL must be a URL such as redis[+:]\S+$/);
  expect(complaint).not.toContain("sec");
});

function thrownBy(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error("nothing was refused");
}
