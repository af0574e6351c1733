import { describe, expect, test } from "bun:test";
import { djangoPassword } from "../testing/original.ts";
import { loadCommonPasswords } from "../resources.ts";
import { createPasswords, NO_PASSWORD } from "./passwords.ts";

const relaxed = createPasswords("relaxed", loadCommonPasswords);
const strict = createPasswords("strict", loadCommonPasswords);

describe("the relaxed rules", () => {
  test("ask for six characters and nothing else", async () => {
    expect(await relaxed.allows("123456", "123456")).toBe(true);
    expect(await relaxed.allows("password", "ann")).toBe(true);
    expect(await relaxed.allows("12345", "ann")).toBe(false);
    expect(await relaxed.allows("", "ann")).toBe(false);
  });

  test("count characters as people do", async () => {
    expect(await relaxed.allows("😀".repeat(6), "ann")).toBe(true);
    expect(await relaxed.allows("😀".repeat(5), "ann")).toBe(false);
  });
});

describe("the strict rules", () => {
  test.each([
    ["letters, digits and signs", "a7b-c9d-e2"],
    ["words", "correct horse battery staple"],
    ["any script", "длинный пароль"],
    ["emoji", "😀".repeat(8)],
    ["four thousand characters", "x".repeat(4096)],
  ])("allow %s", async (_, password) => {
    expect(await strict.allows(password, "ann")).toBe(true);
  });

  test.each([
    ["shorter than eight characters", "a7b-c9d"],
    ["only digits", "8472910563"],
    ["only digits of another script", "٨٤٧٢٩١٠٥٦٣"],
    ["used by many", "password1"],
    ["used by many, in capitals", "PASSWORD1"],
    ["used by many, as the keys lie", "qwertyuiop"],
    ["the user name", "annabelle-lee"],
    ["the user name in capitals", "ANNABELLE-LEE"],
    ["the user name and a little more", "annabelle-lee1"],
    ["most of the user name", "annabelle"],
  ])("refuse what is %s", async (_, password) => {
    expect(await strict.allows("a7b-c9d-e2", "annabelle-lee")).toBe(true);
    expect(await strict.allows(password, "annabelle-lee")).toBe(false);
  });

  test("allow a long password that happens to hold a short name", async () => {
    expect(await strict.allows("an annoyed antelope", "ann")).toBe(true);
  });
});

describe("a hash", () => {
  test("is argon2id as strong as OWASP asks, and another one each time", async () => {
    const [one, other] = [await relaxed.hash("secret"), await relaxed.hash("secret")];
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(other).not.toBe(one);
  });

  test.each([
    ["plain", "secret"],
    ["of any script", "пароль 😀"],
    ["in spaces", " secret "],
    ["with a NUL", "with\0nul"],
    ["of four thousand characters", "x".repeat(4096)],
  ])("fits one password alone, %s", async (_, password) => {
    const hash = await relaxed.hash(password);
    expect(await relaxed.verify(password, hash)).toBe(true);
    expect(await relaxed.verify(`${password}.`, hash)).toBe(false);
    expect(await relaxed.verify(password.slice(0, -1), hash)).toBe(false);
  });

  test("does not fit an empty password", async () => {
    expect(await relaxed.verify("", await relaxed.hash("secret"))).toBe(false);
  });

  test("of nobody fits no password, the one that it was made of included", async () => {
    expect(await relaxed.verify("secret", null)).toBe(false);
    expect(await relaxed.verify("a password that nobody has", null)).toBe(false);
  });

  test("that no password has fits none, whatever stands behind it", async () => {
    for (const hash of ["!", "!something", NO_PASSWORD]) {
      for (const password of ["", "!", hash, "a password that nobody has"])
        expect(await relaxed.verify(password, hash)).toBe(false);
    }
  });

  test("takes its turn: whoever comes first is done first", async () => {
    const passwords = createPasswords("relaxed", loadCommonPasswords);
    const done: number[] = [];
    await Promise.all(Array.from({ length: 8 }, (_, i) => passwords.hash("secret").then(() => done.push(i))));
    // Two are in progress at a time: when one is done, nobody who came more than one place later has begun.
    for (const [place, i] of done.entries()) expect(i).toBeLessThanOrEqual(place + 1);
  });

  test("that fails lets the next ones have their turn", async () => {
    const passwords = createPasswords("relaxed", loadCommonPasswords);
    const failing = [1, 2, 3].map(() => passwords.verify("secret", "not a hash").catch(() => "failed"));
    const hash = passwords.hash("secret");
    expect(await Promise.all(failing)).not.toContain(true);
    expect(await passwords.verify("secret", await hash)).toBe(true);
  });
});

describe("a hash that Django made", () => {
  test.each([
    ["plain", "secret", 1000],
    ["of any script", "пароль 😀", 1000],
    ["made as Django makes them now", "secret", 390_000],
  ])("fits its password, %s, and no other", async (_, password, iterations) => {
    const hash = djangoPassword(password, iterations);
    expect(await relaxed.verify(password, hash)).toBe(true);
    expect(await relaxed.verify(`${password}.`, hash)).toBe(false);
    expect([relaxed.isDated(hash), relaxed.isDated(await relaxed.hash(password))]).toEqual([true, false]);
  });

  test("is known from elsewhere", async () => {
    // PBKDF2-HMAC-SHA256 of "password" with "salt", one round, as it is commonly published.
    const digest = Buffer.from("120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b", "hex");
    const hash = `pbkdf2_sha256$1$salt$${digest.toString("base64")}`;
    expect(await relaxed.verify("password", hash)).toBe(true);
  });

  test.each([
    ["asks for hours of work", djangoPassword("secret").replace("$1000$", "$9999999$")],
    ["asks for none", djangoPassword("secret").replace("$1000$", "$0$")],
    ["is cut off", djangoPassword("secret").slice(0, -4)],
    ["is of another kind", djangoPassword("secret").replace("sha256", "sha1")],
  ])("fits nothing when it %s", async (_, hash) => {
    expect(await relaxed.verify("secret", djangoPassword("secret"))).toBe(true);
    expect(await relaxed.verify("secret", hash).catch(() => false)).toBe(false);
  });
});

test("checking a name that nobody has takes as long as checking a wrong password", async () => {
  const passwords = createPasswords("relaxed", loadCommonPasswords);
  const hash = await passwords.hash("secret");
  // Processor time of all threads, which a busy machine does not add to.
  const time = async (against: string | null) => {
    const started = process.cpuUsage();
    await passwords.verify("wrong", against);
    const { user, system } = process.cpuUsage(started);
    return user + system;
  };
  await time(null);
  const known: number[] = [];
  const unknown: number[] = [];
  for (let i = 0; i < 5; i++) {
    known.push(await time(hash));
    unknown.push(await time(null));
  }
  // Without the decoy the ratio is a thousand.
  expect(Math.min(...known) / Math.min(...unknown)).toBeWithin(0.5, 2);
});
