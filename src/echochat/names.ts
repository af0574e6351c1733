/** Which names people have here: their own, or one as near to it as the rules allow. */
import { canonicalName, keysOf, nameFault } from "../accounts/names.ts";
import type { NameKeys } from "../accounts/ports.ts";
import { USERNAME_MAX_LENGTH } from "../shared/limits.ts";

export interface Named extends NameKeys {
  name: string;
  /** Why it is not the one they had; null when it is. */
  why: string | null;
}

export interface Names {
  /** Keeps the name for the first who comes with it, so that nobody is given it who has to be renamed. */
  reserve(whose: string, raw: string): void;
  give(whose: string, raw: string, ifBlank: string): Named;
}

export function createNames(taken: Iterable<NameKeys>): Names {
  const keys = new Set<string>();
  const looks = new Set<string>();
  const reserved = new Map<string, string>();
  const take = ({ nameKey, nameLook }: NameKeys) => void (keys.add(nameKey), looks.add(nameLook));
  const isFree = (name: string) => whyTaken(name) === null;
  for (const name of taken) take(name);

  function whyTaken(name: string): string | null {
    const { nameKey, nameLook } = keysOf(name);
    if (keys.has(nameKey)) return "another account has this name";
    return looks.has(nameLook) ? "it looks like the name of another account" : null;
  }

  return {
    reserve(whose, raw) {
      const name = canonicalName(raw);
      if (nameFault(name) || !isFree(name)) return;
      take(keysOf(name));
      reserved.set(whose, name);
    },

    give(whose, raw, ifBlank) {
      const own = reserved.get(whose);
      const lawful = own ?? lawfulName(raw, ifBlank);
      let name = lawful;
      if (own === undefined) {
        for (let n = 2; !isFree(name); n++) name = suffixed(lawful, n);
      }
      const why = name === raw ? null : (whyUnlawful(raw) ?? whyTaken(lawful));
      const named = { name, ...keysOf(name), why };
      take(named);
      return named;
    },
  };
}

/** Characters that no name has become "_", and what is too long is cut. */
function lawfulName(raw: string, ifBlank: string): string {
  const letters = Array.from(canonicalName(raw), (letter) => (nameFault(letter) ? "_" : letter));
  return letters.slice(0, USERNAME_MAX_LENGTH).join("") || ifBlank;
}

function suffixed(name: string, n: number): string {
  const suffix = `-${n}`;
  return `${Array.from(name)
    .slice(0, USERNAME_MAX_LENGTH - suffix.length)
    .join("")}${suffix}`;
}

function whyUnlawful(raw: string): string | null {
  const name = canonicalName(raw);
  const fault = nameFault(name)?.fault;
  if (fault) return FAULTS[fault];
  return name === raw ? null : "it is written in its normal form";
}

const FAULTS = {
  blank: "it is blank",
  characters: "it has characters that names here do not have",
  too_long: `it is longer than ${USERNAME_MAX_LENGTH} characters`,
};
