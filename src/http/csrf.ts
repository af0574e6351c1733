/**
 * Proof that an unsafe request was sent on purpose: it repeats a secret that only our own pages can read. The secret
 * belongs to the session; guests carry it in their cookie. A token is the secret itself or, in pages, a masked form
 * that differs each time, so that compressed pages give nothing away.
 */
import { timingSafeEqual } from "node:crypto";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SECRET_LENGTH = 32;
const SECRET = /^[A-Za-z0-9]{32}$/;
const MASKED = /^[A-Za-z0-9]{64}$/;

export const CSRF_FIELD = "csrfmiddlewaretoken";
export const CSRF_HEADER = "x-csrftoken";

const FORM = /^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i;

/** Whether the body has to be read before the token is known: a form that shows none in its header. */
export function mayHaveTokenInside({ headers }: Request): boolean {
  return !headers.has(CSRF_HEADER) && FORM.test(headers.get("content-type") ?? "");
}

/** Text from the alphabet `[A-Za-z0-9]`, without bias. */
export function secretText(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // 248 is the largest multiple of 62 below 256: larger bytes would favour the first letters.
      if (byte < 248 && text.length < length) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
}

export function isSecret(text: string | null): text is string {
  return text !== null && SECRET.test(text);
}

/** 64 characters: a random mask, then the secret shifted by it. */
export function mask(secret: string): string {
  const key = secretText(SECRET_LENGTH);
  return key + shift(secret, key, 1);
}

/** Whether a token, masked or not, stands for the secret. */
export function matches(token: string | null | undefined, secret: string): boolean {
  if (!token) return false;
  const plain = MASKED.test(token)
    ? shift(token.slice(SECRET_LENGTH), token.slice(0, SECRET_LENGTH), -1)
    : token;
  return SECRET.test(plain) && timingSafeEqual(Buffer.from(plain), Buffer.from(secret));
}

function shift(text: string, key: string, direction: 1 | -1): string {
  let shifted = "";
  for (let i = 0; i < SECRET_LENGTH; i++) {
    const place = ALPHABET.indexOf(text.charAt(i)) + direction * ALPHABET.indexOf(key.charAt(i));
    shifted += ALPHABET.charAt((place + ALPHABET.length) % ALPHABET.length);
  }
  return shifted;
}
