/** Uploads are decoded and drawn anew as WebP: of what came, only what is seen is kept. */
import type { PictureFault, Pictures } from "../accounts/ports.ts";
import { smallAvatar } from "../shared/media.ts";
import { createTurns } from "../shared/turns.ts";
import { isPictureName, type MediaStorage } from "./storage.ts";
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
const WEBP_TYPE = "image/webp";

const FOLDER = "profile_pics";

/** `onFault` hears why a picture could not be stored; its sender is only told that it was not. */
export function createPictures(
  storage: MediaStorage,
  onFault: (what: string, error: unknown) => void,
): Pictures {
  const turn = createTurns(CONCURRENT_DECODES);

  async function discard(path: string): Promise<void> {
    if (!isPictureName(path)) return;
    const names = new Set([path, smallAvatar(path)]);
    await Promise.all([...names].map((name) => storage.remove(name)));
  }

  return {
    async keep(upload) {
      const drawn = await turn(() => draw(upload));
      if ("fault" in drawn) return drawn;
      const path = `${FOLDER}/${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex")}.webp`;
      try {
        await storage.put(smallAvatar(path), drawn.small, WEBP_TYPE);
        await storage.put(path, drawn.large, WEBP_TYPE);
      } catch (error) {
        onFault("picture not stored", error);
        discard(path).catch((failed: unknown) => onFault("half a picture not removed", failed));
        return { fault: "unavailable" };
      }
      return { path };
    },

    discard,

    async open(path) {
      if (!isPictureName(path)) return null;
      const content = await storage.get(path);
      if (!content) return null;
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
