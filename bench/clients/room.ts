/** A room full of readers, and the members who write in it. */
import { watch, type Usage } from "../machine.ts";
import type { Server } from "../servers.ts";
import { textOf } from "../texts.ts";
import { openAudience, type Audience } from "./audience.ts";
import { native, type Protocol } from "./protocols.ts";
import { openSender, type Sender } from "./sender.ts";

export interface Room {
  server: Server;
  audience: Audience;
  senders: readonly Sender[];
}

export async function enter(
  server: Server,
  protocol: Protocol,
  cookies: readonly string[],
  readers: number,
): Promise<Room> {
  const audience = await openAudience(server, protocol, cookies, readers);
  const senders = await Promise.all(cookies.map((cookie) => openSender(server, protocol, cookie)));
  return { server, audience, senders };
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
  { server, audience, senders }: Room,
  people: number,
  inFlight: number,
  milliseconds = ROUND_MS,
): Promise<Exchanged> {
  const sent = new Map<string, string>();
  const deadline = performance.now() + milliseconds;
  async function talk(sender: Sender): Promise<void> {
    while (performance.now() < deadline) {
      if (sent.size - audience.heard() > LEAD) {
        await Bun.sleep(1);
        continue;
      }
      const [key, text] = newMessage();
      sent.set(key, text);
      await sender.send(key, text);
    }
  }
  const stop = watch(server.pid);
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
