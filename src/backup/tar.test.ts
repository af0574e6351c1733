import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BLOCK, headOf, padding, readHead, type Head } from "./tar.ts";

const folder = mkdtempSync(join(tmpdir(), "echochat-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LONG = `media/profile_pics/${"ж".repeat(100)}`;
const NAMES = ["a", "media/profile_pics/ännchen.webp", "x".repeat(100), "x".repeat(101), LONG];

function readBack(bytes: Buffer): Promise<Head | null | undefined> {
  let at = 0;
  return readHead(async (size) => bytes.subarray(at, (at += size)));
}

test.each(NAMES)("what is called %s is read back, and by tar, too", async (name) => {
  const head = { name, size: 5, time: 1_795_353_437 };
  expect(await readBack(headOf(head))).toEqual(head);
  const file = join(folder, "a.tar");
  await Bun.write(
    file,
    Buffer.concat([headOf(head), Buffer.from("hello"), Buffer.alloc(padding(5) + 2 * BLOCK)]),
  );
  const listed = await Bun.$`tar --quoting-style=literal -tf ${file}`.env({ LC_ALL: "C.UTF-8" }).text();
  expect(listed).toBe(`${name}\n`);
  expect(await Bun.$`tar -xOf ${file}`.text()).toBe("hello");
});

test("a size beyond 8 GiB has its place, and the head is as long as ever", async () => {
  for (const size of [8 ** 11 - 1, 8 ** 11, 2 ** 45]) {
    const head = { name: "echochat.sqlite", size, time: 0 };
    expect(headOf(head)).toHaveLength(BLOCK);
    expect(await readBack(headOf(head))).toEqual(head);
  }
});

test("a head with any other byte in it is none, or that of another file", async () => {
  for (const name of ["echochat.sqlite", LONG]) {
    const head = { name, size: 700, time: 1_795_353_437 };
    const sound = headOf(head);
    for (let at = 0; at < sound.length; at++) {
      const spoiled = Buffer.from(sound);
      spoiled.writeUInt8(spoiled.readUInt8(at) ^ 1, at);
      expect(await readBack(spoiled).catch(() => undefined)).not.toEqual(head);
    }
  }
});
