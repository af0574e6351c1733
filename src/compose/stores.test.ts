import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Opens the stores as the program does, and prints the modules that were loaded. */
const PROGRAM = `
  const { openStores } = await import("./src/compose/stores.ts");
  const config = { dataDir: process.env.DATA_DIR, databaseUrl: null, databasePoolSize: 10 };
  await (await openStores(config, 1)).close();
  console.log(Object.keys(require.cache).join("\\n"));
`;

test("whoever keeps everything in a file loads nothing of PostgreSQL", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "echochat-"));
  const { stdout } = Bun.spawnSync([process.execPath, "--no-env-file", "-e", PROGRAM], {
    cwd: join(import.meta.dir, "..", ".."),
    env: { DATA_DIR: dataDir },
  });
  rmSync(dataDir, { recursive: true });
  const loaded = stdout.toString().split("\n");
  expect(loaded.filter((path) => path.includes("/src/db/sqlite/"))).not.toEqual([]);
  expect(loaded.filter((path) => /\/src\/db\/postgres\/|\/node_modules\/postgres\//.test(path))).toEqual([]);
});
