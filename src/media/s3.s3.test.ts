import { afterAll, beforeAll, expect, test } from "bun:test";
import { PicturesAway } from "../accounts/ports.ts";
import { startS3, type S3Server } from "../testing/s3.ts";
import { openS3, type S3Account } from "./s3.ts";
import type { MediaStorage } from "./storage.ts";

const NAME = "profile_pics/a.webp";
const BYTES = new Uint8Array([1, 2, 3]);
const REMOVAL_PAUSE = 50;

let server: S3Server;
let account: S3Account;
let storage: MediaStorage;

beforeAll(async () => {
  server = await startS3();
  account = {
    endpoint: server.env.S3_ENDPOINT,
    region: server.env.S3_REGION,
    bucket: server.env.S3_BUCKET,
    accessKeyId: server.env.S3_ACCESS_KEY_ID,
    secretAccessKey: server.env.S3_SECRET_ACCESS_KEY,
  };
  storage = await openS3(account, REMOVAL_PAUSE);
});
afterAll(() => server.stop());

test("the look at it at the start leaves nothing behind", () => {
  expect(server.names()).toEqual([]);
});

test("what is put there is there, until it is removed; twice does no harm", async () => {
  expect(await storage.get(NAME)).toBeNull();
  await storage.put(NAME, BYTES, "image/webp");
  expect(await (await storage.get(NAME))?.bytes()).toEqual(BYTES);
  expect((await server.client.file(NAME).stat()).type).toBe("image/webp");
  for (let n = 0; n < 2; n++) await storage.remove(NAME);
  expect(await storage.get(NAME)).toBeNull();
});

test("another node sees it, and has it for a while", async () => {
  const other = await openS3(account);
  await storage.put(NAME, BYTES, "image/webp");
  expect(await (await other.get(NAME))?.bytes()).toEqual(BYTES);
  await server.kill();
  expect(await (await other.get(NAME))?.bytes()).toEqual(BYTES);
  expect(await storage.get(NAME).catch((error: unknown) => error)).toBeInstanceOf(PicturesAway);
  await server.start();
  await storage.remove(NAME);
});

test("what is removed while it is away goes when it is back", async () => {
  await storage.put(NAME, BYTES, "image/webp");
  await server.kill();
  await storage.remove(NAME);
  expect(server.names()).toEqual([NAME]);
  await server.start();
  const deadline = performance.now() + 20_000;
  while (server.names().length > 0 && performance.now() < deadline) await Bun.sleep(10);
  expect(server.names()).toEqual([]);
});

test("what has no answer is given up after some seconds", async () => {
  await storage.put(NAME, BYTES, "image/webp");
  server.freeze();
  const startedAt = performance.now();
  try {
    for (const failed of await Promise.all([
      storage.get(NAME).catch((error: unknown) => error),
      storage.put("profile_pics/b.webp", BYTES, "image/webp").catch((error: unknown) => error),
    ])) {
      expect(failed).toBeInstanceOf(PicturesAway);
    }
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  } finally {
    server.thaw();
  }
  expect(await (await storage.get(NAME))?.bytes()).toEqual(BYTES);
});

test.each([
  ["S3_BUCKET", { bucket: "another" }],
  ["S3_ACCESS_KEY_ID", { accessKeyId: "another-key" }],
  ["S3_SECRET_ACCESS_KEY", { secretAccessKey: "another-secret" }],
  ["S3_ENDPOINT", { endpoint: "http://127.0.0.1:1" }],
  ["S3_ENDPOINT", { endpoint: "http://storage.invalid" }],
] as const)("a wrong %s is named in one line, without a secret: %j", async (name, wrong) => {
  const complaint = await openS3({ ...account, ...wrong }).catch(
    (error: unknown) => (error as Error).message,
  );
  expect(complaint).toStartWith(`${name} is not right`);
  expect(complaint).not.toMatch(/[\r\n]|another-/);
});

test("an endpoint that says nothing is given up after some seconds", async () => {
  server.freeze();
  const startedAt = performance.now();
  const complaint = await openS3(account).catch((error: unknown) => (error as Error).message);
  server.thaw();
  expect(complaint).toStartWith("S3_ENDPOINT is not right");
  expect(performance.now() - startedAt).toBeLessThan(8_000);
});

test("an endpoint that is something else is not taken for a storage", async () => {
  using page = Bun.serve({ port: 0, fetch: () => new Response("<!doctype html>") });
  const complaint = await openS3({ ...account, endpoint: `http://127.0.0.1:${page.port}` }).catch(
    (error: unknown) => (error as Error).message,
  );
  expect(complaint).toStartWith("S3_ENDPOINT is not right");
});
