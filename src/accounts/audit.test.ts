import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqlite, type SqliteDatabase } from "../db/sqlite/open.ts";
import { createSqliteStores } from "../db/sqlite/stores.ts";
import { MIGRATIONS } from "../resources.ts";
import type { UserId } from "../shared/ids.ts";
import { createAudit } from "./audit.ts";
import type { Audit, AuditLog } from "./ports.ts";

const ANN = { id: 7 as UserId, name: "ann", address: "192.0.2.1" };
const EVERYTHING = { before: null, q: "", action: null, limit: 100 };

let folder: string;
let db: SqliteDatabase;
let log: AuditLog;
let audit: Audit;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "echochat-"));
  db = openSqlite(join(folder, "echochat.sqlite"), MIGRATIONS.sqlite, 1);
  log = createSqliteStores(db).audit;
  audit = createAudit({ log, clock: { now: () => 4711 } });
});
afterAll(() => {
  db.$client.close();
  rmSync(folder, { recursive: true });
});

describe("an entry of the audit log", () => {
  test("says who did what to whom, when and from where", async () => {
    await audit.record("account.muted", ANN, "user:bob", "a detail");
    const { items } = await log.page({ ...EVERYTHING, limit: 1 });
    expect(items).toEqual([
      {
        id: expect.any(Number),
        at: 4711,
        action: "account.muted",
        actorId: ANN.id,
        actorName: "ann",
        subject: "user:bob",
        detail: "a detail",
        address: "192.0.2.1",
      },
    ]);
  });

  test.each([
    ["a line break", "a\nb\r", "a\\u{a}b\\u{d}"],
    ["a NUL and an escape", "\0\u001b[2J", "\\u{0}\\u{1b}[2J"],
    ["a turn of direction", "a\u202eb\u2066", "a\\u{202e}b\\u{2066}"],
    ["letters that nobody sees", "a\u200bb\ufeff", "a\\u{200b}b\\u{feff}"],
    ["half a pair", "a\ud83d", "a\ufffd"],
  ])("keeps a name with %s on one line, and readable", async (_, typed, kept) => {
    await audit.record("session.refused", { id: null, name: typed, address: "" }, typed, typed);
    const { items } = await log.page({ ...EVERYTHING, limit: 1 });
    expect(items[0]).toMatchObject({ actorName: kept, subject: kept, detail: kept });
  });

  test("is not long, whatever was typed", async () => {
    await audit.record("session.refused", { id: null, name: "x".repeat(100_000), address: "" });
    const { items } = await log.page({ ...EVERYTHING, limit: 1 });
    expect(items[0]?.actorName).toHaveLength(151);
  });

  test("is never changed and never removed, not by hand either", async () => {
    await audit.record("room.closed", ANN, "room:public");
    const all = (await log.page(EVERYTHING)).items;
    expect(all.length).toBeGreaterThan(0);
    const other = new Database(join(folder, "echochat.sqlite"));
    for (const act of [
      "UPDATE audit SET detail = 'x'",
      "DELETE FROM audit",
      "DELETE FROM audit WHERE id = 1",
    ]) {
      expect(() => other.run(act)).toThrow("audit entries are never");
    }
    other.close();
    expect((await log.page(EVERYTHING)).items).toEqual(all);
  });
});

describe("the audit log", () => {
  test("is read backwards, page by page, each entry once", async () => {
    for (let i = 0; i < 5; i++) await audit.record("session.opened", { ...ANN, name: `reader${i}` });
    const wanted = { ...EVERYTHING, q: "reader", limit: 2 };
    const names: string[] = [];
    for (let before: number | null = null; ;) {
      const { items, next } = await log.page({ ...wanted, before });
      names.push(...items.map(({ actorName }) => actorName));
      if (next === null) break;
      before = next;
    }
    expect(names).toEqual(["reader4", "reader3", "reader2", "reader1", "reader0"]);
  });

  test("is searched by name, subject, detail, address and action", async () => {
    await audit.record(
      "room.renamed",
      { ...ANN, name: "Анна", address: "203.0.113.9" },
      "room:xyz",
      "50% off_",
    );
    const found = async (q: string) =>
      (await log.page({ ...EVERYTHING, q })).items.some(({ subject }) => subject === "room:xyz");
    for (const q of ["Анна", "room:xyz", "XYZ", "50% off_", "203.0.113.9"]) expect(await found(q)).toBe(true);
    for (const q of ["50%%", "5_%", "nobody", "' OR 1=1 --"]) expect(await found(q)).toBe(false);
    const renamed = await log.page({ ...EVERYTHING, action: "room.renamed" });
    expect(renamed.items.map(({ action }) => action)).toEqual(["room.renamed"]);
  });
});
