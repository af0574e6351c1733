import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { loadCommonPasswords } from "../resources.ts";
import { openSqliteStores, unique, type OpenStores } from "../testing/stores/open.ts";
import { djangoPassword } from "../testing/original.ts";
import { createAccounts, type Accounts } from "./accounts.ts";
import { createPasswords } from "./passwords.ts";

const PASSWORD = "a7b-c9d-e2";

let stores: OpenStores;
let accounts: Accounts;

beforeAll(async () => {
  stores = await openSqliteStores();
  accounts = createAccounts({
    store: stores.accounts,
    passwords: createPasswords("strict", loadCommonPasswords),
    clock: { now: () => 4711 },
  });
});
afterAll(() => stores.close());

describe("registering", () => {
  test("makes an account that its owner can use", async () => {
    const name = unique("Ann");
    const account = await register(name);
    expect(account).toMatchObject({
      name,
      isActive: true,
      isStaff: false,
      isSuperuser: false,
      createdAt: 4711,
    });
    expect(await accounts.authenticate(name, PASSWORD)).toEqual(account);
  });

  test("keeps no password", async () => {
    const account = await register(unique("ann"));
    expect(account.passwordHash).toStartWith("$argon2id$");
    expect(JSON.stringify(account)).not.toContain(PASSWORD);
  });

  test("stores the name without outer spaces and in one form", async () => {
    const name = unique("fiona");
    expect((await register(` ${name.replace("fi", "ﬁ")} `)).name).toBe(name);
  });

  test("refuses a name that somebody has, however it is written", async () => {
    const name = unique("fiona");
    await register(name);
    for (const written of [
      name,
      name.toUpperCase(),
      ` ${name}`,
      name.replace("fi", "ﬁ"),
      name.replace("f", "ｆ"),
    ]) {
      expect(await refusal({ username: written })).toEqual({ field: "username", fault: "taken" });
    }
  });

  test("tells the first rule that is broken", async () => {
    const taken = unique("ann");
    await register(taken);
    const all = { username: "", password1: "", password2: "x" };
    expect(await refusal(all)).toEqual({ field: "username", fault: "missing" });
    expect(await refusal({ ...all, username: taken })).toEqual({ field: "username", fault: "taken" });
    expect(await refusal({ ...all, username: "a b" })).toEqual({ field: "password", fault: "missing" });
    expect(await refusal({ username: "a b", password1: "x", password2: "" })).toEqual({
      field: "password",
      fault: "missing",
    });
    expect(await refusal({ username: "a b", password1: "x", password2: "y" })).toEqual({
      field: "password",
      fault: "differ",
    });
    const weak = { field: "password", fault: "weak" } as const;
    expect(await refusal({ username: "a b", password1: "x", password2: "x" })).toEqual({
      ...weak,
      name: { fault: "characters" },
    });
    expect(await refusal({ username: unique("ann"), password1: "x", password2: "x" })).toEqual({
      ...weak,
      name: null,
    });
    expect(await refusal({ username: "a b" })).toEqual({
      field: "username",
      fault: "bad",
      name: { fault: "characters" },
    });
    expect(await refusal({ username: " " })).toEqual({
      field: "username",
      fault: "bad",
      name: { fault: "blank" },
    });
    const tooLong = { fault: "too_long", length: 151 } as const;
    expect(await refusal({ username: "x".repeat(151) })).toEqual({
      field: "username",
      fault: "bad",
      name: tooLong,
    });
  });

  test("refuses passwords that differ in anything", async () => {
    for (const password2 of [`${PASSWORD} `, PASSWORD.toUpperCase()]) {
      expect(await refusal({ username: unique("ann"), password2 })).toEqual({
        field: "password",
        fault: "differ",
      });
    }
  });

  test("refuses a password that resembles the name as stored", async () => {
    const name = unique("fiona");
    const password = name.replace("fi", "ﬁ");
    const refused = await refusal({ username: password, password1: name, password2: name });
    expect(refused).toEqual({ field: "password", fault: "weak", name: null });
  });

  test("gives one name to one of ten who ask at once", async () => {
    const username = unique("ann");
    const results = await Promise.all(
      Array.from({ length: 10 }, () =>
        accounts.register({ username, password1: PASSWORD, password2: PASSWORD }),
      ),
    );
    const refused = results.flatMap((result) => ("refused" in result ? [result.refused] : []));
    expect(refused).toEqual(Array.from({ length: 9 }, () => ({ field: "username", fault: "taken" })));
  });
});

describe("logging in", () => {
  test("takes the name and the password exactly", async () => {
    const name = unique("Ann");
    await register(name);
    expect(await accounts.authenticate(name, PASSWORD)).not.toBeNull();
    expect(await accounts.authenticate(name, `${PASSWORD} `)).toBeNull();
    expect(await accounts.authenticate(name, "")).toBeNull();
    expect(await accounts.authenticate(name.toLowerCase(), PASSWORD)).toBeNull();
    expect(await accounts.authenticate(` ${name}`, PASSWORD)).toBeNull();
    expect(await accounts.authenticate("", PASSWORD)).toBeNull();
    expect(await accounts.authenticate(unique("nobody"), PASSWORD)).toBeNull();
  });

  test("is for active accounts only", async () => {
    const account = await register(unique("ann"));
    expect(await accounts.authenticate(account.name, PASSWORD)).not.toBeNull();
    await stores.disableAccount(account.id);
    expect(await accounts.authenticate(account.name, PASSWORD)).toBeNull();
  });

  test("by a hash that Django made leaves one of ours, unless there is another one meanwhile", async () => {
    const account = await register(unique("ann"));
    const [django, hash] = [
      djangoPassword(PASSWORD),
      async () => (await stores.accounts.byId(account.id))?.passwordHash,
    ];
    await stores.accounts.update(account.id, { passwordHash: django });
    expect(await accounts.authenticate(account.name, "wrong")).toBeNull();
    expect(await hash()).toBe(django);
    expect(await accounts.authenticate(account.name, PASSWORD)).not.toBeNull();
    const ours = await hash();
    expect(ours).toStartWith("$argon2id$");
    await stores.accounts.rehash(account.id, django, "of an old password");
    expect(await hash()).toBe(ours);
    expect(await accounts.authenticate(account.name, PASSWORD)).not.toBeNull();
  });

  test.each([
    ["SQL", "' OR 1=1 --"],
    ["a pattern", "%"],
    ["NUL", "\0"],
    ["half a pair", "\ud83d"],
    ["a key of every object", "__proto__"],
    ["a hundred thousand letters", "x".repeat(100_000)],
  ])("with %s for a name fails like any other", async (_, name) => {
    expect(await accounts.authenticate(name, PASSWORD)).toBeNull();
  });
});

async function register(username: string) {
  const result = await accounts.register({ username, password1: PASSWORD, password2: PASSWORD });
  if ("refused" in result) throw new Error(`refused: ${JSON.stringify(result.refused)}`);
  return result.account;
}

async function refusal(fields: { username: string; password1?: string; password2?: string }) {
  const result = await accounts.register({ password1: PASSWORD, password2: PASSWORD, ...fields });
  return "refused" in result ? result.refused : null;
}
