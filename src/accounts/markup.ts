/** Taking markup out of a text, as existing installations do: what looks like a tag goes, everything else stays. */

const TAG = /<(?:!--[^]*?--|[!?][^>]*|\/?[a-z](?:"[^"]*"|'[^']*'|[^'">])*)>/gi;

/** Until nothing is left: a tag may come into being where another is taken out. */
export function withoutMarkup(text: string): string {
  for (let before = text; ; before = text) {
    text = before.replace(TAG, "");
    if (text === before) return text;
  }
}
