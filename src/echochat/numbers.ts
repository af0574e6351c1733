/** Whole numbers from 1 on, a bit for each: those of a million messages take 128 KB. */
export interface Numbers {
  add(number: number): void;
  has(number: number): boolean;
}

const BLOCK = 65_536;

export function createNumbers(): Numbers {
  const blocks = new Map<number, Uint8Array>();
  return {
    add(number) {
      const at = Math.floor(number / BLOCK);
      const block = blocks.get(at) ?? new Uint8Array(BLOCK / 8);
      blocks.set(at, block);
      const bit = number - at * BLOCK;
      block[bit >> 3] = (block[bit >> 3] ?? 0) | (1 << (bit & 7));
    },
    has(number) {
      const at = Math.floor(number / BLOCK);
      const bit = number - at * BLOCK;
      return ((blocks.get(at)?.[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
    },
  };
}
