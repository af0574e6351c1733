/** Takes a backup while everything goes on. */
import type { Snapshot, SnapshotSource } from "../db/snapshot/facts.ts";
import type { MediaStorage } from "../media/storage.ts";
import { createArchive, type Archive } from "./archive.ts";
import { DATABASE, FORMAT, memberOf, sizesOf, type Manifest } from "./manifest.ts";

/** How often it is tried to have every picture of the database's moment. */
const ATTEMPTS = 3;

export interface Taking {
  file: string;
  source: SnapshotSource;
  storage: MediaStorage;
  program: string;
  now: number;
}

export type Taken = Omit<Manifest, "members"> & { size: number; pictures: number };

export async function takeBackup(taking: Taking): Promise<Taken> {
  for (let left = ATTEMPTS; ; left -= 1) {
    const archive = await createArchive(taking.file, taking.now);
    try {
      const { manifest, pictures, isWhole } = await fill(archive, taking);
      if (isWhole || left === 1) return { ...manifest, pictures, size: await archive.finish(manifest) };
    } finally {
      await archive.close();
    }
  }
}

/**
 * Pictures come before the database, for one that is replaced afterwards is gone from the storage but not from the copy; and
 * after it come those that were new in it. What was both new and gone in between makes another attempt.
 */
async function fill(archive: Archive, { source, storage, program, now }: Taking) {
  const kept = new Set<string>();

  /** Answers with those that are not there. */
  async function keep(paths: readonly string[]): Promise<string[]> {
    const absent: string[] = [];
    for (const path of paths.flatMap(sizesOf).filter((name) => !kept.has(name))) {
      const picture = await storage.get(path);
      if (!picture) absent.push(path);
      else {
        await archive.add(memberOf(path), picture.stream());
        kept.add(path);
      }
    }
    return absent;
  }

  await keep(await source.pictures());
  let facts: Snapshot["facts"] | undefined;
  let absent: string[] = [];
  await source.take(async (snapshot) => {
    await archive.add(DATABASE[snapshot.facts.kind], snapshot.content);
    absent = await keep(snapshot.pictures);
    ({ facts } = snapshot);
  });
  if (!facts) throw new Error("nothing was copied");
  const wanted = absent.length === 0 ? [] : (await source.pictures()).flatMap(sizesOf);
  const manifest = {
    format: FORMAT,
    program,
    madeAt: new Date(now).toISOString(),
    ...facts,
    absent,
  } as const;
  return { manifest, pictures: kept.size, isWhole: absent.every((path) => wanted.includes(path)) };
}
