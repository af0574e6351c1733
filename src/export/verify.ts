/** Whether a folder is as it was written. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pictureType } from "../media/wholeness.ts";
import { eachLine } from "./each-line.ts";
import { Malformed } from "./format.ts";
import { sumOf } from "./lines.ts";
import { verifyManifest, type Sums } from "./manifest.ts";

/** Refuses any other: every file is there, with the count and the hash that the manifest tells. */
export async function verifyFolder(folder: string): Promise<Sums> {
  const sums = await verifyManifest(folder);
  await eachLine(folder, "files", async ({ path, bytes, sha256 }) => {
    const file = join(folder, "files", path);
    if (!existsSync(file)) throw new Malformed(`files/${path} is missing`);
    const sum = await sumOf(file);
    if (sum.bytes !== bytes || sum.sha256 !== sha256) throw new Malformed(`files/${path} was changed`);
    if (!pictureType(await Bun.file(file).slice(0, 12).bytes()))
      throw new Malformed(`files/${path} is no picture`);
  });
  return sums;
}
