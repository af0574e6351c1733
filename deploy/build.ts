/**
 * Makes `out/echochat`: the program, its pages' bundles, migrations and files, in one executable. `--target=bun-linux-arm64`
 * makes one for another machine.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BUNDLES, buildBundles } from "../src/resources.ts";

const OUT = "out/echochat";

rmSync(BUNDLES, { recursive: true, force: true });
mkdirSync(BUNDLES, { recursive: true });
for (const [name, text] of await buildBundles()) await Bun.write(join(BUNDLES, name), text);

const flags =
  "--compile --minify --sourcemap --bytecode --format=esm --no-compile-autoload-dotenv --no-compile-autoload-bunfig";
const target = process.argv.slice(2).filter((arg) => arg.startsWith("--target="));
const assets = ["./dist", "./drizzle", "./public"].flatMap((folder) => ["--asset", folder]);
await Bun.$`bun build src/main.ts ${flags.split(" ")} ${assets} ${target} --outfile ${OUT}`;
// It is inside as well, and traces are told by that one.
rmSync(`${OUT}.map`, { force: true });
