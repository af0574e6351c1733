/** Files of lines: written with their count and hash, read in blocks with the number of each line. */
import { closeSync, createReadStream, fsyncSync, openSync, writeSync } from "node:fs";

export interface Sum {
  lines: number;
  sha256: string;
}

/** Longer ones are no lines of ours, and would have to fit into memory. Bytes. */
export const LINE_MAX = 4 * 1024 * 1024;
const BLOCK = 256 * 1024;
const NEWLINE = 0x0a;

/** A new file, readable by its owner alone. */
export function writeLines(path: string) {
  const file = openSync(path, "wx", 0o600);
  const hasher = new Bun.CryptoHasher("sha256");
  let lines = 0;
  return {
    /** Each with its end; answers with how many there are so far. */
    add(some: readonly string[]): number {
      const bytes = Buffer.from(some.join(""));
      hasher.update(bytes);
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      return (lines += some.length);
    },
    end(): Sum {
      fsyncSync(file);
      closeSync(file);
      return { lines, sha256: hasher.digest("hex") };
    },
  };
}

/** Throws what the file system says where there is no such file. */
export async function sumOf(path: string): Promise<Sum & { bytes: number }> {
  const hasher = new Bun.CryptoHasher("sha256");
  let [lines, bytes] = [0, 0];
  for await (const block of createReadStream(path, { highWaterMark: BLOCK }) as AsyncIterable<Buffer>) {
    hasher.update(block);
    bytes += block.length;
    for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, at + 1)) lines += 1;
  }
  return { lines, bytes, sha256: hasher.digest("hex") };
}

/** Null in the place of a line that is not UTF-8 or too long; the last one needs no end. */
export async function* blocksOf(path: string): AsyncGenerator<(string | null)[]> {
  let rest = Buffer.alloc(0);
  for await (const block of createReadStream(path, { highWaterMark: BLOCK }) as AsyncIterable<Buffer>) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, block]) : block;
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) yield linesIn(bytes.subarray(0, end - 1));
    rest = Buffer.from(bytes.subarray(end));
    if (rest.length <= LINE_MAX) continue;
    yield [null];
    return;
  }
  if (rest.length > 0) yield linesIn(rest);
}

function linesIn(bytes: Buffer): (string | null)[] {
  return textOf(bytes)?.split("\n") ?? eachOf(bytes).map(textOf);
}

function textOf(bytes: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function eachOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...lines, bytes.subarray(start)];
}
