/** The outbox, kept for as long as the tab lives: a reload neither loses what is on its way nor doubles it. */
import type { Outbox } from "../src/shared/outbox.ts";

export function readOutbox(room: string, user: string): Outbox {
  return JSON.parse(sessionStorage.getItem(name(room, user)) ?? "[]") as Outbox;
}

export function writeOutbox(room: string, user: string, outbox: Outbox): void {
  if (outbox.length > 0) sessionStorage.setItem(name(room, user), JSON.stringify(outbox));
  else sessionStorage.removeItem(name(room, user));
}

/** Per user: whoever signs in next on this tab does not send what another has written. */
function name(room: string, user: string): string {
  return `outbox:${room}:${user}`;
}
