/** WebSocket frames (RFC 6455), no more of them than a chat uses: whole and uncompressed. */

export const TEXT = 1;
export const PING = 9;
const PONG = 10;

export interface Frame {
  opcode: number;
  /** Where its payload begins and, like the frame itself, ends. */
  start: number;
  end: number;
}

/** The server's frame at an offset, or null while more has to come. */
export function frameAt(bytes: Buffer, offset: number): Frame | null {
  if (bytes.length < offset + 2) return null;
  const opcode = (bytes[offset] as number) & 0x0f;
  const size = (bytes[offset + 1] as number) & 0x7f;
  const start = offset + (size === 127 ? 10 : size === 126 ? 4 : 2);
  if (bytes.length < start) return null;
  // Of the eight bytes of the longest form, the last four hold more than anyone sends here.
  const length =
    size === 127 ? bytes.readUInt32BE(start - 4) : size === 126 ? bytes.readUInt16BE(start - 2) : size;
  const end = start + length;
  return end <= bytes.length ? { opcode, start, end } : null;
}

export const textFrame = (text: string): Buffer => clientFrame(TEXT, Buffer.from(text));
export const pongFrame = (payload: Buffer): Buffer => clientFrame(PONG, payload);

/** Shorter than 64 KiB. Masked, as clients must; with a mask of zeros, which changes nothing. */
function clientFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head =
    length < 126 ? [0x80 | opcode, 0x80 | length] : [0x80 | opcode, 0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}
