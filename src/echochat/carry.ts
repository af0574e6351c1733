/** Carries an installation of the original over: people, then rooms, then messages, each in order of the ids. */
import { carryMessages } from "./carry-messages.ts";
import { carryPeople } from "./carry-people.ts";
import { carryRooms } from "./carry-rooms.ts";
import { createNumbers } from "./numbers.ts";
import { KEY_PREFIX } from "./ports.ts";
import { emptyReport, type Report } from "./report.ts";
import { begin, type Carrying, type Work } from "./work.ts";

export async function carry(carrying: Carrying): Promise<Report> {
  const report = emptyReport();
  const standing = await carrying.target.standing();
  const work: Work = { ...carrying, ...begin(standing, carrying.isSlug), report };
  const people = await carryPeople(work);
  const rooms = await carryRooms(work, people);
  const carried = createNumbers();
  for await (const keys of standing.keys)
    for (const key of keys) carried.add(Number(key.slice(KEY_PREFIX.length)));
  await carryMessages(work, { people, rooms, carried });
  return report;
}
