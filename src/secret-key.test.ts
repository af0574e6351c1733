import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSecretKey } from "./secret-key.ts";

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "echochat-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test("the configured key is used, and none is made", () => {
  expect(loadSecretKey({ secretKey: "configured", dataDir })).toBe("configured");
  expect(() => statSync(join(dataDir, "secret.key"))).toThrow("ENOENT");
});

test("a key made at the first start stays the same, and only its owner may read it", () => {
  const key = loadSecretKey({ secretKey: null, dataDir });
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(loadSecretKey({ secretKey: null, dataDir })).toBe(key);
  expect(readFileSync(join(dataDir, "secret.key"), "utf8")).toBe(key);
  expect(statSync(join(dataDir, "secret.key")).mode & 0o777).toBe(0o600);
});

test("every installation has a key of its own", () => {
  const key = loadSecretKey({ secretKey: null, dataDir });
  rmSync(join(dataDir, "secret.key"));
  expect(loadSecretKey({ secretKey: null, dataDir })).not.toBe(key);
});

test("a key that a crash has cut off is not signed with", () => {
  for (const left of ["", "\n", "0123456789abcdef"]) {
    writeFileSync(join(dataDir, "secret.key"), left);
    let key: string | null;
    try {
      key = loadSecretKey({ secretKey: null, dataDir });
    } catch {
      key = null; // refusing to start is as good as making another one
    }
    expect(key).toBeOneOf([null, expect.stringMatching(/^[0-9a-f]{64}$/)]);
  }
});
