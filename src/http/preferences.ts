/** The reader's language, theme and time zone: from their cookies, else from what the browser says. */
import { isLocale, LOCALES, type Locale } from "../shared/locale/locale.ts";
import { timeZone } from "../shared/time.ts";
import { THEMES, type Theme } from "../../views/components/layout.tsx";
import { readCookie } from "./cookies.ts";
import { memo } from "./memo.ts";

export interface Preferences {
  locale: Locale;
  theme: Theme;
  zone: string;
}

/** What readers see whose browser has not named its zone yet: the server's own. */
const SERVER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function preferencesOf(request: Request): Preferences {
  const locale = readCookie(request, "locale") ?? undefined;
  const theme = readCookie(request, "theme");
  const zone = readCookie(request, "tz");
  return {
    locale: isLocale(locale) ? locale : preferredLocale(request.headers.get("accept-language") ?? ""),
    theme: isTheme(theme) ? theme : "system",
    zone: (zone && timeZone(decodeURIComponentSafely(zone))) || SERVER_ZONE,
  };
}

export function isTheme(text: string | null | undefined): text is Theme {
  return THEMES.includes(text as Theme);
}

/** The language with the highest weight that we speak; English when we speak none of them. */
export const preferredLocale = memo((acceptLanguage: string): Locale => {
  let best: { locale: Locale; weight: number } | null = null;
  for (const item of acceptLanguage.split(",").slice(0, 20)) {
    const [tag = "", ...parameters] = item.trim().split(";");
    const locale = LOCALES.find((known) => known === tag.split("-")[0]?.toLowerCase());
    const weight = Number(
      parameters.find((parameter) => parameter.trim().startsWith("q="))?.split("=")[1] ?? 1,
    );
    if (locale && weight > (best?.weight ?? 0)) best = { locale, weight };
  }
  return best?.locale ?? "en";
});

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // a stray percent sign: no zone has one
  }
}
