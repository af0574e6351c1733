/** The open format, version 1: what stands in a line of each file. `docs/export-format.md` tells it to other programs. */

export const FORMAT = "echochat-export";
export const VERSION = 1;

/** What is wrong with a line, in words that follow its file and number. */
export class Malformed extends Error {}

/** One value of a line: how it is written, and read by somebody who trusts nobody. */
interface Field<T> {
  is: string;
  write(value: T): unknown;
  /** Undefined for anything else. */
  read(value: unknown): T | undefined;
}

const same = (value: unknown) => value;

const text: Field<string> = {
  is: "a text without NUL and halves of characters",
  write: same,
  read: (value) =>
    typeof value === "string" && value.isWellFormed() && !value.includes("\0") ? value : undefined,
};

const flag: Field<boolean> = {
  is: "true or false",
  write: same,
  read: (value) => (typeof value === "boolean" ? value : undefined),
};

const whole = (least: number): Field<number> => ({
  is: `a whole number from ${least} on`,
  write: same,
  read: (value) => (Number.isSafeInteger(value) && Number(value) >= least ? Number(value) : undefined),
});

const ISO = /^(\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** Milliseconds since 1970 within the program. */
const time: Field<number> = {
  is: "a time such as 2026-11-23T12:00:00.000Z",
  write(value) {
    const date = new Date(value);
    if (Number.isNaN(date.getTime())) throw new Malformed(`${value} is beyond all times`);
    return date.toISOString();
  },
  read(value) {
    const read = typeof value === "string" && ISO.test(value) ? Date.parse(value) : NaN;
    return Number.isNaN(read) ? undefined : read;
  },
};

const ROLES = ["owner", "moderator", "member", "removed"] as const;

const role: Field<(typeof ROLES)[number]> = {
  is: `one of ${ROLES.join(", ")}`,
  write: same,
  read: (value) => ROLES.find((known) => known === value),
};

const pair: Field<readonly [string, string]> = {
  is: "a list of two names",
  write: same,
  read(value) {
    if (!Array.isArray(value) || value.length !== 2) return undefined;
    const [one, other] = value.map(text.read);
    return one === undefined || other === undefined ? undefined : [one, other];
  },
};

const sha256: Field<string> = {
  is: "64 hexadecimal digits",
  write: same,
  read: (value) => (typeof value === "string" && /^[0-9a-f]{64}$/.test(value) ? value : undefined),
};

function orNull<T>({ is, write, read }: Field<T>): Field<T | null> {
  return {
    is: `${is}, or null`,
    write: (value) => (value === null ? null : write(value)),
    read: (value) => (value === null ? null : read(value)),
  };
}

/** Below `files/`: what is served below `/media/`. */
const picture: Field<string> = {
  is: "a path such as profile_pics/ann.webp",
  write: same,
  read: (value) => (typeof value === "string" && PICTURE.test(value) ? value : undefined),
};

const PICTURE = /^profile_pics\/[\p{L}\p{N}_-][\p{L}\p{N}_.-]{0,99}$/u;

/** In the order in which they are written and read: no line names anything that has not come yet. */
export const KINDS = {
  people: {
    username: text,
    email: text,
    bio: text,
    profileImage: orNull(picture),
    registeredAt: time,
    lastSeenAt: orNull(time),
    is_active: flag,
    is_muted: flag,
    is_staff: flag,
    is_superuser: flag,
    deletedAt: orNull(time),
  },
  rooms: {
    slug: text,
    name: text,
    topic: text,
    createdBy: orNull(text),
    createdAt: time,
    direct: orNull(pair),
    is_closed: flag,
    head: whole(0),
  },
  members: { room: text, username: text, role, joinedAt: time, readSeq: whole(0) },
  messages: {
    id: whole(1),
    room: text,
    seq: whole(1),
    rev: whole(1),
    username: orNull(text),
    authorName: text,
    content: text,
    createdAt: time,
    editedAt: orNull(time),
    deletedAt: orNull(time),
  },
  files: { path: picture, bytes: whole(0), sha256 },
};

export type Kind = keyof typeof KINDS;

/** What a line says, its times as numbers. */
export type Line<K extends Kind> = {
  [Name in keyof (typeof KINDS)[K]]: (typeof KINDS)[K][Name] extends Field<infer T> ? T : never;
};

/** Throws `Malformed`, too, where a database has what no clock says. */
export function encode<K extends Kind>(kind: K, line: Line<K>): string {
  const written: Record<string, unknown> = {};
  for (const [name, field] of FIELDS[kind]) written[name] = field.write(line[name as keyof Line<K>]);
  return `${JSON.stringify(written)}\n`;
}

/** Throws `Malformed`. Names that this version does not know are passed over. */
export function decode<K extends Kind>(kind: K, line: string): Line<K> {
  const given = objectOf(line);
  const read: Record<string, unknown> = {};
  for (const [name, field] of FIELDS[kind]) {
    if (!Object.hasOwn(given, name)) throw new Malformed(`"${name}" is missing`);
    const value = field.read(given[name]);
    if (value === undefined) throw new Malformed(`"${name}" has to be ${field.is}`);
    read[name] = value;
  }
  return read as Line<K>;
}

const FIELDS = Object.fromEntries(
  Object.entries(KINDS).map(([kind, fields]) => [kind, Object.entries(fields)]),
) as unknown as Record<Kind, [name: string, field: Field<unknown>][]>;

/** Of a line, or of the manifest. */
export function objectOf(json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Malformed("it is no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Malformed("it is no JSON object");
  return value as Record<string, unknown>;
}
