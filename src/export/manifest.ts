/** The manifest: written last, so that a folder with one is whole, and believed by nobody who has not counted and hashed. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CopyRefused } from "../db/copy/refused.ts";
import { FORMAT, KINDS, Malformed, objectOf, VERSION, type Kind } from "./format.ts";
import { sumOf, type Sum } from "./lines.ts";

export type Sums = Record<Kind, Sum>;

const NAME = "manifest.json";

export const KIND_NAMES = Object.keys(KINDS) as Kind[];

export function fileOf(kind: Kind): string {
  return `${kind}.jsonl`;
}

export function writeManifest(folder: string, sums: Sums, program: string, now: number): void {
  const files = Object.fromEntries(KIND_NAMES.map((kind) => [fileOf(kind), sums[kind]]));
  const exportedAt = new Date(now).toISOString();
  const manifest = { format: FORMAT, version: VERSION, program, exportedAt, files };
  const options = { mode: 0o600, flag: "wx", flush: true };
  writeFileSync(join(folder, NAME), `${JSON.stringify(manifest, null, 2)}\n`, options);
}

/** Refuses a folder whose files are not those that the manifest tells of. */
export async function verifyManifest(folder: string): Promise<Sums> {
  const files = filesOf(folder);
  const sums: Partial<Sums> = {};
  for (const kind of KIND_NAMES) {
    const name = fileOf(kind);
    const told = files[name] as Partial<Sum> | null | undefined;
    if (!told) throw new CopyRefused(`${NAME} says nothing of ${name}.`);
    if (!existsSync(join(folder, name))) throw new CopyRefused(`${name} is missing.`);
    const { lines, sha256 } = await sumOf(join(folder, name));
    if (lines !== told.lines)
      throw new CopyRefused(`${name} has ${lines} lines; ${NAME} says ${String(told.lines)}.`);
    if (sha256 !== told.sha256)
      throw new CopyRefused(`${name} was changed: its SHA-256 is not that of ${NAME}.`);
    sums[kind] = { lines, sha256 };
  }
  return sums as Sums;
}

function filesOf(folder: string): Record<string, unknown> {
  const path = join(folder, NAME);
  if (!existsSync(path))
    throw new CopyRefused(`There is no ${NAME} in ${folder}: no export, or not a whole one.`);
  try {
    const { format, version, files } = objectOf(readFileSync(path, "utf8"));
    if (format !== FORMAT) throw new Malformed(`"format" is not "${FORMAT}"`);
    if (version !== VERSION)
      throw new Malformed(`this program reads version ${VERSION}, not ${JSON.stringify(version)}`);
    return objectOf(JSON.stringify(files ?? null));
  } catch (error) {
    if (error instanceof Malformed) throw new CopyRefused(`${NAME}: ${error.message}.`, { cause: error });
    throw error;
  }
}
