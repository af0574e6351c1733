/** Passwords: the rules for a new one, and hashing with bounded use of memory and cores. */
import { codePoints } from "../shared/text.ts";
import { createTurns } from "../shared/turns.ts";
import { DJANGO, djangoHash, fitsDjango } from "./django.ts";

export type PasswordRules = "relaxed" | "strict";

/** argon2id as OWASP recommends it: 19 MiB and two passes, some 25 ms of one core. */
const HASHING = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

/** Hashes in progress at a time; the rest wait their turn, so that a burst of logins leaves a core for messages. */
const CONCURRENT_HASHES = 2;

/** The share of common letters from which a password gives the name away, as existing installations judge it. */
const TOO_SIMILAR = 0.7;

const MIN_LENGTH = { relaxed: 6, strict: 8 };

/** The hash of an account that nobody logs in to; imported ones may have more behind it. */
export const NO_PASSWORD = "!";

export interface Passwords {
  readonly rules: PasswordRules;
  /** Whether the rules allow this password for this user. */
  allows(password: string, userName: string): Promise<boolean>;
  hash(password: string): Promise<string>;
  /** With a null hash (no such account), or one that no password has, it takes as long and answers false. */
  verify(password: string, hash: string | null): Promise<boolean>;
  /** Whether a hash that fits is of another kind than those made here, and should be made anew. */
  isDated(hash: string): boolean;
}

/** `loadCommon` gives the passwords that many people use, in lower case; it is called when first needed. */
export function createPasswords(
  rules: PasswordRules,
  loadCommon: () => Promise<readonly string[]>,
): Passwords {
  const turn = createTurns(CONCURRENT_HASHES);
  const hash = (password: string) => turn(() => Bun.password.hash(password, HASHING));
  let decoy: Promise<string> | null = null;

  return {
    rules,
    hash,

    async allows(password, userName) {
      if (codePoints(password) < MIN_LENGTH[rules]) return false;
      if (rules === "relaxed") return true;
      if (/^\p{N}+$/u.test(password) || resembles(password, userName)) return false;
      return !(await loadCommon()).includes(password.toLowerCase());
    },

    async verify(password, hashed) {
      decoy ??= hash("a password that nobody has");
      const django = hashed === null ? null : djangoHash(hashed);
      if (django) return turn(() => fitsDjango(password, django));
      const usable = isUnusable(hashed) ? null : hashed;
      const against = usable ?? (await decoy);
      const matches = await turn(() => Bun.password.verify(password, against));
      return matches && usable !== null;
    },

    isDated: (hashed) => djangoHash(hashed) !== null,
  };
}

/** A Django hash that is broken, or would take too long, is one that no password has. */
function isUnusable(hashed: string | null): boolean {
  return hashed === null || hashed.startsWith(NO_PASSWORD) || hashed.startsWith(DJANGO);
}

/** The password is made of nearly the same letters as the name, or as a word of it. */
function resembles(password: string, userName: string): boolean {
  const name = userName.toLowerCase();
  return [name, ...name.split(/[^\p{L}\p{N}_]+/u)].some(
    (part) => similarity(password.toLowerCase(), part) >= TOO_SIMILAR,
  );
}

/** From 0 to 1: twice the letters that both have, over all letters. */
function similarity(one: string, other: string): number {
  const left = Map.groupBy(one, (letter) => letter);
  const shared = Array.from(other).filter((letter) => left.get(letter)?.pop() !== undefined).length;
  return (2 * shared) / (one.length + other.length || 1);
}
