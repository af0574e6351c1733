/** Live messages: stored durably, numbered, acknowledged and delivered to everyone, against the mere fan-out. */
import { bare, native } from "../clients/protocols.ts";
import { enter, exchange, leave, overheadOf, type Room } from "../clients/room.ts";
import type { Data } from "../data.ts";
import { comparison, type Section } from "../report.ts";
import { interleave, type Round } from "../rounds.ts";
import { baseline, echochat, start } from "../servers.ts";

const ALONE = { people: 1, inFlight: 1 };
const LOADS = [
  { readers: 1_000, loads: [ALONE, { people: 8, inFlight: 4 }] },
  { readers: 100, loads: [ALONE, { people: 8, inFlight: 4 }] },
  { readers: 10, loads: [{ people: 8, inFlight: 8 }] },
];

export async function measureLive({ large, cookies }: Data): Promise<Section[]> {
  const server = await start(echochat(large));
  const fanOut = await start(baseline("sockets"));
  const sections: Section[] = [];
  const overhead = await overheadOf(server, cookies);
  for (const { readers, loads } of LOADS) {
    const ours = await enter(server, native, cookies, readers);
    const theirs = await enter(fanOut, bare(overhead), cookies, readers);
    for (const { people, inFlight } of loads) {
      const round = async (room: Room): Promise<Round> => {
        const { messages, ...usage } = await exchange(room, people, inFlight);
        return { ...usage, units: messages * readers };
      };
      const results = await interleave([
        { name: "bare", round: () => round(theirs) },
        { name: "live", round: () => round(ours) },
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
