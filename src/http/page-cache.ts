/** Whole pages that many readers share, kept as finished bytes. */
import type { Bus } from "../chat/ports.ts";
import { encodings, type Encoded } from "./compress.ts";

export interface PageCache {
  get(key: string): Encoded | null;
  /** The key names everything that the page depends on. */
  set(key: string, page: string): Encoded;
  /**
   * Rises when somebody has another name or picture, which stand in every page. A part of the key, taken before the page
   * is drawn: what was drawn from before is then never found again.
   */
  generation(): number;
}

/** Some 60 kB each, with both encodings. */
const PAGES_KEPT = 128;

/** Paid once for many readers. */
const QUALITY = 6;

export function createPageCache(bus: Bus): PageCache {
  const pages = new Map<string, Encoded>();
  let generation = 0;
  bus.subscribe(({ type }) => {
    if (type === "account.changed") generation++;
  });
  return {
    generation: () => generation,
    get: (key) => pages.get(key) ?? null,
    set(key, page) {
      if (pages.size >= PAGES_KEPT) pages.delete(pages.keys().next().value as string);
      const kept = encodings(page, QUALITY);
      pages.set(key, kept);
      return kept;
    },
  };
}
