/** A room full of readers, and the members who write in it. */
import { watch, type Usage } from "../machine.ts";
import type { Server } from "../servers.ts";
import { textOf } from "../texts.ts";
import { openAudience, together, type Audience } from "./audience.ts";
import { native, type Protocol } from "./protocols.ts";
import { openSender, type Sender } from "./sender.ts";

export interface Room {
  /** Those that serve it. */
  servers: readonly Server[];
  audience: Audience;
  senders: readonly Sender[];
}

export async function enter(
  server: Server,
  protocol: Protocol,
  cookies: readonly string[],
  readers: number,
): Promise<Room> {
  return enterAt({ writing: [server], reading: [server] }, protocol, cookies, readers);
}

/** The same over several nodes: those that the members write at, in turn, and those that share the readers evenly. */
export async function enterAt(
  { writing, reading }: Record<"writing" | "reading", readonly Server[]>,
  protocol: Protocol,
  cookies: readonly string[],
  readers: number,
): Promise<Room> {
  const audiences: Audience[] = [];
  for (const server of reading)
    audiences.push(await openAudience(server, protocol, cookies, readers / reading.length));
  const placed = cookies.map((cookie, at) => [writing[at % writing.length] as Server, cookie] as const);
  const senders = await Promise.all(placed.map(([server, cookie]) => openSender(server, protocol, cookie)));
  return { servers: [...new Set([...writing, ...reading])], audience: together(audiences), senders };
}

export function leave({ audience, senders }: Room): void {
  audience.close();
  for (const sender of senders) sender.close();
}

let made = 0;
const run = Bun.randomUUIDv7("base64url").slice(-8);

/** A message that nobody has sent yet. */
export function newMessage(): [key: string, text: string] {
  made++;
  return [`${run}-${String(made).padStart(8, "0")}`, textOf(made)];
}

const ROUND_MS = 1_200;

/** Senders wait when they are so many messages ahead of the readers, so that nothing piles up between the two. */
const LEAD = 64;

export interface Exchanged extends Usage {
  messages: number;
}

/** Everyone sends, and goes on when a message is acknowledged; it ends when all have been delivered. */
export async function exchange(
  { servers, audience, senders }: Room,
  people: number,
  inFlight: number,
  lead = LEAD,
): Promise<Exchanged> {
  const sent = new Map<string, string>();
  const deadline = performance.now() + ROUND_MS;
  async function talk(sender: Sender): Promise<void> {
    while (performance.now() < deadline) {
      if (sent.size - audience.heard() > lead) {
        await Bun.sleep(1);
        continue;
      }
      const [key, text] = newMessage();
      sent.set(key, text);
      await sender.send(key, text);
    }
  }
  const stop = watch(...servers.map(({ pid }) => pid));
  const voices = senders.slice(0, people).flatMap((sender) => Array.from({ length: inFlight }, () => sender));
  await Promise.all(voices.map(talk));
  await audience.settled(sent.size);
  const usage = stop();
  audience.audit(sent);
  return { ...usage, messages: sent.size };
}

/** By how much a frame of ours with one message is larger than the text in it. */
export async function overheadOf(server: Server, cookies: readonly string[]): Promise<number> {
  const room = await enter(server, native, cookies, 1);
  const [[key], text] = [newMessage(), "how large is a frame?"];
  await room.senders[0]?.send(key, text);
  await room.audience.settled(1);
  const overhead = room.audience.frameSize() - FRAME_HEAD - text.length;
  leave(room);
  return overhead;
}

/** Of a frame with 126 bytes or more. */
const FRAME_HEAD = 4;
