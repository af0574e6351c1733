/** Whole pages that many readers share, kept as finished bytes. */
import { encodings, type Encoded } from "./compress.ts";

export interface PageCache {
  get(key: string): Encoded | null;
  /** The key names everything that the page depends on. */
  set(key: string, page: string): Encoded;
}

/** Some 60 kB each, with both encodings. */
const PAGES_KEPT = 128;

/** Paid once for many readers. */
const QUALITY = 6;

export function createPageCache(): PageCache {
  const pages = new Map<string, Encoded>();
  return {
    get: (key) => pages.get(key) ?? null,
    set(key, page) {
      if (pages.size >= PAGES_KEPT) pages.delete(pages.keys().next().value as string);
      const kept = encodings(page, QUALITY);
      pages.set(key, kept);
      return kept;
    },
  };
}
