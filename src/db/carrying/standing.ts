/** What an import finds, and the people and rooms that it adds: in ordinary queries. */
import { asc, eq, inArray } from "drizzle-orm";
import type { KnownPerson, KnownRoom, Standing, Target } from "../../echochat/ports.ts";
import type { RoomId, UserId } from "../../shared/ids.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { ask, type Source } from "../source.ts";

/** Rows in one statement: SQLite takes 32,766 values. */
const AT_ONCE = 500;

type Found = Omit<Standing, "keys">;

export async function readStanding({ db, tables }: Pick<Source, "db" | "tables">): Promise<Found> {
  const { members, origins, rooms, users } = tables;
  const people = await db.select().from(users).orderBy(asc(users.id));
  const halls = await db.select().from(rooms).orderBy(asc(rooms.id));
  const owned = await db.select({ id: members.roomId }).from(members).where(eq(members.role, "owner"));
  const withOwner = new Set(owned.map(({ id }) => id));
  return {
    people: people.map(({ id, name, nameKey, nameLook, email, createdAt, deletedAt }): KnownPerson => ({
      id,
      name,
      nameKey,
      nameLook,
      email,
      createdAt,
      isGone: deletedAt !== null,
    })),
    rooms: halls.map(({ id, slug, name }): KnownRoom => ({
      id,
      slug,
      isGone: name === "" && slug !== PUBLIC_ROOM,
      hasOwner: withOwner.has(id),
    })),
    origins: await db.select().from(origins),
  };
}

export function createAdding({ tables, transact }: Source): Pick<Target, "addPeople" | "addRooms"> {
  const { members, origins, rooms, users } = tables;
  return {
    addPeople: (people) =>
      transact(function* (tx) {
        const ids: UserId[] = [];
        for (const some of slicesOf(people)) {
          yield* ask(tx.insert(users).values([...some]));
          const keys = some.map(({ nameKey }) => nameKey);
          const made = yield* ask(
            tx
              .select({ id: users.id, nameKey: users.nameKey })
              .from(users)
              .where(inArray(users.nameKey, keys)),
          );
          const idOf = new Map(made.map(({ id, nameKey }) => [nameKey, id]));
          const own = keys.map((key) => idOf.get(key) ?? missing());
          yield* ask(tx.insert(origins).values(originsOf(some, own)));
          ids.push(...own);
        }
        return ids;
      }),

    addRooms: (halls) =>
      transact(function* (tx) {
        const ids: RoomId[] = [];
        for (const some of slicesOf(halls)) {
          yield* ask(tx.insert(rooms).values([...some]));
          const slugs = some.map(({ slug }) => slug);
          const made = yield* ask(
            tx.select({ id: rooms.id, slug: rooms.slug }).from(rooms).where(inArray(rooms.slug, slugs)),
          );
          const idOf = new Map(made.map(({ id, slug }) => [slug, id]));
          const own = slugs.map((slug) => idOf.get(slug) ?? missing());
          yield* ask(tx.insert(origins).values(originsOf(some, own)));
          const owners = some.flatMap(({ createdBy: userId, createdAt: joinedAt }, at) =>
            userId === null
              ? []
              : [{ roomId: own[at] ?? missing(), userId, role: "owner" as const, joinedAt }],
          );
          if (owners.length > 0) yield* ask(tx.insert(members).values(owners));
          ids.push(...own);
        }
        return ids;
      }),
  };
}

type Kinded = Pick<Standing["origins"][number], "kind" | "original">;

function originsOf(rows: readonly Kinded[], ids: readonly number[]) {
  return rows.map(({ kind, original }, at) => ({ kind, original, madeId: ids[at] ?? missing() }));
}

function* slicesOf<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += AT_ONCE) yield rows.slice(from, from + AT_ONCE);
}

function missing(): never {
  throw new Error("a row that was just made is not there");
}
