/** An installation and its export, what the binary does with them, and exports in which something was changed. */
import { expect } from "bun:test";
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { binary } from "../../src/testing/binary.ts";
import { liveIn, type LivedIn } from "../../src/testing/lived-in.ts";
import {
  makeDataDir,
  runCommand,
  startProcess,
  type Environment,
  type Process,
} from "../../src/testing/world.ts";
import { aFolder, removeFolders } from "./folders.ts";

interface Exported {
  home: string;
  people: LivedIn;
  /** What the lived-in installation is as an export. */
  whole: string;
}

export const FILES = ["people", "rooms", "members", "messages", "files"].map((kind) => `${kind}.jsonl`);
export const NOTHING = "Nothing was imported.\n";

/** The export lies in the folder of the installation, and goes with it. */
export async function exportedHome(): Promise<Exported> {
  const home = makeDataDir();
  const people = await liveIn(home);
  const whole = join(home, "export");
  expect((await exportTo(whole, home)).code).toBe(0);
  return { home, people, whole };
}

export async function run(dataDir: string, args: string[], env: Environment = {}) {
  return runCommand(dataDir, args, { env, program: await binary() });
}

export const exportTo = (folder: string, dataDir: string, env?: Environment) =>
  run(dataDir, ["export", folder], env);
export const importFrom = (folder: string, dataDir: string, env?: Environment) =>
  run(dataDir, ["import", "jsonl", folder], env);

const servers: Process[] = [];

export async function serve(dataDir: string, env: Environment = {}): Promise<Process> {
  const server = await startProcess(dataDir, env, await binary());
  servers.push(server);
  return server;
}

/** Belongs after each test. */
export async function tidyUp(): Promise<void> {
  for (const server of servers.splice(0)) await server.stop();
  removeFolders();
}

export const textOf = (folder: string, file: string) => readFileSync(join(folder, file), "utf8");

export function linesOf<Shape>(folder: string, file: string): Shape[] {
  const lines = textOf(folder, file).split("\n").slice(0, -1);
  return lines.map((text) => JSON.parse(text) as Shape);
}

/** Byte for byte, but for the time at which it was written. */
export function expectEqual(folder: string, other: string): void {
  const names = (readdirSync(other, { recursive: true }) as string[]).toSorted();
  expect((readdirSync(folder, { recursive: true }) as string[]).toSorted()).toEqual(names);
  for (const name of names.filter((each) => statSync(join(other, each)).isFile())) {
    if (name === "manifest.json") continue;
    expect(readFileSync(join(folder, name)).equals(readFileSync(join(other, name)))).toBe(true);
  }
  const { exportedAt: _, ...manifest } = JSON.parse(textOf(folder, "manifest.json"));
  expect(JSON.parse(textOf(other, "manifest.json"))).toMatchObject(manifest);
}

/** A copy of the export with something changed, and a manifest that knows of it. */
export function changed(whole: string, change: (folder: string) => void, knows = true): string {
  const folder = join(aFolder(), "export");
  cpSync(whole, folder, { recursive: true });
  change(folder);
  if (!knows) return folder;
  const manifest = JSON.parse(textOf(folder, "manifest.json"));
  for (const file of FILES) {
    const text = textOf(folder, file);
    const sha256 = new Bun.CryptoHasher("sha256").update(text).digest("hex");
    manifest.files[file] = { lines: text.split("\n").length - 1, sha256 };
  }
  write(folder, "manifest.json", JSON.stringify(manifest));
  return folder;
}

export function write(folder: string, file: string, text: string): void {
  rmSync(join(folder, file));
  appendFileSync(join(folder, file), text);
}

/** The line of this number, counted from 1, is another one. */
export function line(
  file: string,
  number: number,
  change: (text: string) => string,
): (folder: string) => void {
  return (folder) => {
    const lines = textOf(folder, file).split("\n");
    const before = lines[number - 1] ?? "";
    lines[number - 1] = change(before);
    expect(lines[number - 1]).not.toBe(before);
    write(folder, file, lines.join("\n"));
  };
}

export const field = (name: string, value: unknown) => (text: string) =>
  JSON.stringify({ ...(JSON.parse(text) as object), [name]: value });
