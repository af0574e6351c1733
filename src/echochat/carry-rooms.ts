import type { RoomId, UserId } from "../shared/ids.ts";
import { PUBLIC_ROOM } from "../shared/rooms.ts";
import { idAt, type People } from "./carry-people.ts";
import type { KnownRoom, NewRoom } from "./ports.ts";
import { count } from "./report.ts";
import type { Work } from "./work.ts";
import { roomNameOf } from "./rooms.ts";

/** A room as messages need it. */
export interface Hall {
  id: RoomId;
  isPublic: boolean;
  isGone: boolean;
  hasOwner: boolean;
}

/** By their slugs in the original. */
export type Halls = Map<string, Hall>;

export async function carryRooms(work: Work, people: People): Promise<Halls> {
  const { original, report, note, tell, roomMadeOf, roomsHere } = work;
  const open = [...roomsHere.values()].find(({ slug }) => slug === PUBLIC_ROOM);
  const halls: Halls = new Map(open ? [[PUBLIC_ROOM, hallOf(open)]] : []);
  for await (const rooms of original.rooms()) {
    const fresh: NewRoom[] = [];
    for (const { id, slug, name, createdBy } of rooms) {
      const known = slug === PUBLIC_ROOM ? open : roomMadeOf(slug);
      count(report.tables.rooms, known ? "here" : "carried");
      if (known) halls.set(slug, hallOf(known));
      else {
        const creator = createdBy === null ? undefined : people.get(createdBy);
        fresh.push(
          newRoom(work, `room ${id}`, { slug, name }, creator?.isGone ? null : (creator?.id ?? null)),
        );
      }
      if (known && slug === PUBLIC_ROOM)
        note(`room ${id} "public": joined with the public room, whose name stays`);
    }
    await addRooms(work, halls, fresh);
    tell("rooms", report.tables.rooms.read);
  }
  return halls;
}

export async function addRooms({ target }: Work, halls: Halls, rooms: readonly NewRoom[]): Promise<void> {
  const ids = await target.addRooms(rooms);
  for (const [at, { original, createdBy }] of rooms.entries())
    halls.set(original, { id: idAt(ids, at), isPublic: false, isGone: false, hasOwner: createdBy !== null });
}

/** `what` names the row, or says that there is none. */
export function newRoom(
  { slugs, report, note, now }: Work,
  what: string,
  room: { slug: string; name: string },
  createdBy: UserId | null,
): NewRoom {
  const { slug, why } = slugs.give(room.slug);
  if (why !== null) {
    report.renamed++;
    note(`${what} ${JSON.stringify(room.slug)}: its slug becomes ${JSON.stringify(slug)}: ${why}`);
  }
  const name = roomNameOf(room.name, slug);
  return { kind: "room", original: room.slug, slug, name, createdBy, createdAt: now };
}

export function hallOf({ id, slug, isGone, hasOwner }: KnownRoom): Hall {
  return { id, isPublic: slug === PUBLIC_ROOM, isGone, hasOwner };
}
