/** What stands in a backup, and by which names. */
import type { Facts } from "../db/snapshot/facts.ts";
import { isPictureName } from "../media/storage.ts";
import { smallAvatar } from "../shared/media.ts";

export interface Manifest extends Facts {
  format: typeof FORMAT;
  /** The version of the program that made it. */
  program: string;
  /** As ISO 8601 has it. */
  madeAt: string;
  /** Pictures that somebody has and that were nowhere to be found. */
  absent: readonly string[];
  members: readonly Entry[];
}

export interface Entry {
  name: string;
  size: number;
  sha256: string;
}

export const FORMAT = 1;

/** The last two members. */
export const MANIFEST = "manifest.json";
export const MANIFEST_HASH = "manifest.json.sha256";

/** By the kind of the database. */
export const DATABASE = { sqlite: "echochat.sqlite", postgres: "echochat.dump" };

const MEDIA = "media/";

export const memberOf = (picture: string): string => `${MEDIA}${picture}`;

/** Null for what is no picture. */
export function pictureOf(member: string): string | null {
  const name = member.startsWith(MEDIA) ? member.slice(MEDIA.length) : "";
  return isPictureName(name) ? name : null;
}

/** Somebody's picture lies there in one size or in two. */
export function sizesOf(picture: string): string[] {
  return isPictureName(picture) ? [...new Set([picture, smallAvatar(picture)])] : [];
}

export const isDatabase = (member: string): boolean => Object.values(DATABASE).includes(member);

/** As `sha256sum --check` reads it. */
export const hashLine = (hash: string): string => `${hash}  ${MANIFEST}\n`;

/** Null for that of a later version, undefined for what is none. */
export function readManifest(text: string): Manifest | null | undefined {
  const told = parsed(text) as Partial<Manifest> | null | undefined;
  if (typeof told?.format !== "number") return undefined;
  if (told.format !== FORMAT) return null;
  const { kind, schema, counts, absent, members } = told;
  const fits = Array.isArray(schema) && Array.isArray(absent) && Array.isArray(members) && counts;
  return fits && kind && Object.hasOwn(DATABASE, kind) ? (told as Manifest) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
