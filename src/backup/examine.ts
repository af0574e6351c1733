/** Reads a backup to its end and compares all of it with what its manifest says. */
import { open } from "node:fs/promises";
import { Refused } from "../db/snapshot/facts.ts";
import {
  DATABASE,
  hashLine,
  isDatabase,
  MANIFEST,
  MANIFEST_HASH,
  pictureOf,
  readManifest,
  type Entry,
  type Manifest,
} from "./manifest.ts";
import { Damaged, membersOf, type Member } from "./members.ts";

/** Of text that is held in memory. Bytes. */
const TEXT_MAX = 512 * 1024 * 1024;

/** Faults that are named. */
const NAMED = 10;

/** Puts the database of the backup into this file on the way. Throws `Damaged` where anything is not as it was written. */
export async function examine(file: string, database: string): Promise<Manifest> {
  const found = new Map<string, Entry>();
  const texts = new Map<string, string>();
  for await (const member of membersOf(file)) {
    const { name } = member;
    if (found.has(name)) throw new Damaged(`it has ${JSON.stringify(name)} twice`);
    if (isDatabase(name) && [...found.keys()].some(isDatabase)) throw new Damaged("it has two databases");
    if (isDatabase(name)) found.set(name, await keep(member, database));
    else if (name === MANIFEST || name === MANIFEST_HASH) {
      const { text, entry } = await read(member);
      found.set(name, entry);
      texts.set(name, text);
    } else if (pictureOf(name) === null)
      throw new Damaged(`it has ${JSON.stringify(name)}, which does not belong there`);
    else found.set(name, await hash(member));
  }
  const manifest = manifestIn(texts, found);
  const faults = compare(manifest, found);
  if (faults.length > 0) throw new Damaged(named(faults));
  return manifest;
}

/** At most so many that they can be read. */
export function named(faults: readonly string[]): string {
  const more = faults.length - NAMED;
  return [...faults.slice(0, NAMED), ...(more > 0 ? [`${more} more`] : [])].join("; ");
}

function manifestIn(texts: ReadonlyMap<string, string>, found: ReadonlyMap<string, Entry>): Manifest {
  const text = texts.get(MANIFEST);
  if (text === undefined) throw new Damaged(`${MANIFEST} is missing`);
  if (texts.get(MANIFEST_HASH) !== hashLine(found.get(MANIFEST)?.sha256 ?? ""))
    throw new Damaged(`${MANIFEST} is not as it was written`);
  const manifest = readManifest(text);
  if (manifest === undefined) throw new Damaged(`${MANIFEST} is none of ours`);
  if (manifest === null) throw new Refused("The backup was made by a later version: use that one.");
  return manifest;
}

function compare(manifest: Manifest, found: ReadonlyMap<string, Entry>): string[] {
  const told = new Map(manifest.members.map((entry) => [entry.name, entry]));
  const wanted = DATABASE[manifest.kind];
  const faults = told.has(wanted) ? [] : [`${wanted} is not in the manifest`];
  for (const [name, { size, sha256 }] of told) {
    const there = found.get(name);
    if (!there) faults.push(`${name} is missing`);
    else if (there.size !== size) faults.push(`${name} has ${there.size} bytes instead of ${size}`);
    else if (there.sha256 !== sha256) faults.push(`${name} is not as it was written`);
  }
  const known = (name: string) => told.has(name) || name === MANIFEST || name === MANIFEST_HASH;
  const extra = [...found.keys()].filter((name) => !known(name));
  return [...faults, ...extra.map((name) => `${name} is not in the manifest`)];
}

async function hash({ name, size, content }: Member): Promise<Entry> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const bytes of content) hasher.update(bytes);
  return { name, size, sha256: hasher.digest("hex") };
}

async function keep(member: Member, target: string): Promise<Entry> {
  const handle = await open(target, "wx", 0o600);
  async function* content() {
    for await (const bytes of member.content) {
      await handle.writeFile(bytes);
      yield bytes;
    }
  }
  try {
    const entry = await hash({ ...member, content: content() });
    await handle.sync();
    return entry;
  } finally {
    await handle.close();
  }
}

async function read(member: Member): Promise<{ text: string; entry: Entry }> {
  if (member.size > TEXT_MAX) throw new Damaged(`${member.name} is too large`);
  const pieces: Uint8Array[] = [];
  async function* content() {
    for await (const bytes of member.content) {
      pieces.push(bytes);
      yield bytes;
    }
  }
  const entry = await hash({ ...member, content: content() });
  return { text: Buffer.concat(pieces).toString(), entry };
}
