/** Marks made with the server's secret key: what carries one was made here. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Seal } from "../chat/ports.ts";

/** 128 bits: far beyond guessing, and short enough for a link that people read out. */
const MARK_BYTES = 16;

export function createSeal(secretKey: string): Seal {
  const digest = (text: string) =>
    createHmac("sha256", secretKey).update(text).digest().subarray(0, MARK_BYTES);
  return {
    mark: (text) => digest(text).toString("base64url"),
    matches(text, mark) {
      const given = Buffer.from(mark, "base64url");
      return given.length === MARK_BYTES && timingSafeEqual(given, digest(text));
    },
  };
}
