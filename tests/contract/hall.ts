/** What tests of private rooms share: ann, bob and carl, a room called the hall, and what they do on its pages. */
import { expect } from "bun:test";
import { member, type Answer, type Client } from "../../src/testing/client.ts";
import { messagesOn, tags } from "../../src/testing/html.ts";
import { invite, join } from "../../src/testing/rooms.ts";
import { openGateway, type Gateway } from "../../src/testing/socket.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

/** The name of the room that ann makes for each test. */
export const NAME = "The hall";

/** How long a test listens for a frame that must not come. */
export const SILENCE_MS = 60;

export const ENGLISH = { headers: { "accept-language": "en" } };

/** A server of their own, and three people with accounts there. */
export async function gather(): Promise<{ world: World; ann: Client; bob: Client; carl: Client }> {
  const world = await startWorld();
  const ann = await member(world, "ann", ENGLISH);
  const bob = await member(world, "bob", ENGLISH);
  const carl = await member(world, "carl", ENGLISH);
  return { world, ann, bob, carl };
}

/** They come by one invitation of the moderator, one after the other. */
export async function letIn(moderator: Client, slug: string, ...people: Client[]): Promise<void> {
  const link = await invite(moderator, slug);
  for (const who of people) await join(who, link);
}

/** Sends a message by the form of the room's page. */
export function post(who: Client, slug: string, text: string): Promise<Answer> {
  return who.post(`/rooms/${slug}/messages`, { text }, { as: "form", headers: { accept: "text/html" } });
}

export async function says(who: Client, slug: string, text: string): Promise<void> {
  expect((await post(who, slug, text)).status).toBe(303);
}

/** A page's socket that follows the room. */
export async function follow(who: Client, slug: string): Promise<Gateway> {
  const socket = await openGateway(who, []);
  socket.send({ type: "resume", room: slug, epoch: socket.epoch, rev: 0 });
  await socket.settled();
  await socket.quiet(0);
  return socket;
}

export async function html(who: Client, path: string): Promise<string> {
  return (await who.get(path, { accept: "text/html" })).text;
}

export async function statusFor(who: Client, path: string): Promise<number> {
  return (await who.get(path)).status;
}

/** The messages that the room's page shows. */
export async function textsIn(who: Client, slug: string): Promise<string[]> {
  return messagesOn(await html(who, `/rooms/${slug}`)).map(({ text }) => text);
}

/** What a page says is wrong. */
export function problem(page: string): string {
  return tags(page, ".problem")
    .map(({ text }) => text.trim())
    .join("");
}
