/** Times as people read them, in their language and zone, and as machines do. */

/** `2026-11-22`, the calendar day of a moment in a zone. */
export function dayOf(at: number, zone: string): string {
  return formatter("en-CA", zone, "day-key").format(at);
}

/** `14:05` or `2:05 PM`. */
export function clock(at: number, locale: string, zone: string): string {
  return formatter(locale, zone, "clock").format(at);
}

/** `Sunday, November 22, 2026` */
export function longDay(at: number, locale: string, zone: string): string {
  return formatter(locale, zone, "long-day").format(at);
}

/** `November 22, 2026` */
export function day(at: number, locale: string, zone: string): string {
  return formatter(locale, zone, "day").format(at);
}

/** Day and time to the second, for those who want to know exactly. */
export function exactTime(at: number, locale: string, zone: string): string {
  return formatter(locale, zone, "exact").format(at);
}

/** `2026-11-22T11:29:30.247000+00:00`: microseconds, the fraction left out when it is 0, as existing clients know it. */
export function isoMicroseconds(at: number): string {
  const iso = new Date(at).toISOString();
  return at % 1000 === 0 ? `${iso.slice(0, 19)}+00:00` : `${iso.slice(0, 23)}000+00:00`;
}

/** The zone's own name, or null for a text that names none. */
export function timeZone(name: string): string | null {
  if (!/^[A-Za-z0-9_+/-]{1,64}$/.test(name)) return null;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null; // RangeError: no such zone
  }
}

const SHAPES = {
  "day-key": { year: "numeric", month: "2-digit", day: "2-digit" },
  clock: { timeStyle: "short" },
  "long-day": { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  day: { dateStyle: "long" },
  exact: { dateStyle: "long", timeStyle: "medium" },
} satisfies Record<string, Intl.DateTimeFormatOptions>;

// A formatter takes tens of kilobytes; a server that is asked for every zone in turn must not keep them all.
const FORMATTERS_KEPT = 64;
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(locale: string, zone: string, shape: keyof typeof SHAPES): Intl.DateTimeFormat {
  const key = `${locale} ${zone} ${shape}`;
  const kept = formatters.get(key);
  if (kept) return kept;
  if (formatters.size >= FORMATTERS_KEPT) formatters.clear();
  const made = new Intl.DateTimeFormat(locale, { timeZone: zone, ...SHAPES[shape] });
  formatters.set(key, made);
  return made;
}
