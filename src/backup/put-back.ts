/** Puts the pictures of a backup where pictures lie. */
import { Refused } from "../db/snapshot/facts.ts";
import type { MediaStorage } from "../media/storage.ts";
import { pictureType } from "../media/wholeness.ts";
import { pictureOf, type Manifest } from "./manifest.ts";
import { membersOf } from "./members.ts";

/**
 * What lies there already must be what the backup has, as a restore leaves it that was interrupted; `there` names it as
 * far as that can be told. Answers with the number of pictures.
 */
export async function putBack(
  file: string,
  { members }: Manifest,
  storage: MediaStorage,
  there: readonly string[],
): Promise<number> {
  const told = new Map(members.map(({ name, sha256 }) => [pictureOf(name), sha256]));
  for (const name of new Set([...there, ...told.keys()])) {
    const picture = name && (await storage.get(name));
    if (picture && (await hashOf(picture)) !== told.get(name))
      throw new Refused(`Where pictures lie there is ${name} already: give an empty place for them.`);
  }
  let put = 0;
  for await (const { name, content } of membersOf(file)) {
    const picture = pictureOf(name);
    const pieces: Uint8Array[] = [];
    for await (const bytes of content) if (picture !== null) pieces.push(bytes);
    if (picture === null) continue;
    // A picture was taken in as a whole, too.
    const bytes = Buffer.concat(pieces);
    await storage.put(picture, bytes, pictureType(bytes.subarray(0, 12)) ?? "application/octet-stream");
    put += 1;
  }
  return put;
}

async function hashOf(picture: Blob): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const bytes of picture.stream()) hasher.update(bytes);
  return hasher.digest("hex");
}
