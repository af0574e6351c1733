/** A room with people in it, and what can be said about answers. */
import type { Appended, MessageStore, NewMessage, Page } from "../../chat/ports.ts";
import type { ClientKey, MessageId, RoomId } from "../../shared/ids.ts";
import type { MessageView } from "../../shared/protocol.ts";
import { type OpenStores, unique, addAccount } from "./open.ts";

/** Two new rooms, two new people, and what one of them says in the first room. */
export async function scene(stores: OpenStores) {
  const [room, other] = [await stores.addRoom(unique("room")), await stores.addRoom(unique("room"))];
  const [ann, bob] = [await addAccount(stores, unique("ann")), await addAccount(stores, unique("bob"))];
  const say = (text: string, more: Partial<NewMessage> = {}): NewMessage => {
    return { room, author: ann.id, key: unique("key") as ClientKey, text, createdAt: 1, ...more };
  };
  return { messages: stores.messages, room, other, ann, bob, say };
}

/** A scene with messages that say, and were written at, their number. */
export async function sceneOf(stores: OpenStores, count: number) {
  const here = await scene(stores);
  const batch = Array.from({ length: count }, (_, i) => here.say(`${i + 1}`, { createdAt: i + 1 }));
  return { ...here, posted: postedOf(await here.messages.append(batch)) };
}

export async function changesOf(
  messages: MessageStore,
  room: RoomId,
): Promise<{ head: number; changes: MessageView[] }> {
  const since = await messages.changesSince(room, 0, 100_000);
  if (!since) throw new Error("the room has more changes than any test makes");
  return since;
}

export function postedOf(appended: Appended[]): MessageView[] {
  return appended.flatMap((result) => (result.outcome === "key_reused" ? [] : [result.message]));
}

export function numbersOf(appended: Appended[]): number[] {
  return postedOf(appended).map(({ seq }) => seq);
}

export function outcomesOf(appended: Appended[]): string[] {
  return appended.map(({ outcome }) => outcome);
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
