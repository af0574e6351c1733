/** Writes a backup: into FILE.partial, which becomes FILE when all of it is on stable storage. */
import { existsSync, rmSync } from "node:fs";
import { open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Refused } from "../db/snapshot/facts.ts";
import { hashLine, MANIFEST, MANIFEST_HASH, type Entry, type Manifest } from "./manifest.ts";
import { BLOCK, headOf, padding } from "./tar.ts";

export interface Archive {
  add(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Adds the manifest and gives the file its name; answers with its size. */
  finish(manifest: Omit<Manifest, "members">): Promise<number>;
  /** To be called in the end, whatever has come of it. */
  close(): Promise<void>;
}

/** It holds hashes of passwords: nobody else of the machine is to read it. */
const MODE = 0o600;

/** What is written until then. */
export const partialOf = (file: string): string => `${file}.partial`;

/** Refuses a file that is there. */
export async function createArchive(file: string, now: number): Promise<Archive> {
  if (existsSync(file)) throw new Refused(`${file} exists: give another name, or move it away.`);
  const partial = partialOf(file);
  rmSync(partial, { force: true });
  const handle = await open(partial, "wx", MODE);
  const time = Math.floor(now / 1000);
  const members: Entry[] = [];
  let end = 0;

  async function write(bytes: Uint8Array, at: number): Promise<number> {
    let written = 0;
    while (written < bytes.length)
      written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
    return at + written;
  }

  /** How long the content is shows at its end, and goes into the head then. */
  async function add(name: string, content: AsyncIterable<Uint8Array>): Promise<Entry> {
    const start = end;
    const from = start + headOf({ name, size: 0, time }).length;
    const hasher = new Bun.CryptoHasher("sha256");
    let at = from;
    for await (const bytes of content) {
      hasher.update(bytes);
      at = await write(bytes, at);
    }
    const size = at - from;
    end = await write(Buffer.alloc(padding(size)), at);
    await write(headOf({ name, size, time }), start);
    return { name, size, sha256: hasher.digest("hex") };
  }

  return {
    async add(name, content) {
      members.push(await add(name, content));
    },

    async finish(manifest) {
      const text = `${JSON.stringify({ ...manifest, members }, null, 1)}\n`;
      const { sha256 } = await add(MANIFEST, once(text));
      await add(MANIFEST_HASH, once(hashLine(sha256)));
      end = await write(Buffer.alloc(2 * BLOCK), end);
      await handle.sync();
      const [ours, there] = [await handle.stat(), await stat(partial).catch(() => null)];
      if (there?.ino !== ours.ino || existsSync(file))
        throw new Refused(`Another backup has begun to write ${file}: give each a name of its own.`);
      await rename(partial, file);
      await syncFolder(dirname(file));
      return end;
    },

    close: () => handle.close(),
  };
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** What has been made or renamed in it stays so, whatever happens to the machine. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync();
  await handle.close();
}
