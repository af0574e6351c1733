import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blocksOf, sumOf, writeLines } from "./lines.ts";

let folder: string;
let made = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "echochat-lines-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(bytes: Uint8Array | string): Promise<(string | null)[]> {
  const path = join(folder, `${++made}`);
  await Bun.write(path, bytes);
  const lines: (string | null)[] = [];
  for await (const block of blocksOf(path)) lines.push(...block);
  return lines;
}

test("lines are read as they were written, wherever a block of the file ends", async () => {
  const lines = Array.from({ length: 5000 }, (_, at) => `${at} ${"ё👩‍👩‍👧\u2028".repeat(at % 50)}`);
  const path = join(folder, "written");
  const file = writeLines(path);
  expect(file.add(lines.slice(0, 10).map((line) => `${line}\n`))).toBe(10);
  expect(file.add(lines.slice(10).map((line) => `${line}\n`))).toBe(5000);
  const sum = file.end();
  const bytes = await Bun.file(path).bytes();
  expect(await sumOf(path)).toEqual({ ...sum, bytes: bytes.length });
  expect(await read(bytes)).toEqual(lines);
});

test("an empty file has no lines, and the last line needs no end", async () => {
  expect(await read("")).toEqual([]);
  expect(await read("one\ntwo")).toEqual(["one", "two"]);
});

test("a line that is not UTF-8 is told from its neighbours", async () => {
  const bytes = Buffer.concat([Buffer.from("one\n"), Buffer.from([0xff, 0x0a]), Buffer.from("three\n")]);
  expect(await read(bytes)).toEqual(["one", null, "three"]);
});

test("a line without an end is not read into memory", async () => {
  expect(await read(`one\n${"x".repeat(6 * 1024 * 1024)}`)).toEqual(["one", null]);
});
