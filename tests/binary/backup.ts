/** An installation and its backup, what the binary does with them, and what is the same once it is restored. */
import { expect } from "bun:test";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { binary } from "../../src/testing/binary.ts";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { inSqlite } from "../../src/testing/database.ts";
import { liveIn, says, type LivedIn } from "../../src/testing/lived-in.ts";
import { join as enter } from "../../src/testing/rooms.ts";
import { makeDataDir, runCommand, startProcess, type Environment } from "../../src/testing/world.ts";
import { aFolder } from "./folders.ts";

interface BackedUp {
  home: string;
  people: LivedIn;
  /** Of the installation, and not to be changed. */
  whole: string;
}

export const TABLES = ["users", "rooms", "invitations", "members", "messages", "sessions", "audit"];
export const KEYS: Record<string, string> = { members: "room_id, user_id" };

/** The backup lies in the folder of the installation, and goes with it. */
export async function backedUpHome(): Promise<BackedUp> {
  const home = makeDataDir();
  const people = await liveIn(home);
  const whole = join(home, "whole.tar");
  expect(await backup(whole, home)).toMatchObject({ code: 0, stderr: "" });
  return { home, people, whole };
}

export const backup = (file: string, dataDir: string, env?: Environment) =>
  run(dataDir, ["backup", file], env);
export const verify = (file: string, env?: Environment) => run("", ["verify", file], env);
export const restore = (file: string, dataDir: string, env?: Environment) =>
  run(dataDir, ["restore", file], env);

async function run(dataDir: string, args: string[], env: Environment = {}) {
  return runCommand(dataDir, args, { program: await binary(), env });
}

/** Where a new installation would begin, with the key of the old one. */
export function place(home: string): string {
  const dataDir = aFolder();
  cpSync(join(home, "secret.key"), join(dataDir, "secret.key"));
  return dataDir;
}

/** Names and bytes of all pictures. */
export function picturesIn(dataDir: string): Record<string, string> {
  const media = join(dataDir, "media", "profile_pics");
  const read = (name: string) => readFileSync(join(media, name), "base64");
  return Object.fromEntries(readdirSync(media).map((name) => [name, read(name)]));
}

export function expectEqual(one: string, other: string): void {
  for (const table of [...TABLES, "sqlite_sequence"]) {
    const order = table === "sqlite_sequence" ? "name" : (KEYS[table] ?? "id");
    const rows = inSqlite({ dataDir: other }, `SELECT * FROM ${table} ORDER BY ${order}`);
    expect(rows.length).toBeGreaterThan(0);
    expect(inSqlite({ dataDir: one }, `SELECT * FROM ${table} ORDER BY ${order}`)).toEqual(rows);
  }
  expect(Object.keys(picturesIn(other)).length).toBeGreaterThan(1);
  expect(picturesIn(one)).toEqual(picturesIn(other));
}

/** People find what they left, and with the same key their sessions and invitations as well. */
export async function expectAtHome(dataDir: string, people: LivedIn, env: Environment = {}): Promise<void> {
  const server = await startProcess(dataDir, env, await binary());
  try {
    const again = await guest(server);
    expect((await again.login("ann")).status).toBe(200);
    const history = await again.get(`/api/chat/rooms/${people.room}/messages/`);
    expect(history.text).toContain("hello");
    const ann = people.ann.moveTo(server);
    expect((await ann.get("/api/auth/session/")).text).toContain('"ann"');
    const profile = (await ann.get("/api/auth/profile/")).text;
    const picture = /\/media\/profile_pics\/[^"]+/.exec(profile)?.[0] ?? "no picture";
    expect((await ann.get(picture)).status).toBe(200);
    await enter(await member(server, "zoe"), people.link);
    await says(ann, "public", "after it");
  } finally {
    expect(await server.kill("SIGTERM")).toBe(0);
  }
}

/** One message every 20 ms, whatever the others wait for. */
export function startLoad(who: Client, acknowledged: number[]) {
  const under: Promise<void>[] = [];
  let sent = 0;
  const timer = setInterval(
    () => under.push(says(who, "public", `load ${++sent}`).then((id) => void acknowledged.push(id))),
    20,
  );
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
    },
  };
}
