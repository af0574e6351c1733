/** Whether one reader who takes nothing is felt by the others. */
import { paced, type Paced } from "../clients/pace.ts";
import { native } from "../clients/protocols.ts";
import { enter, leave, newMessage } from "../clients/room.ts";
import { openSlowReader } from "../clients/slow-reader.ts";
import { MESSAGE_MAX_LENGTH } from "../../src/shared/limits.ts";
import { copyOf, type Data } from "../data.ts";
import type { Section } from "../report.ts";
import { interleave } from "../rounds.ts";
import { echochat, start } from "../servers.ts";
import { latency } from "./latency.ts";

const READERS = 100;
const PER_SECOND = 800;
const ROUND_MS = 1_800;

/** The longest message there is: before the round is over there is more than kernel and server keep for a reader. */
const TEXT = "🎈".repeat(MESSAGE_MAX_LENGTH);

export async function measureSlowReader({ small, cookies }: Data): Promise<Section> {
  const server = await start(echochat(copyOf(small)));
  const room = await enter(server, native, cookies, READERS);
  const pace = { next: longMessage, perSecond: PER_SECOND, milliseconds: ROUND_MS };
  const received: number[] = [];
  let closed = 0;

  async function withSlowReader(): Promise<Paced> {
    const slow = await openSlowReader(server, native, cookies[0] ?? "");
    const round = await paced(room, pace);
    const { delivered, wasClosed } = await slow.catchUp(round.delivered.length);
    const isPrefix = delivered.every(({ key }, at) => key === round.delivered[at]?.key);
    if (!isPrefix) throw new Error("the slow reader got something else than the beginning");
    received.push(delivered.length);
    if (wasClosed) closed++;
    return round;
  }

  const results = await interleave([
    { name: "all read", round: () => paced(room, pace) },
    { name: "one does not", round: withSlowReader },
  ]);
  leave(room);
  await server.stop();
  const section = latency(
    `One slow reader among ${READERS}: how long the others wait, ${PER_SECOND} long messages a second`,
    results,
  );
  const had = `${Math.min(...received)} to ${Math.max(...received)} of ${(PER_SECOND * ROUND_MS) / 1000}`;
  const note = `the slow reader was closed in ${closed} of ${received.length} rounds, having had ${had} messages without a gap`;
  return { ...section, notes: [note, ...section.notes] };
}

function longMessage(): [key: string, text: string] {
  const [key] = newMessage();
  return [key, TEXT];
}
