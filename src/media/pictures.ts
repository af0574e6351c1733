/** Pictures on disk. Uploads are decoded and drawn anew as WebP: of what came, only what is seen is kept. */
import { mkdirSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PictureFault, Pictures } from "../accounts/ports.ts";
import { smallAvatar } from "../shared/media.ts";
import { createTurns } from "../shared/turns.ts";
import { framePixels, isWhole, pictureType } from "./wholeness.ts";

/** Decoded, 100 MB. */
const MAX_PIXELS = 25_000_000;

/** Only the first frame of an animation is decoded; one with more than this is made to do harm. */
const MAX_FRAME_PIXELS = 10 * MAX_PIXELS;

/** Pictures decoded at a time, which bounds the memory for it. */
const CONCURRENT_DECODES = 2;

/** Pixels of the shorter side, and of the longer one of very long pictures. Pages cut out a square. */
const LARGE = { shorter: 256, longer: 1024 };
const SMALL = { shorter: 64, longer: 256 };

const WEBP = { quality: 82 };

const FOLDER = "profile_pics";

/** Ours are `<32 hex>.webp` and `<32 hex>.64.webp`; imported ones have the names that they had. */
const STORED = /^profile_pics\/[\p{L}\p{N}_-][\p{L}\p{N}_.-]{0,99}$/u;

/** `folder` is what /media/ shows. */
export function createPictures(folder: string): Pictures {
  mkdirSync(join(folder, FOLDER), { recursive: true });
  const turn = createTurns(CONCURRENT_DECODES);

  /** Nobody ever sees half a file, not even after a crash. */
  async function write(path: string, bytes: Uint8Array): Promise<void> {
    const target = join(folder, path);
    await Bun.write(`${target}.tmp`, bytes);
    await rename(`${target}.tmp`, target);
  }

  return {
    async keep(upload) {
      const drawn = await turn(() => draw(upload));
      if ("fault" in drawn) return drawn;
      const path = `${FOLDER}/${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex")}.webp`;
      await write(smallAvatar(path), drawn.small);
      await write(path, drawn.large);
      return { path };
    },

    async discard(path) {
      if (!STORED.test(path)) return;
      for (const name of new Set([path, smallAvatar(path)])) await rm(join(folder, name), { force: true });
    },

    async open(path) {
      if (!STORED.test(path) || path.endsWith(".tmp")) return null;
      const content = Bun.file(join(folder, path));
      if (!(await content.exists())) return null;
      const type = pictureType(await content.slice(0, 12).bytes());
      return type && { type, content };
    },
  };
}

interface Drawn {
  large: Uint8Array;
  small: Uint8Array;
}

async function draw(upload: Uint8Array<ArrayBuffer>): Promise<Drawn | { fault: PictureFault }> {
  if (!isWhole(upload)) return { fault: "unreadable" };
  if (framePixels(upload) > MAX_FRAME_PIXELS) return { fault: "too_many_pixels" };
  try {
    // Through one lossless copy, so that the upload itself is decoded once.
    const copy = new Uint8Array(await (await resized(upload, LARGE)).png().bytes());
    const large = await new Bun.Image(copy).webp(WEBP).bytes();
    const small = await (await resized(copy, SMALL)).webp(WEBP).bytes();
    return { large, small };
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (code === "ERR_IMAGE_TOO_MANY_PIXELS") return { fault: "too_many_pixels" };
    if (code.startsWith("ERR_IMAGE_")) return { fault: "unreadable" };
    throw error;
  }
}

/** Made smaller to the bounds, never larger. */
async function resized(bytes: Uint8Array<ArrayBuffer>, bounds: typeof LARGE): Promise<Bun.Image> {
  const image = new Bun.Image(bytes, { maxPixels: MAX_PIXELS });
  const { width, height } = await image.metadata();
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  const scale = Math.min(1, bounds.shorter / shorter, bounds.longer / longer);
  const scaled = (side: number) => Math.max(1, Math.round(side * scale));
  return image.resize(scaled(width), scaled(height));
}
