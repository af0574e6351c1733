import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

setDefaultTimeout(60_000);

const ROOT = join(import.meta.dir, "..", "..");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "echochat-migrations-"));
  cpSync(join(ROOT, "drizzle"), folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(["sqlite", "postgres"])("whoever changes a table has a migration for %s", async (dialect) => {
  const out = join(folder, dialect);
  const before = readdirSync(out, { recursive: true });
  const kind = dialect === "sqlite" ? "sqlite" : "postgresql";
  const schema = `./src/db/${dialect}/schema.ts`;
  const generate = `x --no-install drizzle-kit generate --dialect ${kind} --schema ${schema} --out ${relative(ROOT, out)}`;
  const child = Bun.spawn([process.execPath, ...generate.split(" ")], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const words = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(words.join("")).toContain("nothing to migrate");
  expect(readdirSync(out, { recursive: true })).toEqual(before);
});
