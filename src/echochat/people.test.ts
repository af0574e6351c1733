import { describe, expect, test } from "bun:test";
import { NO_PASSWORD } from "../accounts/passwords.ts";
import { keysOf } from "../accounts/names.ts";
import { djangoPassword } from "../testing/original.ts";
import { authorOf, personOf } from "./people.ts";
import type { OriginalUser } from "./ports.ts";

const NOW = 4711;
const ANN = {
  id: 17,
  username: "ann",
  password: djangoPassword("secret"),
  email: "",
  isActive: true,
  isStaff: false,
  isSuperuser: false,
  joinedAt: 1000,
  profile: { bio: "", image: "default.jpg", lastSeenAt: null },
} satisfies OriginalUser;

const mapped = (changes: Partial<OriginalUser>, addresses: string[] = []) =>
  personOf({ ...ANN, ...changes }, { name: "ann", ...keysOf("ann"), why: null }, new Set(addresses), NOW);

describe("somebody who comes over", () => {
  test("is who they were, and nothing is said of it", () => {
    const profile = { bio: "words", image: "a.png", lastSeenAt: 2000 };
    const { made, notes } = mapped({ profile });
    expect(notes).toEqual([]);
    expect(made).toMatchObject({ kind: "user", original: "17", name: "ann", bio: "words", lastSeenAt: 2000 });
    expect(made).toMatchObject({
      passwordHash: ANN.password,
      createdAt: 1000,
      deletedAt: null,
      isActive: true,
    });
  });

  test("has no password that cannot be checked, and the report says why", () => {
    for (const password of [
      "!",
      "!aB3",
      "",
      "md5$a$b",
      "pbkdf2_sha256$1$salt",
      "pbkdf2_sha256$99999999$s$x",
    ]) {
      const { made, notes } = mapped({ password });
      expect([made.passwordHash, notes.length]).toEqual([NO_PASSWORD, 1]);
    }
  });

  test("keeps an address that is one and nobody else's", () => {
    expect(mapped({ email: " Ann@EXAMPLE.org " }).made.email).toBe("Ann@example.org");
    for (const email of ["no address", "ANN@example.org"]) {
      const { made, notes } = mapped({ email }, ["ann@example.org"]);
      expect([made.email, notes.length]).toEqual(["", 1]);
    }
  });

  test("is staff when they are above staff, and disabled when they were", () => {
    expect(mapped({ isSuperuser: true }).made).toMatchObject({ isStaff: true, isSuperuser: true });
    expect(mapped({ isStaff: true, isActive: false }).made).toMatchObject({ isStaff: true, isActive: false });
  });

  test("registered now, when nobody can read when they did", () => {
    expect(mapped({ joinedAt: null }).made.createdAt).toBe(NOW);
  });
});

test("an author who is gone is an account that is closed", () => {
  const author = authorOf("ghost", { name: "ghost", ...keysOf("ghost"), why: null }, NOW);
  expect(author).toMatchObject({
    isActive: false,
    deletedAt: NOW,
    passwordHash: NO_PASSWORD,
    kind: "author",
  });
});
