import { expect, test } from "bun:test";
import { createMemory } from "./memory.ts";

const MiB = 1024 * 1024;

function createShelf() {
  let time = 0;
  const reads: string[] = [];
  const shelf = new Map<string, Blob>();
  const read = async (name: string) => {
    reads.push(name);
    await Promise.resolve();
    if (name === "broken") throw new Error("out of reach");
    return shelf.get(name) ?? null;
  };
  const memory = createMemory(read, () => time);
  return { memory, reads, shelf, pass: (milliseconds: number) => (time += milliseconds) };
}

test("a picture is read once, however many ask for it, and again after a minute", async () => {
  const { memory, reads, shelf, pass } = createShelf();
  const picture = new Blob(["a picture"]);
  shelf.set("a", picture);
  expect(await Promise.all([memory.get("a"), memory.get("a")])).toEqual([picture, picture]);
  pass(59_999);
  expect(await memory.get("a")).toBe(picture);
  expect(reads).toEqual(["a"]);
  pass(1);
  shelf.delete("a");
  expect(await memory.get("a")).toBeNull();
  expect(reads).toEqual(["a", "a"]);
});

test("one that is forgotten is looked for again", async () => {
  const { memory, reads, shelf } = createShelf();
  shelf.set("a", new Blob(["a picture"]));
  await memory.get("a");
  memory.forget("a");
  await memory.get("a");
  expect(reads).toEqual(["a", "a"]);
});

test("what was not there, or could not be read, is looked for each time", async () => {
  const { memory, reads, shelf } = createShelf();
  expect(await memory.get("a")).toBeNull();
  shelf.set("a", new Blob(["a picture"]));
  expect(await memory.get("a")).not.toBeNull();
  for (let n = 0; n < 2; n++) expect(await memory.get("broken").catch(String)).toContain("out of reach");
  expect(reads).toEqual(["a", "a", "broken", "broken"]);
});

test("only so much is kept; what nobody asks for goes first", async () => {
  const { memory, reads, shelf } = createShelf();
  const names = Array.from({ length: 33 }, (_, n) => String(n));
  for (const name of names) shelf.set(name, new Blob([new Uint8Array(MiB)]));
  for (const name of names.slice(0, 32)) await memory.get(name);
  await memory.get("0");
  expect(reads).toHaveLength(32);
  await memory.get("32");
  await memory.get("0");
  expect(reads).toHaveLength(33);
  await memory.get("1");
  expect(reads).toHaveLength(34);
});
