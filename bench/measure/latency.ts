/** How long a message takes to its readers at a rate that both servers keep up with. */
import { paced, type Paced } from "../clients/pace.ts";
import { bare, native } from "../clients/protocols.ts";
import { enter, leave, newMessage, overheadOf, type Room } from "../clients/room.ts";
import type { Data } from "../data.ts";
import { short, table, type Section } from "../report.ts";
import { interleave, spread } from "../rounds.ts";
import { baseline, echochat, start } from "../servers.ts";

const READERS = [100, 1_000];
const DELIVERIES_PER_SECOND = 50_000;
const ROUND_MS = 1_500;

/** Milliseconds. On cores of its own the load is never that late. */
const LATE = 2;

export async function measureLatency({ large, cookies }: Data): Promise<Section[]> {
  const server = await start(echochat(large));
  const fanOut = await start(baseline("sockets"));
  const overhead = await overheadOf(server, cookies);
  const sections: Section[] = [];
  for (const readers of READERS) {
    const theirs = await enter(fanOut, bare(overhead), cookies, readers);
    const ours = await enter(server, native, cookies, readers);
    const round = (room: Room) =>
      paced(room, { next: newMessage, perSecond: DELIVERIES_PER_SECOND / readers, milliseconds: ROUND_MS });
    const results = await interleave([
      { name: "bare", round: () => round(theirs) },
      { name: "live", round: () => round(ours) },
    ]);
    for (const room of [theirs, ours]) leave(room);
    sections.push(
      latency(
        `Latency: ${readers.toLocaleString("en")} readers, ${DELIVERIES_PER_SECOND.toLocaleString("en")} deliveries/s, evenly spaced`,
        results,
      ),
    );
  }
  await Promise.all([server.stop(), fanOut.stop()]);
  return sections;
}

/** Also how late the load itself was, and what a delivery cost. */
export function latency(title: string, results: ReadonlyMap<string, readonly Paced[]>): Section {
  const rows = [...results].map(([name, rounds]): [string, LatencyRow[]] => [name, rounds.map(rowOf)]);
  const section = table<keyof LatencyRow>(
    title,
    { "p50, ms": short, "p99, ms": short, "server CPU, us/delivery": short },
    new Map(rows),
  );
  const late = Math.max(
    ...[...results.values()].map((rounds) => spread(rounds.map(({ late99 }) => late99)).median),
  );
  const worth = late > LATE ? "these times mean little, other programs took the cores; " : "";
  return { ...section, notes: [`${worth}of them the load itself was late by ${short(late)} ms (p99)`] };
}

interface LatencyRow {
  "p50, ms": number;
  "p99, ms": number;
  "server CPU, us/delivery": number;
}

function rowOf({ p50, p99, serverCpu, deliveries }: Paced): LatencyRow {
  return { "p50, ms": p50, "p99, ms": p99, "server CPU, us/delivery": (serverCpu * 1e6) / deliveries };
}
