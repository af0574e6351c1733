/** What becomes of a room, or of a slug that only messages have. */
import { PUBLIC_ROOM } from "../shared/rooms.ts";

export interface Slugs {
  /** The slug that it has here; `why` is null when that is its own. */
  give(original: string): { slug: string; why: string | null };
}

export function createSlugs(taken: Iterable<string>, isSlug: (text: string) => boolean): Slugs {
  const slugs = new Set(taken);
  return {
    give(original) {
      const isLawful = isSlug(original) && original !== PUBLIC_ROOM;
      const wanted = isLawful ? original : `room-${fingerprint(original)}`;
      let slug = wanted;
      for (let n = 2; slugs.has(slug); n++) slug = `${wanted.slice(0, SLUG_MAX - 1 - String(n).length)}-${n}`;
      slugs.add(slug);
      if (slug === original) return { slug, why: null };
      return { slug, why: isLawful ? "another room has this slug" : "no room here has such a slug" };
    },
  };
}

const SLUG_MAX = 50;

function fingerprint(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 12);
}

// Names stand on one line of the page, and a room without one counts as deleted.
const UNSEEN = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\s]/gu;

export function roomNameOf(raw: string, slug: string): string {
  const name = raw.replace(UNSEEN, " ").trim();
  return name.replace(INVISIBLE, "") === "" ? slug : name;
}
