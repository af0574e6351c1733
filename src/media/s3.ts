/** Pictures in a bucket of S3, or of a storage that speaks like it. Hot ones are kept in memory. */
import { S3Client } from "bun";
import { PicturesAway } from "../accounts/ports.ts";
import { createMemory } from "./memory.ts";
import type { MediaStorage } from "./storage.ts";

export interface S3Account {
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** A page waits for its pictures, and whoever sent one for the answer. Milliseconds. */
const PATIENCE = 2_000;
const WRITE_PATIENCE = 6_000;

/** What could not be removed is tried again after this time. Milliseconds. */
const REMOVAL_PAUSE = 30_000;

const ABSENT = "NoSuchKey";

/** Which variable is wrong when the storage answers with this code; with any other, or none, it is the endpoint. */
const BLAMED: Record<string, string> = {
  AccessDenied: "S3_ACCESS_KEY_ID",
  AuthorizationHeaderMalformed: "S3_REGION",
  IllegalLocationConstraintException: "S3_REGION",
  InvalidAccessKeyId: "S3_ACCESS_KEY_ID",
  InvalidBucketName: "S3_BUCKET",
  InvalidRegionName: "S3_REGION",
  NoSuchBucket: "S3_BUCKET",
  PermanentRedirect: "S3_REGION",
  SignatureDoesNotMatch: "S3_SECRET_ACCESS_KEY",
};

/** Rejects, in one line that names a variable, when pictures cannot be written, read and removed there. */
export async function openS3(account: S3Account, removalPause = REMOVAL_PAUSE): Promise<MediaStorage> {
  const client = new S3Client({ ...account, sessionToken: "" });
  await probe(client, account);

  async function read(name: string): Promise<Blob | null> {
    try {
      return new Blob([await soon(PATIENCE, () => client.file(name).bytes())]);
    } catch (error) {
      if (codeOf(error) === ABSENT) return null;
      throw new PicturesAway("a picture cannot be read", { cause: error });
    }
  }

  const memory = createMemory(read, () => performance.now());

  async function remove(name: string): Promise<void> {
    try {
      await soon(PATIENCE, () => client.delete(name));
      memory.forget(name);
    } catch {
      // Nobody shows it any more, so nobody waits for it to go.
      setTimeout(() => void remove(name), removalPause).unref();
    }
  }

  return {
    async put(name, bytes, type) {
      try {
        await soon(WRITE_PATIENCE, () => client.write(name, bytes, { type }));
      } catch (error) {
        throw new PicturesAway("a picture cannot be stored", { cause: error });
      }
    },

    get: memory.get,
    remove,
  };
}

async function probe(client: S3Client, { endpoint }: S3Account): Promise<void> {
  const trial = `profile_pics/probe-${crypto.randomUUID()}`;
  const read = () => soon(PATIENCE, () => client.file(trial).text());
  try {
    await soon(PATIENCE, () => client.write(trial, trial));
    if ((await read()) !== trial) throw new Error("it does not keep what it is given");
    await soon(PATIENCE, () => client.delete(trial));
  } catch (error) {
    const code = codeOf(error);
    const words = BLAMED[code] ? code : `${code || String(error)} at ${endpoint}`;
    const name = BLAMED[code] ?? "S3_ENDPOINT";
    throw new Error(`${name} is not right: pictures cannot be kept there (${words})`, { cause: error });
  }
  try {
    await read();
  } catch (error) {
    if (codeOf(error) === ABSENT) return;
    const why = "so that a picture that is not there looks like one that it may not read";
    throw new Error(`S3_ACCESS_KEY_ID may not list S3_BUCKET, ${why}`, { cause: error });
  }
}

/** The client itself waits without end. What has no answer may have happened all the same. */
async function soon<T>(patience: number, task: () => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${patience / 1000} s`)), patience);
  try {
    return await Promise.race([task(), promise]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
