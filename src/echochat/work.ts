/** What every stage of an import works with. */
import type { Avatars } from "./avatars.ts";
import { createNames } from "./names.ts";
import type { Original, OriginalTable, Standing, Target } from "./ports.ts";
import type { Report } from "./report.ts";
import { createSlugs } from "./rooms.ts";

export interface Carrying {
  original: Original;
  target: Target;
  avatars: Avatars;
  /** Whether a room may have this slug. */
  isSlug: (text: string) => boolean;
  now: number;
  /** Hears of each row that is not here as it was there, and why. */
  note: (line: string) => void;
  tell: (table: OriginalTable, read: number) => void;
}

export type Work = Carrying & ReturnType<typeof begin> & { report: Report };

/** From what is there before the first stage. */
export function begin({ people, rooms, origins }: Standing, isSlug: Carrying["isSlug"]) {
  const made = new Map(origins.map(({ kind, original, madeId }) => [`${kind} ${original}`, madeId]));
  const peopleHere = new Map<number, (typeof people)[number]>(people.map((person) => [person.id, person]));
  const roomsHere = new Map<number, (typeof rooms)[number]>(rooms.map((room) => [room.id, room]));
  function madeIn<T>(those: ReadonlyMap<number, T>, origin: string): T | undefined {
    const id = made.get(origin);
    return id === undefined ? undefined : those.get(id);
  }
  return {
    names: createNames(people),
    addresses: new Set(people.flatMap(({ email }) => (email === "" ? [] : [email.toLowerCase()]))),
    slugs: createSlugs(
      rooms.map(({ slug }) => slug),
      isSlug,
    ),
    roomsHere,
    /** Whoever an earlier import has made of this, if they are still there. */
    personMadeOf: (kind: "user" | "author", original: string) => madeIn(peopleHere, `${kind} ${original}`),
    roomMadeOf: (slug: string) => madeIn(roomsHere, `room ${slug}`),
  };
}
