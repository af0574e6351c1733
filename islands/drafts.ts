/**
 * What has been written and not sent, kept for as long as the tab lives. Under the account of its writer: whoever signs in
 * next on this tab does not find it.
 */

/** Another text for a message, which nobody has saved yet. */
export interface KeptEdit {
  id: number;
  /** What the message says. */
  text: string;
  draft: string;
}

interface Place {
  room: string;
  /** The writer's account. */
  user: number;
}

export function readDraft({ room, user }: Place): string {
  return sessionStorage.getItem(`draft:${user}:${room}`) ?? "";
}

export function writeDraft({ room, user }: Place, text: string): void {
  keep(`draft:${user}:${room}`, text);
}

export function readEdit({ room, user }: Place): KeptEdit | null {
  return JSON.parse(sessionStorage.getItem(`edit:${user}:${room}`) ?? "null") as KeptEdit | null;
}

/** The last one in a room is kept; null forgets it. */
export function writeEdit({ room, user }: Place, edit: KeptEdit | null): void {
  keep(`edit:${user}:${room}`, edit ? JSON.stringify(edit) : "");
}

function keep(name: string, text: string): void {
  if (text) sessionStorage.setItem(name, text);
  else sessionStorage.removeItem(name);
}
