/**
 * Whether a file is a picture to its end. The decoder fills what is missing with grey, so that half an upload would pass
 * for a whole one.
 */

export type PictureType = "image/jpeg" | "image/png" | "image/gif" | "image/webp" | "image/bmp";

/** By the first bytes, as browsers and the decoder tell; null for anything else. */
export function pictureType(head: Uint8Array): PictureType | null {
  const text = String.fromCharCode(...head.subarray(0, 12));
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (/^GIF8[79]a/.test(text)) return "image/gif";
  if (/^RIFF.{4}WEBP/s.test(text)) return "image/webp";
  return text.startsWith("BM") ? "image/bmp" : null;
}

export function isWhole(bytes: Uint8Array): boolean {
  switch (pictureType(bytes)) {
    case "image/jpeg":
      return jpegEnds(bytes);
    case "image/png":
      return pngEnds(bytes);
    case "image/gif":
      return readGif(bytes).ends;
    case "image/webp":
    case "image/bmp":
      return true; // the decoder refuses these itself
    case null:
      return false;
  }
}

const JPEG_END = 0xd9;
const JPEG_SCAN = 0xda;

/** Segments have a length, and the data of a scan goes on to the next marker that is neither stuffing nor a restart. */
function jpegEnds(bytes: Uint8Array): boolean {
  let at = 2;
  while (at + 1 < bytes.length) {
    const marker = bytes[at] === 0xff ? bytes[at + 1] : undefined;
    if (marker === JPEG_END) return true;
    if (marker === undefined || marker === 0xff) at += 1;
    else at = marker === JPEG_SCAN ? endOfScan(bytes, at + 2) : at + 2 + bigEndian(bytes, at + 2);
  }
  return false;
}

function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 1 < bytes.length; at++) {
    if (bytes[at] !== 0xff) continue;
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  return bytes.length;
}

function pngEnds(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 8;
  while (at + 12 <= bytes.length) {
    if (view.getUint32(at + 4) === PNG_END) return true;
    at += 12 + view.getUint32(at);
  }
  return false;
}

const PNG_END = 0x49454e44; // "IEND"

/** The pixels of all frames together: a small file may have thousands of large ones. */
export function framePixels(bytes: Uint8Array): number {
  return pictureType(bytes) === "image/gif" ? readGif(bytes).pixels : 0;
}

const GIF_END = 0x3b;
const GIF_EXTENSION = 0x21;
const GIF_FRAME = 0x2c;

/** Blocks of blocks, each with its length in one byte; colour tables have their size in three bits. */
function readGif(bytes: Uint8Array): { ends: boolean; pixels: number } {
  let at = 13 + tableSize(bytes[10] ?? 0);
  let pixels = 0;
  while (at < bytes.length) {
    const block = bytes[at];
    if (block === GIF_EXTENSION) at = afterBlocks(bytes, at + 2);
    else if (block === GIF_FRAME) {
      pixels += littleEndian(bytes, at + 5) * littleEndian(bytes, at + 7);
      at = afterBlocks(bytes, at + 11 + tableSize(bytes[at + 9] ?? 0));
    } else return { ends: block === GIF_END, pixels };
  }
  return { ends: false, pixels };
}

function afterBlocks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== 0) at += 1 + (bytes[at] ?? 0);
  return at + 1;
}

function tableSize(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

function bigEndian(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 1] ?? 0) << 8) | (bytes[at] ?? 0);
}
