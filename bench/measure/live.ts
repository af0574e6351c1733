/** Live messages: stored durably, numbered, acknowledged and delivered to everyone, against the mere fan-out. */
import { openAudience, type Audience } from "../clients/audience.ts";
import { bare, native, type Protocol } from "../clients/protocols.ts";
import { openSender, type Sender } from "../clients/sender.ts";
import type { Data } from "../data.ts";
import { watch } from "../machine.ts";
import { comparison, type Section } from "../report.ts";
import { interleave, type Round } from "../rounds.ts";
import { baseline, echochat, start, type Server } from "../servers.ts";
import { textOf } from "../texts.ts";

const READERS = [100, 1000];
const LOADS = [
  { people: 1, inFlight: 1 },
  { people: 8, inFlight: 4 },
];

const ROUND_MS = 1_200;

/** Senders wait when they are so many messages ahead of the readers, so that nothing piles up between the two. */
const LEAD = 64;

interface Room {
  server: Server;
  audience: Audience;
  senders: readonly Sender[];
}

export async function measureLive({ large, cookies }: Data): Promise<Section[]> {
  const server = await start(echochat(large));
  const fanOut = await start(baseline("sockets"));
  const sections: Section[] = [];
  const overhead = await overheadOf(server, cookies);
  for (const readers of READERS) {
    const ours = await enter(server, native, cookies, readers);
    const theirs = await enter(fanOut, bare(overhead), cookies, readers);
    for (const { people, inFlight } of LOADS) {
      const results = await interleave([
        { name: "bare", round: () => exchange(theirs, people, inFlight) },
        { name: "live", round: () => exchange(ours, people, inFlight) },
      ]);
      const load = people === 1 ? "1 sender, 1 in flight" : `${people} senders, ${inFlight} in flight each`;
      sections.push(
        comparison({
          title: `Live: ${readers.toLocaleString("en")} readers, ${load}; bare = Bun.serve that publishes what it receives`,
          units: "deliveries",
          results,
          against: [["live", "bare"]],
        }),
      );
    }
    for (const room of [ours, theirs]) leave(room);
  }
  await Promise.all([server.stop(), fanOut.stop()]);
  return sections;
}

async function enter(
  server: Server,
  protocol: Protocol,
  cookies: readonly string[],
  readers: number,
): Promise<Room> {
  const audience = await openAudience(server, protocol, cookies, readers);
  const senders = await Promise.all(cookies.map((cookie) => openSender(server, protocol, cookie)));
  return { server, audience, senders };
}

function leave({ audience, senders }: Room): void {
  audience.close();
  for (const sender of senders) sender.close();
}

let made = 0;
const run = Bun.randomUUIDv7("base64url").slice(-8);
const newKey = () => `${run}-${String(++made).padStart(8, "0")}`;

/** Everyone sends, and goes on when a message is acknowledged; the round ends when all have been delivered. */
async function exchange(
  { server, audience, senders }: Room,
  people: number,
  inFlight: number,
): Promise<Round> {
  const sent = new Map<string, string>();
  const deadline = performance.now() + ROUND_MS;
  async function talk(sender: Sender): Promise<void> {
    while (performance.now() < deadline) {
      if (sent.size - audience.heard() > LEAD) {
        await Bun.sleep(1);
        continue;
      }
      const [key, text] = [newKey(), textOf(made)];
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
  return { ...usage, units: sent.size * audience.readers };
}

/** By how much a frame of ours is larger than the text in it. */
async function overheadOf(server: Server, cookies: readonly string[]): Promise<number> {
  const room = await enter(server, native, cookies, 1);
  const [key, text] = [newKey(), "how large is a frame?"];
  await room.senders[0]?.send(key, text);
  await room.audience.settled(1);
  const overhead = room.audience.frameSize() - FRAME_HEAD - text.length;
  leave(room);
  return overhead;
}

/** Of a frame with 126 bytes or more. */
const FRAME_HEAD = 4;
