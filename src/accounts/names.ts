/** User names: which are allowed, and when two count as the same. */
import { USERNAME_MAX_LENGTH } from "../shared/limits.ts";
import type { NameKeys } from "./ports.ts";
import { codePoints, strip } from "../shared/text.ts";

export type NameFault = { fault: "blank" } | { fault: "characters" } | { fault: "too_long"; length: number };

/** The name as stored: compatibility forms such as ligatures resolved, outer spaces gone. */
export function canonicalName(raw: string): string {
  return strip(raw.normalize("NFKC"));
}

/** Names with equal keys are one name: `ann` and `ANN` cannot both exist. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").toLowerCase().normalize("NFKC");
}

/**
 * Names of equal looks pass for each other: the Cyrillic "а" stands in nobody's "admin". Only letters that look alike in
 * every typeface are here, capitals and small ones by themselves: "В" looks like "B", "в" does not look like "b".
 */
export function nameLook(name: string): string {
  return Array.from(name.normalize("NFKC"), (letter) => LOOKS.get(letter) ?? letter)
    .join("")
    .toLowerCase();
}

export function keysOf(name: string): NameKeys {
  return { nameKey: nameKey(name), nameLook: nameLook(name) };
}

export function nameFault(name: string): NameFault | null {
  if (name === "") return { fault: "blank" };
  const length = codePoints(name);
  if (length > USERNAME_MAX_LENGTH) return { fault: "too_long", length };
  return ALLOWED.test(name) && !INVISIBLE.test(name) ? null : { fault: "characters" };
}

const ALLOWED = /^[\p{L}\p{N}_.@+-]+$/u;

// Letters to Unicode, but nobody sees them: the Hangul fillers.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

const ALIKE = [
  ["АВЕКМНОРСТУХІЈЅӀҮԚԜ", "ABEKMHOPCTYXIJSIYQW"],
  ["аеорсухіјѕӏһԁԛԝү", "aeopcyxijslhdqwy"],
  ["ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"],
  ["αιονρ", "aiovp"],
] as const;

const LOOKS = new Map(
  ALIKE.flatMap(([others, latin]) => Array.from(others, (letter, at) => [letter, latin[at] ?? letter])),
);
