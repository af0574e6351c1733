/** Messages on their way, kept with their keys for as long as the tab lives: a reload neither loses nor doubles them. */
import type { ClientKey } from "../src/shared/ids.ts";

export interface Outgoing {
  key: ClientKey;
  text: string;
  createdAt: number;
  /** Why it was refused, in words; null while it is on its way. */
  refusal: string | null;
}

export function readOutbox(room: string, user: string): readonly Outgoing[] {
  return JSON.parse(sessionStorage.getItem(name(room, user)) ?? "[]") as Outgoing[];
}

export function writeOutbox(room: string, user: string, messages: readonly Outgoing[]): void {
  if (messages.length > 0) sessionStorage.setItem(name(room, user), JSON.stringify(messages));
  else sessionStorage.removeItem(name(room, user));
}

/** Per user: whoever signs in next on this tab does not send what another has written. */
function name(room: string, user: string): string {
  return `outbox:${room}:${user}`;
}
