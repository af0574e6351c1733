/** Where pictures lie: in a folder, or in a bucket of S3 where the configuration names one. */
import { join } from "node:path";
import type { Pictures } from "../accounts/ports.ts";
import type { Config } from "../config.ts";
import { openDisk } from "../media/disk.ts";
import { createPictures } from "../media/pictures.ts";
import type { MediaStorage } from "../media/storage.ts";

type Places = Pick<Config, "dataDir" | "mediaDir" | "s3">;

/** Rejects, in one line that names a variable, when nothing can be kept there. */
export async function openPictures(
  places: Places,
  onFault: (what: string, error: unknown) => void,
): Promise<Pictures> {
  return createPictures(await openStorage(places), onFault);
}

/** The same, for whoever carries pictures elsewhere as they are. */
export async function openStorage({ dataDir, mediaDir, s3 }: Places): Promise<MediaStorage> {
  if (!s3) return openDisk(mediaDir ?? join(dataDir, "media"));
  const { openS3 } = await import("../media/s3.ts");
  return openS3(s3);
}
