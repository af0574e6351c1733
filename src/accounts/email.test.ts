import { expect, test } from "bun:test";
import { costOf } from "../testing/cost.ts";
import { emailFault, normalEmail } from "./email.ts";

test.each([
  "a@b.cc",
  "a.b+c@d-e.f.gg",
  "o'brien@example.org",
  "x@localhost",
  "ann@почта.рф",
  `a@${"b".repeat(63)}.cc`,
])("%s is an address", (email) => expect(emailFault(email)).toBeNull());

test.each([
  "ann",
  "@b.cc",
  "a@",
  "a@b",
  "a@b.c",
  "a@b..cc",
  "a@-b.cc",
  "a@b-.cc",
  ".a@b.cc",
  "a..b@c.dd",
  "a b@c.dd",
  "a@b.cc\nx",
  "a@b@c.dd",
  `a@${"b".repeat(64)}.cc`,
  `${"a".repeat(250)}@b.cc`,
])("%s is not", (email) => expect(emailFault(email)).toEqual({ fault: "bad_address" }));

test("hosts have no case, mailboxes may", () => {
  expect(normalEmail(" Ann@Example.ORG ")).toBe("Ann@example.org");
  expect(normalEmail("Ann")).toBe("Ann");
});

test("64 KB of anything are judged at once", async () => {
  for (const text of ["a.".repeat(32_768), `a@${"b.".repeat(32_768)}`, "@".repeat(65_536)])
    expect(await costOf(() => expect(emailFault(text)).not.toBeNull())).toBeLessThan(50);
});
