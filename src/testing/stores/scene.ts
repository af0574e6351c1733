/** A room with people in it, and what can be said about answers. */
import type { MessageStore, NewMessage, Page, Write, Written } from "../../chat/ports.ts";
import type { ClientKey, MessageId, RoomId, UserId } from "../../shared/ids.ts";
import type { MessageView } from "../../shared/protocol.ts";
import { addPerson, type OpenStores, sessionOf, unique } from "./open.ts";

/** Two new rooms, two new people who belong to both, and what one of them says in the first room. */
export async function scene(stores: OpenStores) {
  const [room, other] = [await stores.addRoom(unique("room")), await stores.addRoom(unique("room"))];
  const [ann, bob] = [await addPerson(stores, unique("ann")), await addPerson(stores, unique("bob"))];
  for (const place of [room, other]) for (const { id } of [ann, bob]) await stores.addMember(place, id);
  const say = (text: string, more: Partial<NewMessage> = {}) =>
    post({ room, author: ann.id, key: unique("key") as ClientKey, text, createdAt: 1, ...more });
  return { messages: stores.messages, room, other, ann, bob, say };
}

/** A scene with messages that say, and were written at, their number. */
export async function sceneOf(stores: OpenStores, count: number) {
  const here = await scene(stores);
  const batch = Array.from({ length: count }, (_, i) => here.say(`${i + 1}`, { createdAt: i + 1 }));
  return { ...here, posted: postedOf(await here.messages.write(batch)) };
}

/** These are done under the session that `signIn` opens. */
export function post(message: NewMessage): Extract<Write, { kind: "post" }> {
  return { kind: "post", session: sessionOf(message.author), ...message };
}

export function edit(id: MessageId, author: UserId, text: string, at = 1): Write {
  return { kind: "edit", session: sessionOf(author), id, author, text, at };
}

export function remove(id: MessageId, by: UserId, at = 1): Write {
  return { kind: "remove", session: sessionOf(by), id, by, at };
}

export async function changesOf(
  messages: MessageStore,
  room: RoomId,
): Promise<{ head: number; changes: MessageView[] }> {
  const { head, to, changes } = await messages.changesSince(room, 0, 100_000);
  if (to !== head) throw new Error("the room has more changes than any test makes");
  return { head, changes };
}

export function postedOf(written: Written[]): MessageView[] {
  return written.flatMap((done) => (done.outcome === "refused" ? [] : [done.message]));
}

export function numbersOf(written: Written[]): number[] {
  return postedOf(written).map(({ seq }) => seq);
}

/** Of what was refused: why. */
export function outcomesOf(written: Written[]): string[] {
  return written.map((done) => (done.outcome === "refused" ? done.code : done.outcome));
}

export function textsOf(page: Page): string[] {
  return page.messages.map(({ text }) => text);
}

export function idOf(message: MessageView | undefined): MessageId {
  if (!message) throw new Error("there is no such message");
  return message.id as MessageId;
}

/** Whether it fails, in whatever way its driver does. */
export function rejects(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    () => true,
  );
}
