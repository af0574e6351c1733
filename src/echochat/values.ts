/** What SQLite hands over, where any column may hold anything. */

/** NUL and halves of surrogate pairs, which storage here cannot hold, become the sign for what cannot be read. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return storable(value);
  if (value instanceof Uint8Array) return storable(new TextDecoder().decode(value));
  return typeof value === "number" ? String(value) : "";
}

function storable(text: string): string {
  return (text.includes("\0") ? text.replaceAll("\0", "\ufffd") : text).toWellFormed();
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** Milliseconds since 1970 of such a text, which is in UTC where it does not say otherwise; null for any other. */
export function timeOf(value: unknown): number | null {
  const [, date, clock = "00:00", seconds = "00", fraction = "", zone = "Z"] = TIME.exec(textOf(value)) ?? [];
  if (date === undefined) return null;
  const [, sign, hours = "", minutes = "00"] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const offset = sign ? `${sign}${hours}:${minutes}` : "Z";
  return whole(Date.parse(`${date}T${clock}:${seconds}.${fraction.slice(0, 3).padEnd(3, "0")}${offset}`));
}

/** Null for infinity, which PostgreSQL knows, and for what no date can show. */
export function whole(milliseconds: unknown): number | null {
  const at = typeof milliseconds === "number" ? Math.floor(milliseconds) : Number.NaN;
  return Math.abs(at) <= LAST_MOMENT ? at : null;
}

const LAST_MOMENT = 8.64e15;

export function idOf(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : null;
}
