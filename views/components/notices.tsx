/** What floats over the end of a pane: how many messages have come, and how the connection stands. */
import ArrowDown from "lucide/dist/esm/icons/arrow-down.mjs";
import { fill, number, plural } from "../../src/shared/locale/format.ts";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import { Icon } from "./icon.tsx";
import { withNext } from "./links.ts";

export interface NoticesProps {
  /** Path of the room, to come back to. */
  path: string;
  locale: string;
  t: Catalog["live"];
  /** Messages that came while the reader was further up. */
  unseen: number;
  /** The most important thing to say, if there is anything. */
  notice: "reset" | "stale" | "removed" | "signed-out" | "offline" | null;
  /** Seconds until what was written may be sent. */
  wait: number;
  /** Who is writing just now. */
  writers: readonly string[];
  toEnd: () => void;
}

export function Notices({ path, locale, t, unseen, notice, wait, writers, toEnd }: NoticesProps) {
  const isQuiet = notice === null && wait === 0;
  return (
    <div class="notices">
      {unseen > 0 && (
        <button type="button" class="fresh" onClick={toEnd}>
          <Icon node={ArrowDown} /> {plural(locale, t.newMessages, unseen)}
        </button>
      )}
      {wait > 0 && (
        <p class="banner" role="timer">
          {fill(t.wait, { n: number(locale, wait) })}
        </p>
      )}
      <div role="status">
        {notice === "offline" && <p class="banner">{t.offline}</p>}
        {notice === "reset" && (
          <p class="banner">
            {t.reset} {t.reloading}
          </p>
        )}
        {notice === "stale" && (
          <p class="banner">
            {t.reset} <a href={path}>{t.reload}</a>
          </p>
        )}
        {notice === "removed" && (
          <p class="banner">
            {t.removed} <a href="/">{t.home}</a>
          </p>
        )}
        {notice === "signed-out" && (
          <p class="banner">
            {t.signedOut} <a href={withNext("/login", path)}>{t.signIn}</a>
          </p>
        )}
      </div>
      {isQuiet && writers.length > 0 && (
        <p class="typing" dir="auto">
          {wordsOf(writers, t.typing)}
        </p>
      )}
    </div>
  );
}

/** Two names at most: more would change faster than they are read. */
function wordsOf([name = "", other, third]: readonly string[], t: Catalog["live"]["typing"]): string {
  if (other === undefined) return fill(t.one, { name });
  return third === undefined ? fill(t.two, { name, other }) : t.several;
}
