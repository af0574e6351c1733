/** Reads a backup from its beginning to its end, a piece at a time. */
import { open } from "node:fs/promises";
import { Refused } from "../db/snapshot/facts.ts";
import { BLOCK, padding, readHead, type Head } from "./tar.ts";

/** Bytes in memory at a time. */
const PIECE = 1024 * 1024;

/** The file is not as it was written; nothing after this place can be read. */
export class Damaged extends Error {}

export interface Member extends Head {
  content: AsyncIterable<Uint8Array>;
}

/** Each has to be read to its end before the next one. */
export async function* membersOf(file: string): AsyncGenerator<Member> {
  const handle = await open(file, "r").catch((error: Error) => {
    throw new Refused(`${file} cannot be read: ${error.message}`, { cause: error });
  });
  let at = 0;

  async function read(size: number): Promise<Buffer> {
    const bytes = Buffer.alloc(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await handle.read(bytes, filled, size - filled, at + filled);
      if (bytesRead === 0) throw new Damaged("it is cut short");
      filled += bytesRead;
    }
    at += size;
    return bytes;
  }

  async function* contentOf({ name, size }: Head): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; left -= PIECE) yield await read(Math.min(left, PIECE));
    if (hasBytes(await read(padding(size)))) throw new Damaged(`there is something behind ${name}`);
  }

  try {
    const { size } = await handle.stat();
    for (;;) {
      const start = at;
      const head = await readHead(read);
      if (head === null) break;
      if (!head)
        throw new Damaged(start === 0 ? "it is no backup of EchoChat" : `byte ${start} begins no file`);
      if (head.size > size - at) throw new Damaged("it is cut short");
      yield { ...head, content: contentOf(head) };
    }
    if (hasBytes(await read(BLOCK)) || at !== size) throw new Damaged("there is something behind its end");
  } finally {
    await handle.close();
  }
}

const hasBytes = (bytes: Buffer): boolean => bytes.some((byte) => byte !== 0);
