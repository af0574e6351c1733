/** What every page stands in: head, bar and main. */
import LogOut from "lucide/dist/esm/icons/log-out.mjs";
import MessagesSquare from "lucide/dist/esm/icons/messages-square.mjs";
import Settings from "lucide/dist/esm/icons/settings.mjs";
import Shield from "lucide/dist/esm/icons/shield.mjs";
import type { ComponentChildren } from "preact";
import { LOCALES, catalogs, type Catalog, type Locale } from "../../src/shared/locale/locale.ts";
import { Avatar } from "./avatar.tsx";
import { CsrfField } from "./csrf.tsx";
import { Icon } from "./icon.tsx";
import { withNext } from "./links.ts";

export type Theme = "system" | "light" | "dark";

export const THEMES: readonly Theme[] = ["system", "light", "dark"];

/** Everything about a request that a page depends on, apart from its own content. */
export interface Shell {
  locale: Locale;
  t: Catalog;
  theme: Theme;
  zone: string;
  /** Where the reader is, to come back to after a change of language or a login. */
  path: string;
  user: { id: number; name: string; avatar: string | null; isStaff: boolean; csrf: string } | null;
  assets: { js: string; css: string; moreCss: string };
}

export interface LayoutProps {
  shell: Shell;
  title: string;
  /** Pages without islands ship no script. */
  live?: boolean;
  /** A room fills the window and scrolls inside; the others scroll as a whole. Forms and notices are small. */
  kind: "room" | "page" | "form" | "notice";
  children: ComponentChildren;
}

/** A room is drawn when all of it is there: while it grew, what a link leads to would move out of sight. */
const WHOLE = "whole";
const UNTIL_WHOLE = { rel: "expect", href: `#${WHOLE}`, blocking: "render" };

export function Layout({ shell, title, live = false, kind, children }: LayoutProps) {
  const { locale, t, theme, assets } = shell;
  return (
    <html lang={locale} data-theme={theme === "system" ? undefined : theme}>
      <head>
        <meta charset="utf-8" />
        <title>{`${title} · ${t.app.name}`}</title>
        <meta
          name="viewport"
          content="width=device-width, initial-scale=1, interactive-widget=resizes-content, viewport-fit=cover"
        />
        <meta name="color-scheme" content={theme === "system" ? "light dark" : theme} />
        <meta name="description" content={t.app.tagline} />
        <link rel="stylesheet" href={assets.css} />
        {(shell.user || kind !== "room") && <link rel="stylesheet" href={assets.moreCss} />}
        {kind === "room" && <link {...UNTIL_WHOLE} />}
        {live && <meta name="htmx-config" content='{"includeIndicatorCSS":false}' />}
        {live && shell.user && <meta name="writer" content={JSON.stringify(writerOf(shell.user))} />}
        {live && <script type="module" src={assets.js} />}
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="manifest" href="/manifest.webmanifest" />
      </head>
      <body class={kind}>
        <a class="skip" href="#content">
          {t.app.skipToContent}
        </a>
        <Bar shell={shell} />
        <main id="content">{children}</main>
        {kind === "room" && <template id={WHOLE} />}
      </body>
    </html>
  );
}

/** Whom the page is drawn for, as its script has to know them. */
export function writerOf({ id, name }: NonNullable<Shell["user"]>): { id: number; name: string } {
  return { id, name };
}

function Bar({ shell }: { shell: Shell }) {
  const { t, user, path } = shell;
  return (
    <header class="bar">
      <a class="brand" href="/">
        <img src="/icon.svg" alt="" width={28} height={28} /> <span>{t.app.name}</span>
      </a>
      <nav aria-label={t.app.mainNavigation}>
        {user ? (
          <>
            {user.isStaff && (
              <a class="quiet button" href="/admin" aria-label={t.nav.admin} title={t.nav.admin}>
                <Icon node={Shield} />
              </a>
            )}
            <a class="quiet button" href="/rooms" aria-label={t.nav.rooms} title={t.nav.rooms}>
              <Icon node={MessagesSquare} />
            </a>
            <a class="me" href="/profile" title={`${t.nav.signedInAs} ${user.name}`}>
              <Avatar name={user.name} avatar={user.avatar} /> <span dir="auto">{user.name}</span>
            </a>
            <form method="post" action="/logout">
              <CsrfField token={user.csrf} />
              <button class="quiet" aria-label={t.nav.logout} title={t.nav.logout}>
                <Icon node={LogOut} />
              </button>
            </form>
          </>
        ) : (
          <>
            <a class="quiet button" href={withNext("/login", path)}>
              {t.nav.login}
            </a>
            <a class="primary button" href={withNext("/register", path)}>
              {t.nav.register}
            </a>
          </>
        )}
        <Preferences shell={shell} />
      </nav>
    </header>
  );
}

/** Language and theme: plain forms in a disclosure, so that they need no script. */
function Preferences({ shell: { t, locale, theme, path } }: { shell: Shell }) {
  return (
    <details class="preferences">
      <summary class="quiet button" aria-label={`${t.preferences.language}, ${t.preferences.theme}`}>
        <Icon node={Settings} />
      </summary>
      <form method="post" action="/preferences">
        <input type="hidden" name="next" value={path} />
        <fieldset>
          <legend>{t.preferences.language}</legend>
          {LOCALES.map((language) => (
            <button
              key={language}
              name="locale"
              value={language}
              lang={language}
              aria-pressed={language === locale}
            >
              {catalogs[language].name}
            </button>
          ))}
        </fieldset>
        <fieldset>
          <legend>{t.preferences.theme}</legend>
          {THEMES.map((name) => (
            <button key={name} name="theme" value={name} aria-pressed={name === theme}>
              {t.preferences.themes[name]}
            </button>
          ))}
        </fieldset>
      </form>
    </details>
  );
}
