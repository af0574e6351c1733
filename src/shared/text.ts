/**
 * Message text: what may be sent, and how it is taken apart for reading. Text becomes tokens, never HTML;
 * the component that draws a message decides what each token looks like.
 */

export type Token = { kind: "text"; text: string } | { kind: "link"; text: string; href: string };

/** Why a text cannot be sent. `bad_characters`: NUL or half of a surrogate pair, which storage cannot hold. */
export type TextFault = "blank" | "too_long" | "bad_characters";

/** Checks a text as typed against a limit in code points; the text to store is stripped of outer white space. */
export function checkText(raw: string, maxLength: number): { text: string } | { fault: TextFault } {
  const text = strip(raw);
  if (text === "") return { fault: "blank" };
  if (codePoints(text) > maxLength) return { fault: "too_long" };
  if (text.includes("\0") || !text.isWellFormed()) return { fault: "bad_characters" };
  return { text };
}

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = withoutTrailingPunctuation(match[0]);
    if (!isLink(shown)) continue;
    if (match.index > end) tokens.push({ kind: "text", text: text.slice(end, match.index) });
    tokens.push({ kind: "link", text: shown, href: shown });
    end = match.index + shown.length;
  }
  if (end < text.length) tokens.push({ kind: "text", text: text.slice(end) });
  return tokens;
}

/** True for a few emoji and nothing else: such a message is drawn larger. */
export function isEmojiOnly(text: string): boolean {
  return text.length <= 40 && EMOJI_ONLY.test(text);
}

/**
 * Takes off outer white space as Python's `str.strip()` does, which existing clients rely on: besides Unicode white
 * space also U+001C to U+001F and U+0085, but not U+FEFF.
 */
export function strip(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOuterSpace(text.charCodeAt(start))) start++;
  while (end > start && isOuterSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Length as people count: an emoji outside the basic plane is one, not two. */
export function codePoints(text: string): number {
  let points = text.length;
  for (let i = 0; i + 1 < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      points--;
      i++;
    }
  }
  return points;
}

// Only these three schemes ever become links; javascript:, data: and the like stay text.
const LINK = /\b(?:https?:\/\/|mailto:)[^\s<>"]+/giu;
const TRAILING = new Set(".,;:!?'…»”’)]}*_");
const CLOSED_BY: Record<string, string> = { "(": ")", "[": "]", "{": "}" };
const CLOSING = new Set(Object.values(CLOSED_BY));
const EMOJI_ONLY =
  /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\u200d|\ufe0f|\s)+$/u;

/** A closing bracket stays when the link opened it, as in links to encyclopedia pages. */
function withoutTrailingPunctuation(link: string): string {
  const unopened = new Map<string, number>();
  for (const character of link) {
    const closing = CLOSED_BY[character] ?? character;
    const step = closing === character ? 1 : -1;
    if (CLOSING.has(closing)) unopened.set(closing, (unopened.get(closing) ?? 0) + step);
  }
  let end = link.length;
  while (end > 0 && TRAILING.has(link.charAt(end - 1))) {
    const last = link.charAt(end - 1);
    const surplus = unopened.get(last);
    if (surplus !== undefined && surplus <= 0) break;
    if (surplus !== undefined) unopened.set(last, surplus - 1);
    end--;
  }
  return link.slice(0, end);
}

function isLink(text: string): boolean {
  try {
    const url = new URL(text);
    return url.protocol === "mailto:" ? url.pathname.includes("@") : url.hostname !== "";
  } catch {
    return false; // "https://" alone, or a host that cannot be one
  }
}

function isOuterSpace(code: number): boolean {
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f)) return true;
  return code >= 0x85 && code !== 0xfeff && (code === 0x85 || /\s/.test(String.fromCharCode(code)));
}
