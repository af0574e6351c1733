/** What the pages of staff have in common: their sections, searching, and paging by plain links. */
import type { ComponentChildren } from "preact";
import { exactTime } from "../../../src/shared/time.ts";
import { Layout, type Shell } from "../../components/layout.tsx";

export type Section = "users" | "rooms" | "messages" | "audit";

const SECTIONS: readonly Section[] = ["users", "rooms", "messages", "audit"];

export interface FrameProps {
  shell: Shell;
  section: Section;
  /** The section's own name where nothing else is said. */
  title?: string;
  children: ComponentChildren;
}

export function Frame({ shell, section, title, children }: FrameProps) {
  const { admin: t } = shell.t;
  return (
    <Layout shell={shell} title={title ?? t[section]} kind="page">
      <nav class="sections" aria-label={t.title}>
        {SECTIONS.map((one) => (
          <a
            key={one}
            class="quiet button"
            href={`/admin/${one}`}
            aria-current={one === section ? "page" : undefined}
          >
            {t[one]}
          </a>
        ))}
      </nav>
      <h1 dir="auto">{title ?? t[section]}</h1>
      {children}
    </Layout>
  );
}

export interface SearchProps {
  shell: Shell;
  section: Section;
  label: string;
  q: string;
  children?: ComponentChildren;
}

export function Search({ shell, section, label, q, children }: SearchProps) {
  return (
    <form class="search" method="get" action={`/admin/${section}`} role="search">
      <label>
        {label}
        <input type="search" name="q" value={q} dir="auto" autocapitalize="none" spellcheck={false} />
      </label>
      {children}
      <button>{shell.t.admin.search}</button>
    </form>
  );
}

export interface PagingProps {
  shell: Shell;
  section: Section;
  /** What was searched for, which stays. */
  query: Record<string, string | null>;
  /** The name and the value of what begins the next page, if there is one. */
  cursor: string;
  next: number | null;
  isFirst: boolean;
}

export function Paging({ shell: { t }, section, query, cursor, next, isFirst }: PagingProps) {
  const link = (more: Record<string, string>) => {
    const kept = Object.entries({ ...query, ...more }).filter((pair): pair is [string, string] => !!pair[1]);
    const search = new URLSearchParams(kept).toString();
    return `/admin/${section}${search && `?${search}`}`;
  };
  if (isFirst && next === null) return null;
  return (
    <p class="paging">
      {!isFirst && (
        <a class="button" href={link({})}>
          {t.admin.first}
        </a>
      )}
      {next !== null && (
        <a class="button" href={link({ [cursor]: String(next) })}>
          {t.admin.next}
        </a>
      )}
    </p>
  );
}

export function Moment({ at, shell: { locale, zone } }: { at: number; shell: Shell }) {
  return <time dateTime={new Date(at).toISOString()}>{exactTime(at, locale, zone)}</time>;
}

/** Names, addresses and slugs: in no language. */
export function Plain({ children }: { children: ComponentChildren }) {
  return (
    <span lang="" dir="auto">
      {children}
    </span>
  );
}
