/** The files that come with the program: beside the source, or inside the binary. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = Bun.isStandaloneExecutable ? import.meta.dir : join(import.meta.dir, "..");

/** Where `bun run build` puts the bundles for the binary to take in. */
export const BUNDLES = join(ROOT, "dist");
export const MIGRATIONS = {
  sqlite: join(ROOT, "drizzle", "sqlite"),
  postgres: join(ROOT, "drizzle", "postgres"),
};
export const PUBLIC_FILES = join(ROOT, "public");

/** File names, which change with the content, and texts. What pages link to begins with "main-" or "more-". */
export type Bundles = ReadonlyMap<string, string>;

/** Prepared in a binary, made in memory from the source. */
export async function loadBundles(): Promise<Bundles> {
  if (!Bun.isStandaloneExecutable) return buildBundles();
  const texts = readdirSync(BUNDLES).map(
    async (name) => [name, await Bun.file(join(BUNDLES, name)).text()] as const,
  );
  return new Map(await Promise.all(texts));
}

export async function buildBundles(): Promise<Bundles> {
  const { outputs } = await Bun.build({
    entrypoints: [
      join(ROOT, "islands/main.tsx"),
      ...["main", "more"].map((name) => join(ROOT, `public/styles/${name}.css`)),
    ],
    target: "browser",
    minify: true,
    splitting: true,
    naming: "[name]-[hash].[ext]",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const texts = outputs.map(
    async (output) => [output.path.replace(/^.*\//, ""), await output.text()] as const,
  );
  return new Map(await Promise.all(texts));
}

/** Some megabytes, so loaded only where a new password is judged by the strict rules. */
export async function loadCommonPasswords(): Promise<readonly string[]> {
  const { dictionary } = await import("@zxcvbn-ts/language-common");
  return dictionary["passwords-common"];
}
