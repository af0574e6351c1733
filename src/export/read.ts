/** Reads a folder that was exported into an empty installation: all of it, or nothing. */
import { join } from "node:path";
import { nameFault, nameKey } from "../accounts/names.ts";
import { CopyRefused, CopyUndecided } from "../db/copy/refused.ts";
import type { Table, Value } from "../db/copy/tables.ts";
import type { MediaStorage } from "../media/storage.ts";
import { pictureType } from "../media/wholeness.ts";
import { eachLine } from "./each-line.ts";
import { Malformed, type Kind, type Line } from "./format.ts";
import { fileOf } from "./manifest.ts";
import { createNumbers, type Numbers } from "./numbers.ts";
import { memberRow, messageRow, roomRow, tableOf, userRow, valuesOf, type Ids } from "./rows.ts";
import { aTurn } from "./turn.ts";

/** Rows that go to the database at a time. */
const ROWS = 1000;

/** An empty installation within a transaction. */
interface Filling {
  insert(table: Table, rows: Value[][]): Promise<void>;
  /** No id up to this one is given again. */
  countFrom(table: Table, lastId: number): Promise<void>;
}

export interface Target {
  fill(work: (filling: Filling) => Promise<void>, signal: AbortSignal): Promise<void>;
}

export interface ImportOptions {
  folder: string;
  target: Target;
  pictures: MediaStorage;
  /** Of this installation: whoever has seen the numbers of another one asks for its pages anew. */
  epoch: string;
  /** Calls it off; nothing is kept then. */
  signal: AbortSignal;
  tell: (kind: Kind, lines: number) => void;
}

/** The folder has been verified. */
export async function importFrom(options: ImportOptions): Promise<void> {
  const { target, pictures, signal } = options;
  const kept: string[] = [];
  try {
    await target.fill(async (filling) => {
      await fill(filling, options);
      await keepPictures(options, kept);
    }, signal);
  } catch (error) {
    if (error instanceof CopyUndecided) throw error;
    for (const path of kept) await pictures.remove(path);
    throw signal.aborted ? new CopyRefused("It was called off.", { cause: error }) : error;
  }
}

interface Hall extends Numbers {
  id: number;
  /** What the line of the room says of its last change, and where that line is. */
  told: number;
  line: number;
}

async function fill(filling: Filling, options: ImportOptions): Promise<void> {
  const people = new Map<string, number>();
  const halls = new Map<string, Hall>();
  const ids: Ids = {
    person: (name) => known(people.get(name), `"${name}" is not in ${fileOf("people")}`),
    room: (slug) => known(halls.get(slug), `"${slug}" is not in ${fileOf("rooms")}`).id,
  };
  await filling.insert(tableOf("installation"), [[1, options.epoch]]);
  await fillPeople(filling, options, people);
  await fillRooms(filling, options, halls, ids);
  await fillMembers(filling, options, ids);
  await fillMessages(filling, options, halls, ids);
}

async function fillPeople(filling: Filling, options: ImportOptions, people: Map<string, number>) {
  const taken = new Set<string>();
  const pictures = new Set<string>();
  await eachLine(options.folder, "files", ({ path }) => void pictures.add(path));
  await fillTable(filling, options, "users", "people", (person, id) => {
    const { username, profileImage } = person;
    if (nameFault(username)) throw new Malformed(`"${username}" cannot be a name`);
    if (isThere(taken, nameKey(username))) throw new Malformed(`somebody before has the name "${username}"`);
    if (profileImage !== null && !pictures.has(profileImage))
      throw new Malformed(`"${profileImage}" is not in ${fileOf("files")}`);
    people.set(username, id);
    return userRow(id, person);
  });
  await filling.countFrom(tableOf("users"), people.size);
}

async function fillRooms(filling: Filling, options: ImportOptions, halls: Map<string, Hall>, ids: Ids) {
  const pairs = new Set<string>();
  await fillTable(filling, options, "rooms", "rooms", (room, id) => {
    if (room.slug === "") throw new Malformed("the slug is empty");
    if (halls.has(room.slug)) throw new Malformed(`a room before has the slug "${room.slug}"`);
    const row = roomRow(id, room, ids);
    const pair = row["direct_key"];
    if (pair && isThere(pairs, String(pair))) throw new Malformed("these two have a room before");
    halls.set(room.slug, { id, told: room.head, line: id, ...createNumbers() });
    return row;
  });
  await filling.countFrom(tableOf("rooms"), halls.size);
}

async function fillMembers(filling: Filling, options: ImportOptions, ids: Ids) {
  const memberships = new Set<string>();
  await fillTable(filling, options, "members", "members", (member) => {
    const row = memberRow(member, ids);
    if (isThere(memberships, `${row["room_id"]} ${row["user_id"]}`))
      throw new Malformed(`"${member.username}" is in "${member.room}" already`);
    return row;
  });
}

async function fillMessages(filling: Filling, options: ImportOptions, halls: Map<string, Hall>, ids: Ids) {
  let lastId = 0;
  await fillTable(filling, options, "messages", "messages", (message) => {
    const { id, room, seq, rev, content, deletedAt } = message;
    if (id <= lastId) throw new Malformed(`"id" ${id} comes after ${lastId}`);
    lastId = id;
    const row = messageRow(message, ids);
    const fault = halls.get(room)?.next(seq, rev);
    if (fault) throw new Malformed(fault);
    if (deletedAt !== null && content !== "") throw new Malformed(`"content" of a removed message is ""`);
    return row;
  });
  for (const { head, told, line } of halls.values())
    if (head() > 0 && head() !== told)
      throw new CopyRefused(
        `${fileOf("rooms")}, line ${line}: "head" is ${told}, and its last change in ${fileOf("messages")} is ${head()}.`,
      );
  await filling.countFrom(tableOf("messages"), lastId);
}

/** `rowFor` gets the number of the line too, which is the id of people and rooms. */
async function fillTable<K extends Kind>(
  filling: Filling,
  { folder, signal, tell }: ImportOptions,
  name: string,
  kind: K,
  rowFor: (line: Line<K>, number: number) => Record<string, Value>,
): Promise<void> {
  const table = tableOf(name);
  let rows: Value[][] = [];
  let done = 0;
  const flush = async () => {
    if (rows.length > 0) await filling.insert(table, rows);
    await aTurn(signal);
    tell(kind, (done += rows.length));
    rows = [];
  };
  await eachLine(folder, kind, (line, number) => {
    rows.push(valuesOf(table, rowFor(line, number)));
    return rows.length < ROWS ? undefined : flush();
  });
  await flush();
}

async function keepPictures({ folder, pictures, signal }: ImportOptions, kept: string[]): Promise<void> {
  await eachLine(folder, "files", async ({ path }) => {
    signal.throwIfAborted();
    const bytes = await Bun.file(join(folder, "files", path)).bytes();
    kept.push(path);
    await pictures.put(path, bytes, pictureType(bytes) ?? "");
  });
}

/** From now on it is. */
function isThere(all: Set<string>, one: string): boolean {
  return all.has(one) || !all.add(one);
}

function known<T>(found: T | undefined, fault: string): T {
  if (found === undefined) throw new Malformed(fault);
  return found;
}
