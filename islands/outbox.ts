/** The outbox, kept for as long as the tab lives: a reload neither loses what is on its way nor doubles it. */
import { next, type Outbox } from "../src/shared/outbox.ts";

/** Under the account of its writer: whoever signs in next on this tab does not send what another has written. */
export function outboxName(room: string, user: number): string {
  return `outbox:${user}:${room}`;
}

export function readOutbox(name: string): Outbox {
  return JSON.parse(sessionStorage.getItem(name) ?? "[]") as Outbox;
}

export function writeOutbox(name: string, outbox: Outbox): void {
  if (outbox.length > 0) sessionStorage.setItem(name, JSON.stringify(outbox));
  else sessionStorage.removeItem(name);
}

/** The rooms for which something waits. */
export function roomsInWaiting(user: number): string[] {
  const prefix = outboxName("", user);
  const names = Object.keys(sessionStorage).filter((name) => name.startsWith(prefix));
  return names.filter((name) => next(readOutbox(name))).map((name) => name.slice(prefix.length));
}
