import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { guest, member, PASSWORD, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { onNodes } from "../../src/testing/installation.ts";
import { openChat, openGateway } from "../../src/testing/socket.ts";
import { someone } from "../../src/testing/staff.ts";
import {
  makeDataDir,
  removeDataDir,
  runCommand,
  startProcess,
  startWorld,
  typeCommand,
  type Process,
  type World,
} from "../../src/testing/world.ts";

// Processes take their time to start where many tests run at once.
setDefaultTimeout(30_000);

/** For what the server notices well within a second. */
const PATIENCE_MS = 10_000;

const dataDirs: string[] = [];
const worlds: (World | Process)[] = [];

function newDataDir(): string {
  const dataDir = makeDataDir();
  dataDirs.push(dataDir);
  return dataDir;
}

async function start(): Promise<World> {
  const world = await startWorld();
  worlds.push(world);
  return world;
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
  for (const dataDir of dataDirs.splice(0)) removeDataDir(dataDir);
});

const userOf = async (client: Client) =>
  ((await client.get("/api/auth/session/")).json() as { user: Record<string, unknown> | null }).user;

describe("while the server runs", () => {
  test("a disabled account's sockets close and its cookie is a guest's, within a second or so", async () => {
    const world = await start();
    const ann = await member(world, "ann");
    const bob = await member(world, "bob");
    const sockets = [await openGateway(ann), await openChat(ann, "public"), await openGateway(bob)] as const;
    expect(await userOf(ann)).toMatchObject({ username: "ann" });
    expect(sockets[0].isOpen()).toBe(true);

    const disabled = await runCommand(world.dataDir, ["user", "disable", "ann"]);
    const startedAt = Date.now();
    expect(disabled).toEqual({ code: 0, stdout: "ann is disabled.\n", stderr: "" });
    expect((await sockets[0].closed).code).toBe(4401);
    expect((await sockets[1].closed).code).toBe(4401);
    expect(Date.now() - startedAt).toBeLessThan(1_500);
    expect(await userOf(ann)).toBeNull();
    expect((await ann.login("ann")).status).toBe(400);
    expect(sockets[2].isOpen()).toBe(true);
    expect(await userOf(bob)).toMatchObject({ username: "bob" });

    expect((await runCommand(world.dataDir, ["user", "enable", "ann"])).stdout).toBe("ann is enabled.\n");
    expect((await ann.login("ann")).status).toBe(200);
    sockets[2].close();
  });

  test("a promoted account is staff without signing in again, and so is one that is demoted no more", async () => {
    const world = await start();
    const ann = await member(world, "ann");
    expect(await userOf(ann)).toMatchObject({ is_staff: false });
    const becomes = async (flag: string, words: string, flags: object) => {
      const { stdout, code } = await runCommand(world.dataDir, ["user", "promote", "ann", flag]);
      expect([stdout, code]).toEqual([`ann is ${words}.\n`, 0]);
      const deadline = Date.now() + PATIENCE_MS;
      const isNoticed = async () => Bun.deepMatch(flags, (await userOf(ann)) ?? {});
      while (!(await isNoticed()) && Date.now() < deadline) await Bun.sleep(50);
      expect(await userOf(ann)).toMatchObject(flags);
    };
    await becomes("--staff", "staff", { is_staff: true, is_superuser: false });
    await becomes("--superuser", "superuser", { is_staff: true, is_superuser: true });
    await becomes("--none", "user", { is_staff: false, is_superuser: false });
  });

  test("a new password ends every session, and is the only one from then on", async () => {
    const world = await start();
    const ann = await member(world, "ann");
    const socket = await openGateway(ann);
    const set = await runCommand(world.dataDir, ["user", "password", "ann"], { input: "battery staple\n" });
    expect(set).toEqual({
      code: 0,
      stdout: "ann has a new password, and is signed out everywhere.\n",
      stderr: "",
    });
    expect((await socket.closed).code).toBe(4401);
    expect(await userOf(ann)).toBeNull();
    expect((await ann.login("ann", PASSWORD)).status).toBe(400);
    expect((await ann.login("ann", "battery staple")).status).toBe(200);
  });

  test("everything is in the audit log, in the name of the command line and without passwords", async () => {
    const world = await start();
    const run = (...args: string[]) =>
      runCommand(world.dataDir, ["user", ...args], { input: "battery staple" });
    await run("create", "dora", "--staff");
    await run("disable", "dora");
    await run("enable", "dora");
    await run("promote", "dora", "--none");
    await run("password", "dora");
    const root = await someone(world, "superuser", "root");
    const answer = await root.get(`/api/admin/audit/?q=${encodeURIComponent("command line")}`);
    const { entries } = answer.json() as {
      entries: { action: string; actorName: string; subject: string }[];
    };
    expect(entries.map(({ action }) => action).toReversed()).toEqual([
      "account.registered",
      "account.promoted",
      "account.disabled",
      "account.enabled",
      "account.demoted",
      "account.password_set",
    ]);
    for (const entry of entries)
      expect(entry).toMatchObject({ actorName: "command line", actorId: null, subject: "user:dora" });
    expect(answer.text).not.toContain("battery staple");
  });
});

describe("before the first start", () => {
  test("the first superuser is made, with a password that is shown once and kept nowhere", async () => {
    const dataDir = join(newDataDir(), "data");
    const made = await runCommand(dataDir, ["user", "create", "root", "--superuser", "--generate"]);
    const password = /^Made root, superuser\.\nPassword: ([A-Za-z0-9]{20})\n$/.exec(made.stdout)?.[1] ?? "";
    expect([password.length, made.code, made.stderr]).toEqual([20, 0, ""]);
    const stored = onNodes
      ? JSON.stringify([
          await inDatabase({ dataDir }, "SELECT * FROM users"),
          await inDatabase({ dataDir }, "SELECT * FROM audit"),
        ])
      : readFileSync(join(dataDir, "echochat.sqlite"), "latin1");
    expect(stored).toContain("root");
    expect(stored).not.toContain(password);
    const server = await startProcess(dataDir);
    worlds.push(server);
    const root = await guest(server);
    expect((await root.login("root", password)).status).toBe(200);
    expect(await userOf(root)).toMatchObject({ is_staff: true, is_superuser: true });
    expect((await root.get("/admin/users")).status).toBe(200);
  });
});

describe("what cannot be done is said in one line:", () => {
  test.each([
    ["a name that is taken", ["create", "ANN"], PASSWORD, "This name is already taken."],
    [
      "a name of other characters",
      ["create", "a b"],
      PASSWORD,
      "A name has only letters, digits and @ . + - _",
    ],
    ["a name that is too long", ["create", "x".repeat(151)], PASSWORD, "A name has at most 150 characters."],
    ["a blank name", ["create", " "], PASSWORD, "A name is needed."],
    ["no password", ["create", "bob"], "", "A password is needed."],
    ["a weak password", ["create", "bob"], "12345", "This password is too weak"],
    ["no new password", ["password", "ann"], "\n", "A password is needed."],
    ["a weak new password", ["password", "ann"], "12345", "This password is too weak"],
    ["somebody who does not exist", ["disable", "no\u001bbody"], "", 'There is no user "no\\u001bbody".'],
  ])("%s", async (_, args, input, words) => {
    const dataDir = newDataDir();
    await runCommand(dataDir, ["user", "create", "ann"], { input: PASSWORD });
    const { code, stdout, stderr } = await runCommand(dataDir, ["user", ...args], { input });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toStartWith(words);
    expect(stderr.trim()).not.toContain("\n");
  });

  test("a wrong configuration", async () => {
    const { code, stderr } = await runCommand(newDataDir(), ["user", "create", "ann"], {
      env: { PORT: "x" },
    });
    expect([code, stderr.split("\n")[0]]).toEqual([
      1,
      'PORT must be a whole number from 0 to 65535, not "x"',
    ]);
  });

  test.each([
    [[]],
    [["create"]],
    [["create", "--staff"]],
    [["create", "ann", "--staff", "--superuser"]],
    [["disable", "ann", "--staff"]],
    [["password", "ann", "secret"]],
    [["constructor", "ann"]],
    [["remove", "ann"]],
  ])("wrong usage: %j", async (args) => {
    const { code, stdout, stderr } = await runCommand(newDataDir(), ["user", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toStartWith("Usage:");
  });
});

describe("at a terminal", () => {
  test("a password is asked for twice, and never seen", async () => {
    const dataDir = newDataDir();
    const typed = await typeCommand(
      dataDir,
      ["user", "create", "ann"],
      [
        ["Password: ", "correct horse\r"],
        ["Again: ", "corrx\u007fect horse\r"],
      ],
    );
    expect(typed.code).toBe(0);
    expect(typed.screen).toContain("Made ann, user.");
    expect(typed.screen).not.toContain("horse");
    const server = await startProcess(dataDir);
    worlds.push(server);
    expect((await (await guest(server)).login("ann", "correct horse")).status).toBe(200);
  });

  test("whoever pastes both lines at once is understood", async () => {
    const dataDir = newDataDir();
    const both = "correct horse\rcorrect horse\r";
    const typed = await typeCommand(dataDir, ["user", "create", "ann"], [["Password: ", both]]);
    expect([typed.code, typed.screen.includes("horse")]).toEqual([0, false]);
  });

  test("two passwords that differ make nothing, and neither does whoever gives up", async () => {
    const dataDir = newDataDir();
    const differ = await typeCommand(
      dataDir,
      ["user", "create", "ann"],
      [
        ["Password: ", "correct horse\r"],
        ["Again: ", "correct house\r"],
      ],
    );
    expect(differ.code).toBe(1);
    expect(differ.screen).toContain("The two passwords differ.");
    const givenUp = await typeCommand(dataDir, ["user", "create", "ann"], [["Password: ", "corr\u0003"]]);
    expect(givenUp.code).toBe(1);
    expect(givenUp.screen).toContain("Nothing was changed.");
    const made = await runCommand(dataDir, ["user", "create", "ann"], { input: PASSWORD });
    expect(made.code).toBe(0);
  });
});
