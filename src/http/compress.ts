/** Bodies in the encodings that browsers ask for. */
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { memo } from "./memo.ts";

export type Encoding = "br" | "gzip" | "identity";

/** A body and its compressed forms, each made when first asked for and then kept. */
export interface Encoded {
  /** Differs by encoding: the bytes do. */
  etag(encoding: Encoding): string;
  in(encoding: Encoding): Uint8Array<ArrayBuffer>;
}

/** `quality` is brotli's, 0 to 11. */
export function encodings(text: string, quality: number): Encoded {
  const identity = new TextEncoder().encode(text);
  const kept = new Map<Encoding, Uint8Array<ArrayBuffer>>([["identity", identity]]);
  const hash = Bun.hash(identity).toString(36);
  return {
    etag: (encoding) => `"${hash}-${encoding}"`,
    in(encoding) {
      const known = kept.get(encoding);
      if (known) return known;
      const made = encoding === "br" ? brotli(identity, quality) : new Uint8Array(gzipSync(identity));
      kept.set(encoding, made);
      return made;
    },
  };
}

/** The best of our encodings that the client accepts. */
export function acceptedEncoding(request: Request): Encoding {
  return bestOf(request.headers.get("accept-encoding") ?? "");
}

const bestOf = memo((accepted): Encoding => {
  if (accepts(accepted, "br")) return "br";
  return accepts(accepted, "gzip") ? "gzip" : "identity";
});

export function compress(text: string, encoding: Encoding, quality: number): Uint8Array<ArrayBuffer> {
  return encodings(text, quality).in(encoding);
}

function brotli(bytes: Uint8Array, quality: number): Uint8Array<ArrayBuffer> {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
  };
  return new Uint8Array(brotliCompressSync(bytes, { params }));
}

function accepts(header: string, encoding: string): boolean {
  return header.split(",").some((item) => {
    const [name, ...parameters] = item
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
