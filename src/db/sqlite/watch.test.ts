import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIGRATIONS } from "../../resources.ts";
import { openSqlite, type SqliteDatabase } from "./open.ts";
import { createProbe } from "./probe.ts";
import { watchOtherWriters } from "./watch.ts";

let folder: string;
let mine: SqliteDatabase;
let other: SqliteDatabase;
let stop: () => void;
let changes = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "echochat-"));
  const open = () => openSqlite(join(folder, "echochat.sqlite"), MIGRATIONS.sqlite, 1);
  [mine, other] = [open(), open()];
});
afterEach(() => stop());
afterAll(() => {
  mine.$client.close();
  other.$client.close();
  rmSync(folder, { recursive: true });
});

test("what another process has written is noticed within a second, what this one writes is not", async () => {
  stop = watchOtherWriters(mine, () => void changes++);
  mine.$client.run("UPDATE rooms SET topic = 'mine'");
  await Bun.sleep(700);
  expect(changes).toBe(0);
  other.$client.run("UPDATE rooms SET topic = 'theirs'");
  await Bun.sleep(900);
  expect(changes).toBe(1);
});

test("nothing is noticed once the watch has ended", async () => {
  stop = watchOtherWriters(mine, () => void changes++);
  stop();
  const before = changes;
  other.$client.run("UPDATE rooms SET topic = 'later'");
  await Bun.sleep(700);
  expect(changes).toBe(before);
});

test("a database that works passes its probe unchanged, and one that is closed does not", async () => {
  stop = () => {};
  const broken = openSqlite(join(folder, "broken.sqlite"), MIGRATIONS.sqlite, 1);
  const probe = createProbe(broken);
  const epoch = () => broken.$client.query("SELECT * FROM installation").all();
  const before = epoch();
  await probe();
  expect(epoch()).toEqual(before);
  broken.$client.close();
  expect(await probe().catch(() => "failed")).toBe("failed");
});
