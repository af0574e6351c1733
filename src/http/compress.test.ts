import { describe, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { acceptedEncoding, compress, encodings } from "./compress.ts";

const TEXT = "привет, hello! ".repeat(100);

describe("the encoding of an answer", () => {
  test.each([
    ["gzip, deflate, br, zstd", "br"],
    ["gzip, deflate", "gzip"],
    ["br;q=0.1, gzip;q=1", "br"],
    ["BR", "br"],
    ["GZip ; q=0.5", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["br; q=0, gzip; q=0", "identity"],
    ["br;q=0.0,gzip;q=0.000", "identity"],
    ["br ; q=0 , gzip", "gzip"],
    ["br;q=0.001", "br"],
    ["gzip;q=0", "identity"],
    ["deflate", "identity"],
    ["identity", "identity"],
    ["", "identity"],
    ["x-gzip, brotli", "identity"],
    ["gzipped", "identity"],
  ] as const)("for %j is %s", (accepted, encoding) => {
    expect(
      acceptedEncoding(new Request("http://localhost/", { headers: { "accept-encoding": accepted } })),
    ).toBe(encoding);
  });

  test("for those who accept nothing in particular is none", () => {
    expect(acceptedEncoding(new Request("http://localhost/"))).toBe("identity");
  });
});

describe("a body", () => {
  test("is the same text in every encoding", () => {
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const body = encodings(TEXT, 5);
    expect(decode(body.in("identity"))).toBe(TEXT);
    expect(decode(brotliDecompressSync(body.in("br")))).toBe(TEXT);
    expect(decode(gunzipSync(body.in("gzip")))).toBe(TEXT);
    expect(decode(brotliDecompressSync(compress(TEXT, "br", 11)))).toBe(TEXT);
    expect(decode(compress("", "identity", 5))).toBe("");
  });

  test("is compressed once, and is smaller then", () => {
    const body = encodings(TEXT, 5);
    expect(body.in("br")).toBe(body.in("br"));
    expect(body.in("gzip")).toBe(body.in("gzip"));
    expect(body.in("br").length).toBeLessThan(body.in("identity").length / 2);
    expect(body.in("gzip").length).toBeLessThan(body.in("identity").length / 2);
  });

  test("has a quoted tag that changes with the text and the encoding", () => {
    const body = encodings(TEXT, 5);
    expect(body.etag("br")).toMatch(/^"[\w-]+"$/);
    expect(encodings(TEXT, 5).etag("br")).toBe(body.etag("br"));
    expect(encodings(`${TEXT}.`, 5).etag("br")).not.toBe(body.etag("br"));
    expect(body.etag("gzip")).not.toBe(body.etag("br"));
  });
});
