/** Languages, and putting values into their texts. */
import { en, type Catalog } from "./en.ts";
import { ru } from "./ru.ts";

export type { Catalog };

export const catalogs = { en, ru } satisfies Record<string, Catalog>;

export type Locale = keyof typeof catalogs;

export const LOCALES = Object.keys(catalogs) as Locale[];

export function isLocale(text: string | undefined): text is Locale {
  return text !== undefined && Object.hasOwn(catalogs, text);
}
