/** Files that are pictures, or claim to be. */
import { crc32, deflateSync } from "node:zlib";

type Bytes = Uint8Array<ArrayBuffer>;

/** A plain picture of one colour: small as a file, however large it is. */
export function png(width: number, height: number, [red, green, blue] = [200, 40, 90]): Bytes {
  const row = Buffer.alloc(1 + width * 3);
  for (let x = 0; x < width; x++) row.set([red ?? 0, green ?? 0, blue ?? 0], 1 + x * 3);
  return pngOf(width, height, deflateSync(Buffer.concat(Array<Buffer>(height).fill(row))));
}

/** Says that it is so large, and has next to nothing in it. */
export function hollowPng(width: number, height: number): Bytes {
  return pngOf(width, height, deflateSync(Buffer.alloc(100)));
}

/** Black and white: some kilobytes that unfold to four bytes for each pixel. */
export function bomb(side: number): Bytes {
  return pngOf(side, side, deflateSync(Buffer.alloc((1 + Math.ceil(side / 8)) * side)), BLACK_AND_WHITE);
}

export async function jpeg(width: number, height: number): Promise<Bytes> {
  return new Uint8Array(await new Bun.Image(png(width, height)).jpeg().bytes());
}

export async function webp(width: number, height: number): Promise<Bytes> {
  return new Uint8Array(await new Bun.Image(png(width, height)).webp().bytes());
}

/** A photograph as a camera makes it: turned on its side, with a place and a maker in it. */
export async function photograph(width: number, height: number): Promise<Bytes> {
  const plain = Buffer.from(await jpeg(width, height));
  const tiff = Buffer.from("4d4d002a00000008000101120003000000010006000000000000", "hex");
  const exif = Buffer.concat([Buffer.from("Exif\0\0"), tiff, Buffer.from(SECRET)]);
  const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, exif.length + 2]), exif]);
  return new Uint8Array(Buffer.concat([plain.subarray(0, 2), segment, plain.subarray(2)]));
}

/** What a photograph tells of whoever took it. */
export const SECRET = "52.5200 N 13.4050 E, taken by Ann's camera";

/** An animation of so many frames, each of which says that it is so large. */
export function gif(width: number, height: number, frames = 1): Bytes {
  const frame = Buffer.from("2c0000000000000000000202440100", "hex");
  frame.writeUInt16LE(width, 5);
  frame.writeUInt16LE(height, 7);
  const head = Buffer.from("47494638396100000000800000000000ffffff", "hex");
  head.writeUInt16LE(width, 6);
  head.writeUInt16LE(height, 8);
  return new Uint8Array(Buffer.concat([head, ...Array<Buffer>(frames).fill(frame), Buffer.from([0x3b])]));
}

export function bmp(side: number): Bytes {
  const bytes = Buffer.alloc(54 + side * side * 4);
  bytes.write("BM");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(side, 18);
  bytes.writeInt32LE(side, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(32, 28);
  return new Uint8Array(bytes);
}

/** Bits of a sample, and whether there is one for a pixel or three. */
const BLACK_AND_WHITE = [1, 0];
const COLOURED = [8, 2];

function pngOf(width: number, height: number, data: Buffer, kind = COLOURED): Bytes {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(kind, 8);
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  const chunks = [chunkOf("IHDR", header), chunkOf("IDAT", data), chunkOf("IEND", Buffer.alloc(0))];
  return new Uint8Array(Buffer.concat([signature, ...chunks]));
}

function chunkOf(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, sum]);
}
