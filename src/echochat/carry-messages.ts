import type { ClientKey } from "../shared/ids.ts";
import { idAt, type Author, type People } from "./carry-people.ts";
import { addRooms, hallOf, newRoom, type Hall, type Halls } from "./carry-rooms.ts";
import type { Numbers } from "./numbers.ts";
import { authorOf } from "./people.ts";
import { KEY_PREFIX, type NewMember, type NewMessage, type NewRoom, type OriginalMessage } from "./ports.ts";
import type { Work } from "./work.ts";
import { count } from "./report.ts";

interface Surroundings {
  people: People;
  rooms: Halls;
  /** The ids of messages that an earlier import has carried. */
  carried: Numbers;
}

export async function carryMessages(work: Work, { people, rooms, carried }: Surroundings): Promise<void> {
  const { original, target, report, note, tell, now } = work;
  const { messages: tally } = report.tables;
  /** Authors whose accounts are gone, by the name that their messages have. */
  const gone = new Map<string, Author>();
  const belonging = new Set<string>();
  let before = now;

  const authorIn = ({ userId, username }: OriginalMessage): Author | undefined =>
    (userId === null ? undefined : people.get(userId)) ?? gone.get(username);

  /** A time that cannot be read is taken to be that of the message before. */
  function timeOf({ id, at }: OriginalMessage): number {
    if (at === null)
      note(`message ${id}: its time cannot be read, and becomes that of the message before it`);
    return (before = at ?? before);
  }

  /** Whoever has written in a private room belongs to it; one that is nobody's goes to the first of them. */
  function joining(hall: Hall, author: Author, joinedAt: number): NewMember[] {
    const pair = `${hall.id} ${author.id}`;
    if (hall.isPublic || author.isGone || belonging.has(pair)) return [];
    belonging.add(pair);
    const role = hall.hasOwner ? "member" : "owner";
    hall.hasOwner = true;
    return [{ roomId: hall.id, userId: author.id, role, joinedAt }];
  }

  for await (const messages of inLargeChunks(original.messages())) {
    const fresh = messages.filter(({ id }) => !carried.has(id));
    await addMissingRooms(work, rooms, fresh);
    await addMissingAuthors(
      work,
      gone,
      fresh.filter((message) => !authorIn(message)),
    );
    const made: NewMessage[] = [];
    const members: NewMember[] = [];
    for (const message of messages) {
      const createdAt = timeOf(message);
      const [hall, author] = [rooms.get(message.room), authorIn(message)];
      if (carried.has(message.id)) count(tally, "here");
      else if (!hall || !author || hall.isGone) {
        count(tally, "skipped");
        note(`message ${message.id}: skipped: its room ${JSON.stringify(message.room)} was deleted here`);
      } else {
        count(tally, "carried");
        members.push(...joining(hall, author, createdAt));
        const { id: authorId, name: authorName } = author;
        const clientKey = `${KEY_PREFIX}${message.id}` as ClientKey;
        made.push({ roomId: hall.id, authorId, authorName, clientKey, text: message.text, createdAt });
      }
    }
    if (made.length > 0) await target.addMessages(made, members);
    tell("messages", tally.read);
  }
}

/** What is written as a whole: the fewer commits, the fewer times the same pages of an index go to the disk. */
const ROWS = 50_000;
const CHARACTERS = 8_000_000;

async function* inLargeChunks(chunks: AsyncIterable<OriginalMessage[]>): AsyncGenerator<OriginalMessage[]> {
  let large: OriginalMessage[] = [];
  let characters = 0;
  for await (const chunk of chunks) {
    large = large.concat(chunk);
    characters += chunk.reduce((sum, { text }) => sum + text.length, 0);
    if (large.length < ROWS && characters < CHARACTERS) continue;
    yield large;
    large = [];
    characters = 0;
  }
  if (large.length > 0) yield large;
}

async function addMissingRooms(
  work: Work,
  rooms: Halls,
  messages: readonly OriginalMessage[],
): Promise<void> {
  const missing = new Set(messages.map(({ room }) => room).filter((slug) => !rooms.has(slug)));
  const fresh: NewRoom[] = [];
  for (const slug of missing) {
    const known = work.roomMadeOf(slug);
    if (known) rooms.set(slug, hallOf(known));
    else fresh.push(newRoom(work, "room without a row", { slug, name: slug }, null));
  }
  if (fresh.length === 0) return;
  work.report.roomsMade += fresh.length;
  await addRooms(work, rooms, fresh);
}

async function addMissingAuthors(
  work: Work,
  gone: Map<string, Author>,
  messages: readonly OriginalMessage[],
): Promise<void> {
  const { names, personMadeOf, target, report, note, now } = work;
  const fresh = [];
  for (const original of new Set(messages.map(({ username }) => username))) {
    const known = personMadeOf("author", original);
    if (known) gone.set(original, known);
    else {
      const named = names.give(`author ${original}`, original, "user-gone");
      if (named.why !== null) {
        report.renamed++;
        note(
          `author ${JSON.stringify(original)}, whose account is gone: renamed to ${JSON.stringify(named.name)}: ${named.why}`,
        );
      }
      fresh.push(authorOf(original, named, now));
    }
  }
  if (fresh.length === 0) return;
  report.authors += fresh.length;
  const ids = await target.addPeople(fresh);
  for (const [at, { original, name }] of fresh.entries())
    gone.set(original, { id: idAt(ids, at), name, isGone: true });
}
