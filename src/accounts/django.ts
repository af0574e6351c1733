/** Hashes that Django made: imported people log in by them once. */

export const DJANGO = "pbkdf2_sha256$";

/** Half a second of one core, twice of what Django asks for by now: whoever wrote the row must not hold the server. */
const MAX_ITERATIONS = 2_000_000;

const HASH = /^pbkdf2_sha256\$([1-9]\d{0,6})\$([!-#%-~]{1,128})\$([A-Za-z0-9+/]{43}=)$/;

export interface DjangoHash {
  iterations: number;
  salt: string;
  digest: Uint8Array;
}

/** Null for anything else, and for a hash that would take too long. */
export function djangoHash(text: string): DjangoHash | null {
  const [, rounds, salt = "", digest = ""] = HASH.exec(text) ?? [];
  const iterations = Number(rounds);
  if (!(iterations <= MAX_ITERATIONS)) return null;
  return { iterations, salt, digest: Buffer.from(digest, "base64") };
}

/** Beside the event loop; in the same time whichever byte is the first that differs. */
export async function fitsDjango(
  password: string,
  { iterations, salt, digest }: DjangoHash,
): Promise<boolean> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey("raw", bytes(password), "PBKDF2", false, ["deriveBits"]);
  const way = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations };
  const derived = new Uint8Array(await crypto.subtle.deriveBits(way, key, 8 * digest.length));
  return derived.reduce((differing, byte, at) => differing | (byte ^ (digest[at] ?? 0)), 0) === 0;
}
