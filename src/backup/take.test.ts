import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SnapshotSource } from "../db/snapshot/facts.ts";
import { openDisk } from "../media/disk.ts";
import { takeBackup } from "./take.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const [first, second, third] = ["a", "b", "c"].map((letter) => `profile_pics/${letter}.webp`) as [
  string,
  string,
  string,
];

/** Ann has the first of these pictures; `meanwhile` happens before and after the moment of the copy. */
async function backUp(
  meanwhile: (change: (picture: string) => Promise<void>, when: string) => Promise<void>,
) {
  const folder = mkdtempSync(join(tmpdir(), "echochat-"));
  folders.push(folder);
  const storage = await openDisk(join(folder, "media"));
  let picture = first;
  const change = async (next: string) => {
    const before = picture;
    await storage.put(next, Buffer.from(next), "");
    picture = next;
    if (before !== next) await storage.remove(before);
  };
  await change(first);
  let copies = 0;
  const source: SnapshotSource = {
    pictures: async () => [picture],
    async take(use) {
      copies += 1;
      await meanwhile(change, `before copy ${copies}`);
      const pictures = [picture];
      await meanwhile(change, `after copy ${copies}`);
      const content = new Blob(["a database"]).stream();
      await use({ facts: { kind: "sqlite", schema: [1], epoch: "e", counts: {} }, pictures, content });
    },
    close: async () => {},
  };
  const file = join(folder, "backup.tar");
  const taken = await takeBackup({ file, source, storage, program: "1", now: 0 });
  const names = (await Bun.$`tar tf ${file}`.text()).split("\n").filter((name) => name.startsWith("media/"));
  expect(readdirSync(folder).toSorted()).toEqual(["backup.tar", "media"]);
  return { copies, names: names.map((name) => name.slice("media/".length)), absent: taken.absent };
}

test("a picture that is replaced after the copy's moment is in the backup", async () => {
  const { copies, names, absent } = await backUp(async (change, when) => {
    if (when === "after copy 1") await change(second);
  });
  expect([copies, names, absent]).toEqual([1, [first], []]);
});

test("so is one that is new just before it", async () => {
  const { copies, names, absent } = await backUp(async (change, when) => {
    if (when === "before copy 1") await change(second);
  });
  expect([copies, names, absent]).toEqual([1, [first, second], []]);
});

test("where one is new before it and gone after it, all begins anew", async () => {
  const { copies, names, absent } = await backUp(async (change, when) => {
    if (when === "before copy 1") await change(second);
    if (when === "after copy 1") await change(third);
  });
  expect([copies, names, absent]).toEqual([2, [third], []]);
});

test("but not for ever", async () => {
  const { copies, absent } = await backUp((change, when) =>
    change(`profile_pics/${when.replaceAll(" ", "-")}.webp`),
  );
  expect([copies, absent]).toEqual([3, ["profile_pics/before-copy-3.webp"]]);
});
