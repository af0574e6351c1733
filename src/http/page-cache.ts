/**
 * Whole pages that many readers share, kept as finished bytes: each page once, and beside it the finished answers to
 * requests in the very same words, which most are.
 */
import type { Bus, BusEvent } from "../chat/ports.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { encodings, type Encoded } from "./compress.ts";
import { sharedPage, type SharedAnswer } from "./respond.ts";

export interface PageCache {
  /** The answer that a request in these words got before, if nothing has changed since. `secure`: it came over TLS. */
  answer(request: Request, secure: boolean): Response | null;
  /** The answer for this request and the next in these words. `asOf`: the generation before anything of it was read. */
  share(request: Request, secure: boolean, page: Encoded, asOf: number): Response;
  get(key: string): Encoded | null;
  /** The key names everything that the page depends on. */
  set(key: string, page: string): Encoded;
  /** Rises with every change that such a page may show: of the public room, and of people's names and pictures. */
  generation(): number;
}

/** Some 60 kB each, with both encodings. */
const PAGES_KEPT = 128;

/** Some 1 kB each: browsers differ by language and by what they accept. */
const ANSWERS_KEPT = 1024;

/** Words of a request longer than this are nobody's usual ones. Characters. */
const WORDS_MAX = 1024;

/** Paid once for many readers. */
const QUALITY = 6;

export function createPageCache(bus: Bus): PageCache {
  const pages = new Map<string, Encoded>();
  const answers = new Map<string, SharedAnswer>();
  let generation = 0;
  bus.subscribe((event) => {
    if (!isSeen(event)) return;
    generation++;
    answers.clear();
  });

  return {
    generation: () => generation,

    answer: (request, secure) => answers.get(wordsOf(request, secure))?.() ?? null,

    share(request, secure, page, asOf) {
      const answer = sharedPage(request, page, secure);
      const words = wordsOf(request, secure);
      if (asOf === generation && request.method === "GET" && words.length <= WORDS_MAX) {
        if (answers.size >= ANSWERS_KEPT) answers.clear();
        answers.set(words, answer);
      }
      return answer();
    },

    get: (key) => pages.get(key) ?? null,
    set(key, page) {
      if (pages.size >= PAGES_KEPT) pages.delete(pages.keys().next().value as string);
      const kept = encodings(page, QUALITY);
      pages.set(key, kept);
      return kept;
    },
  };
}

/** Whether a page for guests may look different afterwards. */
function isSeen(event: BusEvent): boolean {
  switch (event.type) {
    case "messages.changed":
    case "room.changed":
      return event.room === PUBLIC_ROOM;
    case "account.changed":
    case "accounts.reread":
      return true;
    case "sessions.ended":
    case "membership.ended":
    case "room.removed":
    case "room.unserved":
    case "rights.unheard":
    case "rights.known":
    case "typing":
      return false;
  }
}

/** Everything of a request that such an answer depends on; the cookie of a session is among it. */
function wordsOf({ method, url, headers }: Request, secure: boolean): string {
  return `${method} ${url}
${secure}
${headers.get("cookie")}
${headers.get("accept-language")}
${headers.get("accept-encoding")}
${headers.get("if-none-match")}`;
}
