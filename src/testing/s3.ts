/** A private storage that speaks S3, for tests: a program of its own that can be ended, frozen and started again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./postgres.ts";

export interface S3Server {
  /** What a server needs to be told to keep its pictures here. */
  env: Record<
    "S3_BUCKET" | "S3_ENDPOINT" | "S3_REGION" | "S3_ACCESS_KEY_ID" | "S3_SECRET_ACCESS_KEY",
    string
  >;
  /** For looking at what lies in the bucket. */
  client: Bun.S3Client;
  /** The names of what lies in the bucket. */
  names(): string[];
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  /** Starts it again at the same port, with what was in it. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const BUCKET = "pictures";
const START_PATIENCE_MS = 10_000;

/** How it calls the file of what it keeps. */
const OBJECT = "._S3rver_object";

/** It knows one key, and checks every signature. */
const KEY = "S3RVER";

export async function startS3(): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), "echochat-s3-"));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const account = { endpoint, region: "us-east-1", bucket: BUCKET, accessKeyId: KEY, secretAccessKey: KEY };
  const client = new Bun.S3Client(account);
  let child: Bun.Subprocess;

  async function start(): Promise<void> {
    const program = join(import.meta.dir, "s3-program.ts");
    child = Bun.spawn([process.execPath, program, String(port), folder, BUCKET], {
      stdout: "ignore",
      stderr: "inherit",
    });
    const deadline = Date.now() + START_PATIENCE_MS;
    while ((await client.exists("nothing").catch(() => null)) === null) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error("the storage did not start");
      await Bun.sleep(20);
    }
  }

  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await child.exited;
  }

  await start();
  return {
    env: {
      S3_BUCKET: BUCKET,
      S3_ENDPOINT: endpoint,
      S3_REGION: account.region,
      S3_ACCESS_KEY_ID: KEY,
      S3_SECRET_ACCESS_KEY: KEY,
    },
    client,
    names: () =>
      [...new Bun.Glob(`**/*${OBJECT}`).scanSync(join(folder, BUCKET))].map((file) =>
        file.slice(0, -OBJECT.length),
      ),
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
    kill,
    start,
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
