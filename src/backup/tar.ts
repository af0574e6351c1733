/** Archives as every `tar` reads them: POSIX ustar, with a pax header where a name is too long for it. */

export const BLOCK = 512;

export interface Head {
  name: string;
  size: number;
  /** Seconds since 1970. */
  time: number;
}

/** Where each field of a block begins, and its bytes. */
const NAME = [0, 100] as const;
const MODE = [100, 8] as const;
const OWNER = [108, 8] as const;
const GROUP = [116, 8] as const;
const SIZE = [124, 12] as const;
const TIME = [136, 12] as const;
const SUM = [148, 8] as const;
const KIND = 156;
const MAGIC = 257;

const FILE = "0";
const PAX = "x";

/** Beyond this a size is written in binary, as GNU began it and all have taken over. */
const OCTAL_MAX = 8 ** 11 - 1;

/** The blocks before a member's content. They have the same length whatever the size. */
export function headOf({ name, size, time }: Head): Buffer {
  const bytes = Buffer.from(name);
  const own = block(bytes, FILE, size, time);
  if (bytes.length <= NAME[1]) return own;
  const record = paxRecord("path", name);
  return Buffer.concat([
    block(Buffer.from("pax"), PAX, record.length, time),
    record,
    Buffer.alloc(padding(record.length)),
    own,
  ]);
}

/** Zero bytes after a content of this size. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/**
 * Reads what `headOf` writes; null at the zero block of the end, undefined for anything else: links, folders and whatever
 * other programs make have no place in our archives.
 */
export async function readHead(read: (size: number) => Promise<Buffer>): Promise<Head | null | undefined> {
  const first = await read(BLOCK);
  if (first.every((byte) => byte === 0)) return null;
  if (first.toString("latin1", KIND, KIND + 1) !== PAX) return same(headIn(first), [first]);
  const length = numberIn(first, SIZE);
  if (length === 0 || length > 4 * BLOCK) return undefined;
  const record = await read(length + padding(length));
  const own = await read(BLOCK);
  const name = /^\d+ path=(.*)\n$/su.exec(record.toString("utf8", 0, length))?.[1];
  return name === undefined ? undefined : same({ ...headIn(own), name }, [first, record, own]);
}

/** Every byte has to be as we would write it. */
function same(head: Head, blocks: readonly Buffer[]): Head | undefined {
  return Number.isSafeInteger(head.size) && headOf(head).equals(Buffer.concat(blocks)) ? head : undefined;
}

function headIn(of: Buffer): Head {
  const name = of.subarray(NAME[0], NAME[1]);
  const end = name.indexOf(0);
  return {
    name: name.toString("utf8", 0, end < 0 ? name.length : end),
    size: numberIn(of, SIZE),
    time: numberIn(of, TIME),
  };
}

function block(name: Buffer, kind: string, size: number, time: number): Buffer {
  const made = Buffer.alloc(BLOCK);
  name.copy(made, NAME[0], 0, NAME[1]);
  write(made, MODE, 0o600);
  write(made, OWNER, 0);
  write(made, GROUP, 0);
  write(made, SIZE, size);
  write(made, TIME, time);
  made.write(kind, KIND, "latin1");
  made.write("ustar\x0000", MAGIC, "latin1");
  // The sum is over the block with spaces in its own place.
  made.fill(" ", SUM[0], SUM[0] + SUM[1]);
  const sum = made.reduce((total, byte) => total + byte, 0);
  made.write(`${sum.toString(8).padStart(6, "0")}\0 `, SUM[0], "latin1");
  return made;
}

function write(into: Buffer, [at, length]: readonly [number, number], value: number): void {
  if (value <= OCTAL_MAX) into.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  else {
    into.writeUInt8(0x80, at);
    into.writeBigUInt64BE(BigInt(value), at + length - 8);
  }
}

function numberIn(of: Buffer, [at, length]: readonly [number, number]): number {
  if (of[at] === 0x80) return Number(of.readBigUInt64BE(at + length - 8));
  return Number.parseInt(of.toString("latin1", at, at + length - 1), 8);
}

/** Begins with its own length, which counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}
