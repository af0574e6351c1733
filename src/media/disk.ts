/** Pictures in a folder, which several nodes may share. */
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { MediaStorage } from "./storage.ts";

/** Rejects, in one line, when the folder cannot be written. */
export async function openDisk(folder: string): Promise<MediaStorage> {
  const storage: MediaStorage = {
    async put(name, bytes) {
      const target = join(folder, name);
      await mkdir(dirname(target), { recursive: true });
      await Bun.write(`${target}.tmp`, bytes);
      await rename(`${target}.tmp`, target);
    },

    async get(name) {
      const content = Bun.file(join(folder, name));
      return (await content.exists()) ? content : null;
    },

    remove: (name) => rm(join(folder, name), { force: true }),
  };
  try {
    const name = `.probe-${crypto.randomUUID()}`;
    await storage.put(name, new Uint8Array(1), "");
    await storage.remove(name);
    return storage;
  } catch (error) {
    throw new Error(`MEDIA_DIR (by default "media" in DATA_DIR) cannot be written: ${String(error)}`, {
      cause: error,
    });
  }
}
