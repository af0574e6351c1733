/** Pictures of people, from the original's folder of media to where pictures lie here. */
import { realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import type { PictureFault, Pictures } from "../accounts/ports.ts";
import { PICTURE_MAX_BYTES } from "../shared/limits.ts";
import { createTurns } from "../shared/turns.ts";
import { ImportRefused } from "./refused.ts";

/** Of whoever has never chosen one. */
const DEFAULT = "default.jpg";

/** Pictures in memory at a time. */
const AT_A_TIME = 2;

/** `why`: the reason that there is none, where they had chosen one. */
export type Avatar = { path: string } | { path: null; why: string | null };

export interface Avatars {
  carry(image: string): Promise<Avatar>;
}

/** `root`: from `openMedia`. */
export function createAvatars(root: string, pictures: Pick<Pictures, "keep">): Avatars {
  const turn = createTurns(AT_A_TIME);

  async function keep(file: string): Promise<Avatar> {
    const kept = await pictures.keep(await Bun.file(file).bytes());
    if ("path" in kept) return kept;
    if (kept.fault === "unavailable")
      throw new ImportRefused("A picture cannot be stored: see MEDIA_DIR, and the S3_* variables.");
    return none(FAULTS[kept.fault]);
  }

  return {
    async carry(image) {
      if (image === "" || image === DEFAULT) return none(null);
      if (/^([a-z][a-z\d+.-]*:)?\/\//i.test(image)) return none("it is an address, not a file");
      const file = within(root, image);
      if (typeof file !== "string") return none(file.why);
      return turn(() => keep(file));
    },
  };
}

const none = (why: string | null): Avatar => ({ path: null, why });

const FAULTS: Record<Exclude<PictureFault, "unavailable">, string> = {
  unreadable: "it is not a picture, or not a whole one",
  too_many_pixels: "it has too many pixels",
};

/** Where the folder really lies. */
export function openMedia(folder: string): string {
  try {
    if (statSync(folder).isDirectory()) return realpathSync(folder);
  } catch {
    // There is none.
  }
  throw new ImportRefused(`There is no folder of media at ${folder}.`);
}

/** The file, wherever links lead: whoever wrote the row must not choose among the files of this machine. */
function within(root: string, image: string): string | { why: string } {
  try {
    const file = realpathSync(join(root, image));
    if (!file.startsWith(root + sep)) return { why: "it lies outside of the folder of media" };
    const stat = statSync(file);
    if (!stat.isFile()) return { why: "it is not a file" };
    return stat.size > PICTURE_MAX_BYTES ? { why: "it is larger than 20 MB" } : file;
  } catch {
    return { why: "there is no such file" };
  }
}
