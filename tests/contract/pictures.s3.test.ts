import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectJson } from "../../src/testing/answers.ts";
import { member, PASSWORD, stranger, type Answer, type Client } from "../../src/testing/client.ts";
import { png } from "../../src/testing/pictures.ts";
import { startS3, type S3Server } from "../../src/testing/s3.ts";
import {
  failToStart,
  makeDataDir,
  removeDataDir,
  startWorld,
  type Environment,
  type World,
} from "../../src/testing/world.ts";

const PROFILE = "/api/auth/profile/";

let storage: S3Server;
const folder = makeDataDir();
beforeAll(async () => {
  storage = await startS3();
});
afterAll(async () => {
  await storage.stop();
  removeDataDir(folder);
});

const send = (client: Client, username: string, fields: Record<string, string> = {}) =>
  client.post(
    PROFILE,
    { username, ...fields, image: new File([png(300, 200)], "a.png") },
    { as: "multipart" },
  );
const pictureOf = (answer: Answer) =>
  new URL((answer.json() as { user: { profileImage: string } }).user.profileImage).pathname;
const small = (path: string) => path.replace(".webp", ".64.webp");
const shownAt = ({ url }: World, path: string) => fetch(url + path);

/** What a reader sees of it, but for the moment. */
async function whole(answer: Response) {
  const { date, ...headers } = Object.fromEntries(answer.headers);
  expect(date).toBeString();
  return { status: answer.status, headers, bytes: Buffer.from(await answer.bytes()) };
}

const places: [string, () => Environment][] = [
  ["in the data folder", () => ({})],
  ["in a folder that nodes share", () => ({ MEDIA_DIR: join(folder, "shared/media") })],
  ["on S3", () => storage.env],
];

describe.each(places)("a picture that is kept %s", (_, envOf) => {
  let world: World;
  let ann: Client;
  beforeAll(async () => {
    world = await startWorld(envOf());
    ann = await member(world, "ann");
  });
  afterAll(() => world.stop());

  test("is shown in both sizes, to everybody, with the same headers wherever it lies", async () => {
    const path = pictureOf(await send(ann, "ann"));
    for (const size of [path, small(path)]) {
      const { status, headers, bytes } = await whole(await shownAt(world, size));
      expect({ status, headers }).toEqual({
        status: 200,
        headers: {
          "cache-control": "public, max-age=2592000, immutable",
          "content-disposition": "inline",
          "content-length": String(bytes.length),
          "content-security-policy": "sandbox; default-src 'none'",
          "content-type": "image/webp",
          "cross-origin-opener-policy": "same-origin",
          "referrer-policy": "same-origin",
          "x-content-type-options": "nosniff",
          "x-frame-options": "DENY",
        },
      });
      expect((await new Bun.Image(bytes).metadata()).format).toBe("webp");
    }
  });

  test("goes when another takes its place, and with the account", async () => {
    const first = pictureOf(await send(ann, "ann"));
    expect((await shownAt(world, first)).status).toBe(200);
    const second = pictureOf(await send(ann, "ann"));
    for (const path of [first, small(first)]) expect((await shownAt(world, path)).status).toBe(404);
    expect((await shownAt(world, second)).status).toBe(200);
    const bob = await member(world, "bob");
    const his = pictureOf(await send(bob, "bob"));
    expect((await shownAt(world, his)).status).toBe(200);
    await bob.submit("/profile", { password: PASSWORD, confirmation: "bob" });
    for (const path of [his, small(his)]) expect((await shownAt(world, path)).status).toBe(404);
  });

  test("is not another's that was never there, nor what is no picture", async () => {
    for (const name of [`${"0".repeat(32)}.webp`, "nothing.png", ".hidden.png", "..%2f..%2fsecret.key"])
      expect((await shownAt(world, `/media/profile_pics/${name}`)).status).toBe(404);
  });
});

test.each(places.slice(1))("a picture that is kept %s is shown by another node too", async (_, envOf) => {
  const [here, there] = [await startWorld(envOf()), await startWorld(envOf())];
  const path = pictureOf(await send(await member(here, "ann"), "ann"));
  expect(await whole(await shownAt(there, path))).toEqual(await whole(await shownAt(here, path)));
  await Promise.all([here.stop(), there.stop()]);
});

describe("while the storage is away", () => {
  let world: World;
  let ann: Client;
  let path: string;
  beforeEach(async () => {
    world = await startWorld(storage.env);
    ann = await member(world, "ann");
    path = pictureOf(await send(ann, "ann"));
  });
  afterEach(() => world.stop());

  /** The operator is told what happened, and never a secret. */
  function expectToldOf(what: string) {
    const errors = world.takeErrors();
    expect(errors.filter((line) => line.includes(what))).not.toEqual([]);
    for (const line of errors) expect(line).not.toContain(storage.env.S3_SECRET_ACCESS_KEY);
  }

  test("a new picture is refused in words, and the profile stays as it was", async () => {
    await storage.kill();
    expectJson(await send(ann, "ann", { bio: "new" }), 503, {
      errors: { image: ["Сейчас изображение сохранить нельзя. Попробуйте чуть позже."] },
    });
    expectToldOf("picture not stored");
    const { user } = (await ann.get(PROFILE)).json() as { user: { bio: string; profileImage: string } };
    expect([user.bio, new URL(user.profileImage).pathname]).toEqual(["", path]);
    expect((await ann.post(PROFILE, { username: "ann", bio: "new" })).status).toBe(200);
    await storage.start();
    expect((await shownAt(world, path)).status).toBe(200);
    const next = pictureOf(await send(ann, "ann"));
    expect((await shownAt(world, next)).status).toBe(200);
  });

  test("the page says so too, and keeps what was typed", async () => {
    await storage.kill();
    const page = await ann.post(
      "/profile",
      { username: "ann", bio: "what I typed", image: new File([png(30, 30)], "a.png") },
      { as: "multipart", headers: { accept: "text/html", "accept-language": "en" } },
    );
    expect(page.status).toBe(503);
    expect(page.text).toContain("Pictures cannot be stored right now. Try again soon.");
    expect(page.text).toContain("what I typed");
    expectToldOf("picture not stored");
    await storage.start();
  });

  test("one that was just looked at is still shown; of another it is said that it cannot be shown now", async () => {
    expect((await shownAt(world, path)).status).toBe(200);
    await storage.kill();
    expect((await shownAt(world, path)).status).toBe(200);
    const other = await shownAt(world, small(path));
    expect([other.status, other.headers.get("cache-control")]).toEqual([
      503,
      expect.stringContaining("no-store"),
    ]);
    expectToldOf("a picture cannot be read");
    expect((await ann.get("/profile")).status).toBe(200);
    await storage.start();
    expect((await shownAt(world, small(path))).status).toBe(200);
  });

  test("an account can still be closed", async () => {
    await storage.kill();
    const left = await ann.submit("/profile", { password: PASSWORD, confirmation: "ann" });
    expect(left.status).toBe(303);
    await storage.start();
    expect((await stranger(world).login("ann")).status).not.toBe(200);
  });
});

describe("the program does not start, and says in one line why,", () => {
  const closed = "http://127.0.0.1:1";
  test.each([
    ["S3_ENDPOINT", { S3_ENDPOINT: closed }],
    ["S3_BUCKET", { S3_BUCKET: "another" }],
    ["S3_ACCESS_KEY_ID", { S3_ACCESS_KEY_ID: "another-key" }],
    ["S3_SECRET_ACCESS_KEY", { S3_SECRET_ACCESS_KEY: "another-secret" }],
    ["S3_SECRET_ACCESS_KEY", { S3_SECRET_ACCESS_KEY: "" }],
    ["MEDIA_DIR", { MEDIA_DIR: "/media" }],
  ])("with a wrong %s", async (name, wrong) => {
    await expectNoStart({ ...storage.env, ...wrong }, name);
  });

  test("with a storage that says nothing", async () => {
    storage.freeze();
    try {
      await expectNoStart(storage.env, "S3_ENDPOINT");
    } finally {
      storage.thaw();
    }
  });

  test("with a folder that cannot be one", async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "file"), "");
    await expectNoStart({ MEDIA_DIR: join(folder, "file/media") }, "MEDIA_DIR");
  });

  async function expectNoStart(env: Environment, name: string): Promise<void> {
    const dataDir = makeDataDir();
    const startedAt = performance.now();
    const { code, output } = await failToStart(dataDir, env);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect({ code, lines: output.trim().split("\n") }).toEqual({
      code: 1,
      lines: [expect.stringMatching(new RegExp(`^EchoChat cannot start: ${name} `))],
    });
    expect(output).not.toMatch(/another-/);
    removeDataDir(dataDir);
  }
});
