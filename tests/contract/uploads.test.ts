import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { expectJson, expectRefused } from "../../src/testing/answers.ts";
import { guest, member, type Answer, type Client } from "../../src/testing/client.ts";
import { bomb, gif, hollowPng, jpeg, png } from "../../src/testing/pictures.ts";
import { makeDataDir, removeDataDir, startProcess, startWorld, type World } from "../../src/testing/world.ts";

const PROFILE = "/api/auth/profile/";
const MiB = 1024 * 1024;
const PATIENT = { UPLOAD_RATE_LIMIT: "1000000" };
const INVALID =
  "Загрузите правильное изображение. Файл, который вы загрузили, поврежден или не является изображением.";

let world: World;
let ann: Client;
beforeAll(async () => {
  world = await startWorld();
  ann = await member(world, "ann");
});
afterAll(() => world.stop());

const upload = (client: Client, username: string, bytes: BlobPart, name = "picture.png") =>
  client.post(PROFILE, { username, image: new File([bytes], name) }, { as: "multipart" });
const errorOf = (answer: Answer) => (answer.json() as { errors: { image: string[] } }).errors.image[0];
const padded = (size: number) => {
  const bytes = new Uint8Array(size);
  bytes.set(png(30, 30));
  return bytes;
};

describe("a hostile file", () => {
  const files: [string, () => Promise<BlobPart>][] = [
    ["a picture of 400 million pixels", async () => bomb(20_000)],
    ["a claim of 2,500 million pixels", async () => hollowPng(50_000, 50_000)],
    ["a claim of more pixels than can be counted", async () => hollowPng(0x7fffffff, 0x7fffffff)],
    ["a picture without a side", async () => hollowPng(0, 100)],
    ["an animation of as many pixels", async () => gif(20_000, 20_000)],
    ["an animation of 100,000 frames", async () => gif(1000, 1000, 100_000)],
    ["HTML", async () => "<!doctype html><script>alert(1)</script>"],
    ["HTML that begins as a GIF does", async () => "GIF89a/*<script>alert(1)</script>*/=1;"],
    ["SVG", async () => '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
    ["XML with an entity", async () => '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'],
    ["half a JPEG", async () => (await jpeg(500, 500)).slice(0, 1000)],
    ["a JPEG whose segments go in circles", async () => new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 0])],
    [
      "15 MB of noise",
      async () => crypto.getRandomValues(Buffer.alloc(65_536)).toString("latin1").repeat(160),
    ],
    [
      "19 MiB of 0xff after the head of a JPEG",
      async () => Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(19 * MiB, 0xff)]),
    ],
  ];
  test.each(files)("is refused in words, soon, and leaves nothing: %s", async (_, make) => {
    const bytes = await make();
    expect((await upload(ann, "ann", bomb(1000))).status).toBe(200);
    const before = stored();
    const startedAt = performance.now();
    const answer = await upload(ann, "ann", bytes);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expectJson(answer, 400, { errors: { image: [INVALID] } });
    expect(stored()).toEqual(before);
  });

  test.each([
    ["4 KB of letters", `${"x".repeat(4096)}.png`],
    ["4 KB of steps up", `${"../".repeat(1365)}.png`],
    ["4 KB of combining marks", `a${"\u0301".repeat(4096)}.png`],
  ])("is refused by a name of %s", async (_, name) => {
    expect(errorOf(await upload(ann, "ann", png(9, 9), name))).toMatch(
      /не более 100 символов \(сейчас \d{4}\)/,
    );
  });

  test.each([
    "../../evil.png",
    "/etc/passwd.png",
    "a\r\nb.png",
    "\u202egnp.png",
    "C:\\x.png",
    "con.png",
    "%00.png",
  ])("is never stored under the name it has: %j", async (name) => {
    expect((await upload(ann, "ann", png(9, 9), name)).status).toBe(200);
    for (const file of stored()) expect(file).toMatch(/^[0-9a-f]{32}(\.64)?\.webp$/);
  });

  test("is never run by who opens it, even if it is a picture as well", async () => {
    const both = Buffer.concat([png(30, 30), Buffer.from("<script>alert(1)</script>")]);
    const answer = await upload(ann, "ann", new Uint8Array(both), "a.html.png");
    const { profileImage } = (answer.json() as { user: { profileImage: string } }).user;
    const shown = await fetch(profileImage);
    expect(shown.headers.get("content-type")).toBe("image/webp");
    expect(shown.headers.get("content-security-policy")).toContain("sandbox");
    expect(await shown.text()).not.toContain("script");
  });
});

describe("too large", () => {
  test("is a file of more than 20 MiB, and not one of 20", async () => {
    expect((await upload(ann, "ann", padded(20 * MiB))).status).toBe(200);
    expectRefused(await upload(ann, "ann", padded(20 * MiB + 1)), 413);
  });

  test("is a form of more than 21 MiB, however it is made up", async () => {
    expectRefused(await upload(ann, "ann", padded(22 * MiB)), 413);
    const form = new FormData();
    for (let i = 0; i < 3; i++) form.append(`file${i}`, new File([new Uint8Array(8 * MiB)], "a.png"));
    const headers = { origin: world.url, "x-csrftoken": ann.cookies.get("csrftoken") ?? "" };
    expectRefused(await ann.request("POST", PROFILE, { headers, body: form }), 413);
  });

  test("is a text of more than 256 KiB in any form", async () => {
    for (const as of ["json", "form", "multipart"] as const) {
      const fields = { username: "ann", bio: "x".repeat(256 * 1024) };
      expectRefused(await ann.post(PROFILE, fields, { as }), 413);
    }
  });

  test("for a guest is whatever is larger than a form without a file", async () => {
    const visitor = await guest(world);
    const headers = { "x-csrftoken": "" };
    const body = { image: new File([png(2000, 2000)], "a.png"), username: "x".repeat(300_000) };
    expectRefused(await visitor.post(PROFILE, body, { as: "multipart", headers }), 413);
    expectRefused(await visitor.post(PROFILE, body, { as: "multipart" }), 401);
  });
});

describe("many uploads at once", () => {
  test("take their turn, two at a time; who stops sending leaves it to the next", async () => {
    const stalled = [stall(ann), stall(ann)];
    await Bun.sleep(200);
    let answered = false;
    const waiting = upload(ann, "ann", padded(MiB)).finally(() => (answered = true));
    await Bun.sleep(300);
    expect(answered).toBe(false);
    expect((await upload(ann, "ann", png(30, 30))).status).toBe(200);
    stalled[0]?.destroy();
    expect((await waiting).status).toBe(200);
    stalled[1]?.destroy();
    expect((await upload(ann, "ann", padded(MiB))).status).toBe(200);
  });

  const STATUS = "/proc/self/status";
  test.skipIf(!existsSync(STATUS))("never need more memory than two of them", async () => {
    const dataDir = makeDataDir();
    const server = await startProcess(dataDir, PATIENT);
    try {
      const people = await Promise.all(
        ["ann", "bob", "eve", "ida"].map(async (name) => [name, await member(server, name)] as const),
      );
      const every = (bytes: BlobPart, times: number) =>
        Promise.all(
          people.flatMap(([name, client]) =>
            Array.from({ length: times }, () => upload(client, name, bytes)),
          ),
        );
      const before = residentMiB(server.pid);
      const noise = crypto.getRandomValues(Buffer.alloc(65_536)).toString("latin1").repeat(100);
      for (const { status } of await every(noise, 3)) expect(status).toBe(400);
      for (const { status } of await every(bomb(20_000), 2)) expect(status).toBe(400);
      for (const { status } of await every(gif(1000, 1000, 100_000), 2)) expect(status).toBe(400);
      expect(peakMiB(server.pid) - before).toBeLessThan(250);
      for (const { status } of await every(png(5000, 5000), 2)) expect(status).toBe(200);
      expect(peakMiB(server.pid) - before).toBeLessThan(400);
    } finally {
      await server.stop();
      removeDataDir(dataDir);
    }
  });
});

function stored(): string[] {
  return readdirSync(join(world.dataDir, "media/profile_pics"));
}

/** Begins a large upload and never ends it. */
function stall(client: Client): Socket {
  const { hostname, port, host } = new URL(world.url);
  const lines = [
    `POST ${PROFILE} HTTP/1.1`,
    `host: ${host}`,
    `origin: ${world.url}`,
    `cookie: ${client.cookieHeader()}`,
    `x-csrftoken: ${client.cookies.get("csrftoken")}`,
    "content-type: multipart/form-data; boundary=x",
    `content-length: ${MiB}`,
  ];
  return connect({ host: hostname, port: Number(port) }, function (this: Socket) {
    this.write(`${lines.join("\r\n")}\r\n\r\n--x\r\n`);
  });
}

function residentMiB(pid: number): number {
  return memoryOf(pid, "VmRSS");
}

/** The most that it ever was. */
function peakMiB(pid: number): number {
  return memoryOf(pid, "VmHWM");
}

function memoryOf(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
}
