import type { UserId } from "../shared/ids.ts";
import { personOf, type Mapped } from "./people.ts";
import type { KnownPerson, NewPerson, OriginalUser } from "./ports.ts";
import { ImportRefused } from "./refused.ts";
import type { Work } from "./work.ts";
import { count } from "./report.ts";

/** What of somebody goes to their messages. */
export interface Author {
  id: UserId;
  name: string;
  /** The account is gone: it is a member of nothing. */
  isGone: boolean;
}

/** By their ids in the original. */
export type People = Map<number, Author>;

export async function carryPeople(work: Work): Promise<People> {
  await prepare(work);
  const { original, report, note, tell } = work;
  const people: People = new Map();
  for await (const users of original.users()) {
    const known = users.map((user) => work.personMadeOf("user", String(user.id)));
    const mapped = await Promise.all(users.filter((_, at) => !known[at]).map((user) => map(work, user)));
    for (const line of mapped.flatMap(({ notes }) => notes)) note(line);
    const fresh = mapped.map(({ made }) => made);
    const ids = await work.target.addPeople(fresh);
    const added = fresh.map(({ original: id, name }, at): [number, Author] => [
      Number(id),
      { id: idAt(ids, at), name, isGone: false },
    ]);
    for (const [id, author] of added) people.set(id, author);
    for (const [at, user] of users.entries()) meet(work, people, user, known[at]);
    tell("users", report.tables.users.read);
  }
  for (const id of await original.strayProfiles()) {
    count(report.tables.profiles, "skipped");
    note(`profile ${id}: skipped: its user does not exist`);
  }
  return people;
}

/** Before anything is written: whoever has a lawful name keeps it, and other people's ids are not taken for theirs. */
async function prepare({ original, names, personMadeOf }: Work): Promise<void> {
  let [known, same] = [0, 0];
  for await (const users of original.users()) {
    for (const { id, username, joinedAt } of users) {
      const person = personMadeOf("user", String(id));
      if (!person) names.reserve(String(id), username);
      else if (joinedAt !== null) {
        known++;
        if (person.createdAt === joinedAt) same++;
      }
    }
  }
  if (known > 0 && same === 0)
    throw new ImportRefused(
      "Another installation was imported here before: the people of that one registered at other times.",
    );
}

async function map(work: Work, user: OriginalUser): Promise<Mapped<NewPerson>> {
  const { names, addresses, now, report } = work;
  const named = names.give(String(user.id), user.username, `user-${user.id}`);
  if (named.why !== null) report.renamed++;
  const { made, notes } = personOf(user, named, addresses, now);
  const { avatar, why } = await pictureOf(work, user);
  return {
    made: { ...made, avatar },
    notes: [...notes, ...why].map((line) => `${wordsFor(user)}: ${line}`),
  };
}

async function pictureOf({ avatars, report: { pictures } }: Work, { profile }: OriginalUser) {
  if (!profile) return { avatar: null, why: ["without bio and picture: it has no profile"] };
  const avatar = await avatars.carry(profile.image);
  if (avatar.path !== null) pictures.carried++;
  else if (avatar.why === null) pictures.unchosen++;
  else pictures.leftOut++;
  const isLeftOut = avatar.path === null && avatar.why !== null;
  return {
    avatar: avatar.path,
    why: isLeftOut ? [`without its picture ${JSON.stringify(profile.image)}: ${avatar.why}`] : [],
  };
}

function meet({ report, note }: Work, people: People, user: OriginalUser, known?: KnownPerson): void {
  const outcome = known ? "here" : "carried";
  count(report.tables.users, outcome);
  if (user.profile) count(report.tables.profiles, outcome);
  if (!known) return;
  people.set(user.id, known);
  if (known.name !== user.username) note(`${wordsFor(user)}: is here as ${JSON.stringify(known.name)}`);
}

function wordsFor({ id, username }: OriginalUser): string {
  return `user ${id} ${JSON.stringify(username)}`;
}

export function idAt<Id>(ids: readonly Id[], at: number): Id {
  const id = ids[at];
  if (id === undefined) throw new Error("fewer were made than were asked for");
  return id;
}
