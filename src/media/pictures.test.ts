import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { smallAvatar } from "../shared/media.ts";
import { bmp, gif, hollowPng, jpeg, photograph, png, SECRET, webp } from "../testing/pictures.ts";
import { makeDataDir, removeDataDir } from "../testing/world.ts";
import { openDisk } from "./disk.ts";
import { createPictures } from "./pictures.ts";

const folder = makeDataDir();
const pictures = createPictures(await openDisk(folder), (what, error) => {
  throw new Error(what, { cause: error });
});
afterAll(() => removeDataDir(folder));

describe("a picture that is kept", () => {
  test.each([
    ["PNG", async () => png(300, 200)],
    ["JPEG", () => jpeg(300, 200)],
    ["WebP", () => webp(300, 200)],
    ["GIF", async () => gif(300, 200)],
    ["GIF of many frames", async () => gif(300, 200, 100)],
    ["BMP", async () => bmp(200)],
  ])("may be a %s, and becomes WebP", async (_, make) => {
    const path = await kept(await make());
    expect(path).toMatch(/^profile_pics\/[0-9a-f]{32}\.webp$/);
    for (const size of [path, smallAvatar(path)]) expect((await opened(size)).type).toBe("image/webp");
  });

  test.each([
    ["wide", 1000, 500, [512, 256], [128, 64]],
    ["high", 500, 1000, [256, 512], [64, 128]],
    ["small", 40, 30, [40, 30], [40, 30]],
    ["between the two", 100, 100, [100, 100], [64, 64]],
    ["very long", 9000, 300, [1024, 34], [256, 9]],
    ["a line", 1, 20_000, [1, 1024], [1, 256]],
    ["as large as may be", 5000, 5000, [256, 256], [64, 64]],
  ])("that is %s is never enlarged, and bounded both ways", async (_, width, height, large, small) => {
    const path = await kept(png(width, height));
    expect(await sizeOf(path)).toEqual(large);
    expect(await sizeOf(smallAvatar(path))).toEqual(small);
  });

  test("stands upright and tells nothing of where and with what it was taken", async () => {
    const taken = await photograph(600, 400);
    expect(Buffer.from(taken).includes(SECRET)).toBe(true);
    const path = await kept(taken);
    expect(await sizeOf(path)).toEqual([256, 384]);
    for (const size of [path, smallAvatar(path)]) {
      const bytes = Buffer.from(await (await opened(size)).content.bytes());
      expect(bytes.includes(SECRET)).toBe(false);
      expect(bytes.includes("EXIF")).toBe(false);
    }
  });

  test("leaves no other file behind, and none when it is nobody's any more", async () => {
    const before = files();
    const path = await kept(png(300, 200));
    expect(files()).toHaveLength(before.length + 2);
    await pictures.discard(path);
    await pictures.discard(path);
    expect(files()).toEqual(before);
    expect(await pictures.open(path)).toBeNull();
  });
});

describe("what is no picture", () => {
  test.each([
    ["nothing", async () => new Uint8Array()],
    ["HTML", async () => bytesOf("<!doctype html><script>alert(1)</script>")],
    ["SVG", async () => bytesOf('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>')],
    ["a JPEG that is cut off", async () => cut(await jpeg(300, 200), 0.5)],
    ["a JPEG without its end", async () => cut(await jpeg(300, 200), 0.999)],
    ["a PNG that is cut off", async () => cut(png(300, 200), 0.5)],
    ["a PNG without its end", async () => png(300, 200).slice(0, -12)],
    ["a GIF that is cut off", async () => cut(gif(300, 200), 0.8)],
    ["a GIF without its end", async () => gif(300, 200).slice(0, -1)],
    ["a WebP that is cut off", async () => cut(await webp(300, 200), 0.5)],
    ["a BMP that is cut off", async () => cut(bmp(100), 0.5)],
    ["a PNG with nothing in it", async () => hollowPng(300, 200)],
    ["the head of a PNG alone", async () => png(300, 200).slice(0, 33)],
    ["an AVIF", async () => bytesOf("\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf")],
  ])("is refused: %s", async (_, make) => {
    const before = files();
    expect(await pictures.keep(await make())).toEqual({ fault: "unreadable" });
    expect(files()).toEqual(before);
  });

  test.each([
    ["one row more than may be", hollowPng(5000, 5001)],
    ["a thousand million", hollowPng(50_000, 50_000)],
    ["a GIF of as many", gif(50_000, 50_000)],
    ["a GIF whose frames are as many", gif(1000, 1000, 1000)],
  ])("nor what has too many pixels: %s", async (_, bytes) => {
    expect(await pictures.keep(bytes)).toEqual({ fault: "too_many_pixels" });
  });

  test("is refused whatever it is made of", async () => {
    const whole = [png(30, 20), await jpeg(30, 20), gif(30, 20), await webp(30, 20), bmp(9)];
    const damaged = fc.tuple(fc.constantFrom(...whole), fc.nat(), fc.uint8Array({ maxLength: 20 }));
    await fc.assert(
      fc.asyncProperty(damaged, async ([bytes, at, noise]) => {
        const changed = new Uint8Array([...bytes.slice(0, at % bytes.length), ...noise]);
        const result = await pictures.keep(changed);
        if ("path" in result) await pictures.discard(result.path);
        else expect(result.fault).toBeOneOf(["unreadable", "too_many_pixels"]);
      }),
      { numRuns: 200 },
    );
  });
});

describe("opening", () => {
  test("finds what was imported, by what it is and not by what it is called", async () => {
    writeFileSync(join(folder, "profile_pics/meme2.jpg"), png(10, 10));
    writeFileSync(join(folder, "profile_pics/page.png"), "<script>alert(1)</script>");
    expect((await opened("profile_pics/meme2.jpg")).type).toBe("image/png");
    expect(await pictures.open("profile_pics/page.png")).toBeNull();
  });

  test("finds nothing elsewhere", async () => {
    writeFileSync(join(folder, "outside.png"), png(10, 10));
    writeFileSync(join(folder, "profile_pics/.hidden.png"), png(10, 10));
    writeFileSync(join(folder, "profile_pics/half.webp.tmp"), await webp(10, 10));
    for (const path of [
      "outside.png",
      "profile_pics/../outside.png",
      "profile_pics/.hidden.png",
      "profile_pics/half.webp.tmp",
      "profile_pics/",
      "profile_pics/meme2.jpg\0",
      "profile_pics/nothing.webp",
      join(folder, "outside.png"),
      "",
    ]) {
      expect(await pictures.open(path)).toBeNull();
    }
  });

  test("and giving up take away nothing elsewhere", async () => {
    writeFileSync(join(folder, "default.jpg"), png(10, 10));
    for (const path of ["default.jpg", "profile_pics/../outside.png", "../x"]) await pictures.discard(path);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(["default.jpg", "outside.png"]));
  });
});

async function kept(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const result = await pictures.keep(bytes);
  if ("fault" in result) throw new Error(`refused: ${result.fault}`);
  return result.path;
}

async function opened(path: string) {
  const found = await pictures.open(path);
  if (!found) throw new Error(`there is no ${path}`);
  return found;
}

async function sizeOf(path: string): Promise<number[]> {
  const { width, height } = await new Bun.Image(await (await opened(path)).content.bytes()).metadata();
  return [width, height];
}

function files(): string[] {
  return readdirSync(join(folder, "profile_pics"));
}

function cut(bytes: Uint8Array<ArrayBuffer>, share: number): Uint8Array<ArrayBuffer> {
  return bytes.slice(0, Math.floor(bytes.length * share));
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "latin1"));
}
