/** What the commands for backups have in common. */
import { rmSync } from "node:fs";
import { PicturesAway } from "../accounts/ports.ts";
import { Damaged } from "../backup/members.ts";
import { ConfigError } from "../config.ts";
import { Refused } from "../db/snapshot/facts.ts";
import { counted } from "./status-line.ts";
import { claim } from "../db/sqlite/claim.ts";

/** While one process works in these places nobody else does; `lock` is a file beside them, and `otherwise` who has it. */
export async function aloneIn<T>(
  places: readonly string[],
  lock: string,
  otherwise: string,
  work: () => Promise<T>,
): Promise<T> {
  const release = claim(lock);
  if (!release) throw new Refused(otherwise);
  try {
    return await leavingNothingIn([...places, lock], work);
  } finally {
    release();
  }
}

/** However it ends, and where a signal ends it, nothing is left in these places. */
export async function leavingNothingIn<T>(places: readonly string[], work: () => Promise<T>): Promise<T> {
  const clear = () => places.forEach((place) => rmSync(place, { recursive: true, force: true }));
  const giveUp = () => {
    clear();
    process.exit(1);
  };
  process.once("SIGINT", giveUp).once("SIGTERM", giveUp);
  try {
    return await work();
  } finally {
    process.off("SIGINT", giveUp).off("SIGTERM", giveUp);
    clear();
  }
}

/** One line for whoever called it; mistakes of ours are thrown. Disks and databases have codes for what they complain of. */
export function reason(error: unknown, file: string): string {
  if (error instanceof Damaged) return `${file} is damaged: ${error.message}.`;
  if (error instanceof Refused || error instanceof ConfigError) return error.message;
  if (error instanceof PicturesAway) return `Where pictures lie is out of reach: ${error.message}.`;
  if (error instanceof Error && "code" in error) return `It cannot be done: ${error.message}`;
  throw error;
}

export function quantity(things: number, one: string): string {
  return `${counted(things)} ${one}${things === 1 ? "" : "s"}`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Such as "2 users, 1 room, 17 messages". */
export function contents({ counts }: { counts: Readonly<Record<string, number>> }): string {
  const { users = 0, rooms = 0, messages = 0 } = counts;
  return `${quantity(users, "user")}, ${quantity(rooms, "room")}, ${quantity(messages, "message")}`;
}
