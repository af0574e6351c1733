/** What the environment says: every variable that is set, without its secrets, and names that are probably misspelt. */
import type { Given } from "../../config.ts";
import { unwell, well, type Finding } from "./finding.ts";

const HIDDEN = "(hidden)";
const SECRET = /SECRET|PASSWORD/;

/** Whatever else than a URL stands there may have a password anywhere in it. */
const PLACE = /^(DATABASE|REDIS)_URL$/;

/** Nobody else has names that begin so. */
const OURS = /^(CHAT|PRESENCE|DJANGO)_/;

export function settings({ set, others, known, called, idle }: Given): Finding[] {
  const ours = new Map([...called].flatMap(([name, theirs]) => theirs.map((each) => [each, name] as const)));
  const meant = [...set].map(([name, value]) => {
    const without = idle.get(name);
    const remark = without ? `  no effect: ${without}` : ours.has(name) ? `  is ${ours.get(name)} here` : "";
    return well("setting", `${name}=${shown(name, value)}${remark}`);
  });
  const misspelt = others.flatMap((name) => {
    const near = nearest(name, known);
    return near === null ? [] : [unwell("setting", `${name} has no effect: is ${near} meant?`)];
  });
  return [...meant, ...misspelt];
}

/** On one line, and without what nobody may read over a shoulder. */
function shown(name: string, value: string): string {
  // A flag, whatever else the name sounds like.
  if (SECRET.test(name) && !name.endsWith("RELAX_PASSWORDS")) return HIDDEN;
  if (PLACE.test(name) && !/^[a-z+]+:\/\//i.test(value)) return HIDDEN;
  const text = value.includes("://") || value.includes("@") ? withoutPassword(value) : value;
  return /[\p{Cc}\u2028\u2029]/u.test(text) ? JSON.stringify(text) : text;
}

/**
 * A password may have any sign in it as it was typed, an @ as well; what follows a question mark may be another one. That of
 * Redis is often all that stands before its host.
 */
function withoutPassword(url: string): string {
  return url
    .replace(/^([a-z+]*:\/\/)?([^:@/]*)(:.*)?@/is, (_, scheme = "", user, password) =>
      password === undefined ? `${scheme}${user}@` : `${scheme}${user}:${HIDDEN}@`,
    )
    .replace(/^(rediss?(?:\+[a-z]+)?:\/\/)[^:@]+@/i, `$1${HIDDEN}@`)
    .replace(/#.*$/s, `#${HIDDEN}`)
    .replace(/([?&](?!sslmode=)[^=&]*=)[^&]*/gs, `$1${HIDDEN}`);
}

/** The known name that somebody may have meant; null when this one is probably somebody else's. */
function nearest(name: string, known: ReadonlySet<string>): string | null {
  const ranked = [...known]
    .map((each) => ({ each, mistakes: mistakes(name, each) }))
    .toSorted((one, other) => one.mistakes - other.mistakes);
  const [best] = ranked;
  if (!best) return null;
  // Short names are like many others.
  const most = name.length < 7 ? 1 : 2;
  return best.mistakes <= most || OURS.test(name) ? best.each : null;
}

/** Letters too many, missing, wrong, or changed with their neighbour. */
function mistakes(one: string, other: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: other.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const wrong = one[i - 1] === other[j - 1] ? 0 : 1;
      const isSwapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swapped = isSwapped ? (before[j - 2] ?? FAR) + 1 : FAR;
      next.push(
        Math.min((row[j] ?? FAR) + 1, (next[j - 1] ?? FAR) + 1, (row[j - 1] ?? FAR) + wrong, swapped),
      );
    }
    [before, row] = [row, next];
  }
  return row[other.length] ?? FAR;
}

const FAR = Number.POSITIVE_INFINITY;
